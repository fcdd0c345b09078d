#include "tune/synth/export.h"

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

#include "base/file.h"
#include "base/thread_pool.h"
#include "coco/device.h"
#include "tune/synth/contact_sheet.h"
#include "tune/synth/renderer.h"

namespace coco::synth {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::string number_of(int index) {
  char text[16];
  std::snprintf(text, sizeof(text), "%06d", index);
  return text;
}

const char* name_of(Tone tone) { return tone == Tone::kDark ? "dark" : "light"; }
const char* name_of(Age age) { return age == Age::kYoung ? "young" : age == Age::kMiddle ? "middle" : "old"; }
const char* name_of(Sex sex) { return sex == Sex::kMale ? "male" : "female"; }
const char* name_of(Cover cover) {
  switch (cover) {
    case Cover::kHand:
      return "hand";
    case Cover::kScarf:
      return "scarf";
    case Cover::kMicrophone:
      return "microphone";
    case Cover::kNone:
      break;
  }
  return "none";
}

nlohmann::json describe(const HeadInScene& head, const HeadLabels& labels) {
  nlohmann::json json;
  json["identity"] = head.person.seed;
  json["tone"] = name_of(head.person.tone);
  json["age"] = name_of(head.person.age);
  json["sex"] = name_of(head.person.sex);
  json["glasses"] = head.person.glasses;
  json["cover"] = name_of(head.cover);
  json["pose"] = {{"yaw", head.pose.yaw}, {"pitch", head.pose.pitch}, {"roll", head.pose.roll}};
  json["position_cm"] = {head.pose.position[0], head.pose.position[1], head.pose.position[2]};
  json["expression"] = head.pose.expression;
  json["box"] = {labels.box.x, labels.box.y, labels.box.width, labels.box.height};
  auto& points = json["landmarks"] = nlohmann::json::array();
  std::string visible;
  for (size_t i = 0; i < labels.landmarks.size(); ++i) {
    points.push_back({labels.landmarks[i].x, labels.landmarks[i].y});
    visible += labels.covered[i] ? 'c' : labels.self_occluded[i] ? 's' : 'v';
  }
  json["visible"] = visible;  // A letter a landmark: v visible, s behind the head itself, c behind something else.
  return json;
}

Status write_picture(const fs::path& path, const cv::Mat& picture) {
  std::vector<uint8_t> bytes;
  cv::imencode(".png", picture, bytes, {cv::IMWRITE_PNG_COMPRESSION, 1});
  return write_file_atomically(path.string(), bytes);
}

Status write_sample(const fs::path& out, const std::string& name, const Picture& picture) {
  COCO_TRY(write_picture(out / (name + ".png"), picture.image));
  COCO_TRY(write_picture(out / (name + ".face.png"), picture.face));
  COCO_TRY(write_picture(out / (name + ".occluder.png"), picture.occluder));
  return write_picture(out / (name + ".mouth.png"), picture.mouth);
}

Scene scene_of(const Assets& assets, const ExportOptions& options, int index) {
  const uint64_t seed = options.seed * 1000003 + static_cast<uint64_t>(index);
  if (options.crowd) return random_crowd(assets, 640, 480, 8, seed);
  PortraitOptions portrait;
  portrait.size = options.size;
  return random_portrait(assets, portrait, seed);
}

}  // namespace

Result<ExportOutcome> export_pictures(const ExportOptions& options, const std::function<void(int done)>& progress,
                                      const std::atomic<bool>* stop) {
  if (options.count < 1 || options.size < 32 || options.size > 2048) {
    return make_error(ErrorCode::kInvalidArgument, "at least one picture, of 32 to 2048 pixels a side");
  }
  ExportOutcome outcome;
  const auto start = Clock::now();
  COCO_ASSIGN(const auto assets, load_assets({options.faces, options.backgrounds}));
  outcome.seconds_loading = seconds_since(start);
  if (!options.out.empty()) {
    std::error_code error;
    fs::create_directories(options.out, error);
    if (error) return make_error(ErrorCode::kIo, options.out + " cannot be made: " + error.message());
  }
  const int workers = options.threads > 0 ? options.threads : cpu_info().allowed_threads;
  std::vector<std::unique_ptr<Renderer>> renderers;
  for (int i = 0; i < workers; ++i) renderers.push_back(std::make_unique<Renderer>(assets));
  std::vector<std::string> lines(static_cast<size_t>(options.count));
  ContactSheet sheet(options.sheet.empty() ? 0 : options.count,
                     options.crowd ? cv::Size(320, 240) : cv::Size(192, 192));
  std::mutex mutex;
  Status failed;
  std::atomic<int> done{0};
  std::atomic<bool> broken{false};
  const auto rendering = Clock::now();
  ThreadPool pool(workers);
  pool.parallel_for(options.count, workers, [&](int index, int worker) {
    if (broken || (stop != nullptr && stop->load())) return;
    const Scene scene = scene_of(*assets, options, index);
    const Picture picture = renderers[static_cast<size_t>(worker)]->render(scene);
    nlohmann::json json{{"picture", number_of(index) + ".png"}, {"heads", nlohmann::json::array()}};
    for (size_t h = 0; h < scene.heads.size(); ++h) json["heads"].push_back(describe(scene.heads[h], picture.heads[h]));
    lines[static_cast<size_t>(index)] = json.dump() + "\n";
    sheet.add(index, picture);
    if (!options.out.empty()) {
      if (Status status = write_sample(options.out, number_of(index), picture); !status.ok()) {
        const std::lock_guard lock(mutex);
        failed = std::move(status);
        broken = true;
        return;
      }
    }
    if (progress) progress(++done);
  });
  COCO_TRY(failed);
  if (stop != nullptr && stop->load()) return make_error(ErrorCode::kCancelled, "stopped; nothing is labelled");
  outcome.seconds = seconds_since(rendering);
  outcome.pictures = options.count;
  if (!options.out.empty()) {
    std::string all;
    for (const std::string& line : lines) all += line;
    COCO_TRY(write_file_atomically((fs::path(options.out) / "labels.jsonl").string(),
                                   {reinterpret_cast<const uint8_t*>(all.data()), all.size()}));
  }
  if (!options.sheet.empty()) COCO_TRY(write_picture(options.sheet, sheet.image()));
  return outcome;
}

}  // namespace coco::synth
