#include "tune/report/report.h"

#include <cstdlib>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "apps/cocopipe-tune/job_report.h"
#include "catch.h"
#include "tests/tune/synthetic.h"
#include "tune/report/plots.h"

using namespace coco;
using namespace coco::tune;
using coco::tune::testing::make_luma;
using coco::tune::testing::TemporaryFolder;

namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

size_t count(const std::string& text, const std::string& part) {
  size_t found = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

constexpr const char* kCard = R"({"name": "<net> & co", "figures":
  {"set5_psnr_y": "36.5", "set14_psnr_y": 32.25, "parameters": "2748", "macs_per_input_pixel": "2664"}})";
constexpr const char* kLog =
    "{\"iteration\": 10, \"psnr_y\": 30.5, \"ssim_y\": 0.9, \"seconds\": 60}\n"
    "{\"iteration\": 20, \"psnr_y\": 31.25, \"ssim_y\": 0.91, \"seconds\": 120}\n";
constexpr const char* kSearch =
    "{\"phase\": \"candidate\", \"choices\": [0, 1], \"milliseconds\": 2.5, \"expected\": 30}\n"
    "{\"phase\": \"tune\", \"choices\": [0, 1], \"milliseconds\": 2.5, \"psnr_start\": 33.1, \"psnr_y\": 34.75}\n"
    "{\"phase\": \"end\", \"found\": true, \"verdict\": \"met <at once>\", \"configurations\": 16, \"blocks\": 4}\n";

std::string shipped_models() {
  const char* source = std::getenv("COCO_SOURCE_DIR");
  return std::string(source != nullptr ? source : ".") + "/engine/models";
}

}  // namespace

TEST_CASE("report: the frontier is what nothing cheaper beats") {
  const auto best = frontier({{"a", 4, 30}, {"b", 1, 28}, {"c", 2, 27}, {"d", 3, 31}, {"e", 1, 26}, {"f", 9, 31}});
  REQUIRE(best.size() == 2);
  CHECK(best[0].label == "b");
  CHECK(best[1].label == "d");
}

TEST_CASE("report: labels keep clear of each other and of the edges, or are left out") {
  std::vector<PlotPoint> points;
  Random random(3);
  for (int i = 0; i < 60; ++i) {
    points.push_back({"network " + std::to_string(i), 1000 * (1 + random.uniform()), 36 + random.uniform(), i % 2});
  }
  const Drawing drawing = draw_points({"title", "work", "dB", true, {"ours", "published"}}, points);
  std::vector<const Mark*> labels;
  for (const Mark& mark : drawing.marks) {
    if (mark.kind == Mark::Kind::kText && mark.text.find("network ") == 0) labels.push_back(&mark);
  }
  CHECK(labels.size() > 20);
  CHECK(labels.size() <= 60);
  for (size_t i = 0; i < labels.size(); ++i) {
    const Mark& a = *labels[i];
    CHECK(a.x >= 0);
    CHECK(a.x + text_width(a.text, a.size) <= drawing.width);
    for (size_t k = i + 1; k < labels.size(); ++k) {
      const Mark& b = *labels[k];
      const bool apart = a.x + text_width(a.text, a.size) <= b.x || b.x + text_width(b.text, b.size) <= a.x ||
                         std::abs(a.y - b.y) >= a.size;
      INFO(a.text << " and " << b.text);
      CHECK(apart);
    }
  }
}

TEST_CASE("report: one drawing as SVG and as PNG") {
  Drawing drawing{100, 40, {}};
  drawing.box(10, 10, 30, 30, {255, 0, 0});
  drawing.disc(70, 20, 8, {0, 0, 255});
  drawing.text(35, 20, "a<b", 10, {0, 0, 0});
  const std::string svg = to_svg(drawing);
  CHECK(svg.find("a&lt;b") != std::string::npos);
  CHECK(svg.find("fill=\"#ff0000\"") != std::string::npos);
  const auto png = to_png(drawing);
  REQUIRE(png.ok());
  const cv::Mat image = cv::imdecode(*png, cv::IMREAD_COLOR);
  REQUIRE(image.cols == 200);
  REQUIRE(image.rows == 80);
  CHECK(image.at<cv::Vec3b>(40, 40) == cv::Vec3b(0, 0, 255));
  CHECK(image.at<cv::Vec3b>(40, 140) == cv::Vec3b(255, 0, 0));
  CHECK(image.at<cv::Vec3b>(2, 2) == cv::Vec3b(255, 255, 255));
}

TEST_CASE("report: the page has what was read, names escaped") {
  const TemporaryFolder folder;
  write(folder / "models/net.card.json", kCard);
  write(folder / "runs/first <1>/log.jsonl", kLog);
  write(folder / "runs/searched/explore.jsonl", kSearch);
  write(folder / "published.yaml",
        "networks:\n  - {name: 'other \"x\"', macs: 8040, psnr: {set5: 36.7, b100: 31.35}, source: a paper}\n");
  write(folder / "job.yaml", "title: T <1>\npublished: " + (folder / "published.yaml").string() +
                                 "\nmodels: " + (folder / "models").string() + "\n");
  const auto tree = jobs::read_job_tree((folder / "job.yaml").string(), {});
  REQUIRE(tree.ok());
  auto request = jobs::read_report_job(*tree, {(folder / "runs").string()});
  REQUIRE(request.ok());
  request->out = (folder / "out/deep").string();
  const auto files = write_report(*request);
  REQUIRE(files.ok());
  for (const std::string& file : *files) CHECK(fs::file_size(file) > 100);
  for (const char* name : {"work-set5.png", "searches.png", "runs.png", "index.html"}) {
    INFO(name);
    CHECK(fs::exists(folder / "out/deep" / name));
  }
  const std::string page = read(folder / "out/deep/index.html");
  for (const char* text : {"<title>T &lt;1&gt;</title>", "&lt;net&gt; &amp; co", "other &quot;x&quot;", "a paper",
                           ">36.50<", ">31.35<", ">8040<", "first &lt;1&gt;", ">31.250<", "searched", ">0 1<",
                           ">34.750<", "met &lt;at once&gt;; 16 configurations, 1 fine-tuned, 4 blocks"}) {
    INFO(text);
    CHECK(page.find(text) != std::string::npos);
  }
  CHECK(page.find("<net>") == std::string::npos);
  CHECK(count(page, "<svg") == 3);  // Set14 and B100 have one network each
}

TEST_CASE("report: layers and pictures of a shipped network") {
  const TemporaryFolder folder;
  const quality::Plane8 luma = make_luma(160, 140, 3);
  const cv::Mat grey(140, 160, CV_8UC1, const_cast<uint8_t*>(luma.data.data()));
  cv::imwrite((folder / "a&b.png").string(), grey);
  ReportRequest request;
  request.title = "t";
  request.out = (folder / "out").string();
  REQUIRE(read_cards(shipped_models() + "/f32/sr2x-s.card.json", request.networks).ok());
  REQUIRE_FALSE(request.networks[0].onnx.empty());
  request.calibration = request.pictures = {(folder / "a&b.png").string()};
  request.crops = {64, 2};
  const auto files = write_report(request);
  REQUIRE(files.ok());
  const std::string page = read(folder / "out/index.html");
  CHECK(page.find("a&amp;b.png") != std::string::npos);
  CHECK(page.find("Integers cost ") != std::string::npos);
  CHECK(count(page, ">0.0 %<") >= 6);  // no weight of the shipped network is 0
  CHECK(fs::exists(folder / "out/snr-1.png"));
  const cv::Mat crop = cv::imread((folder / "out/crop-1.png").string());
  CHECK(crop.cols == 3 * 128 + 2 * 8);
  CHECK(crop.rows > 128);
}

TEST_CASE("report: input that cannot serve is named") {
  const TemporaryFolder folder;
  std::vector<NetworkEntry> networks;
  Runs runs;
  const auto message = [](const Status& status) { return status.ok() ? "" : status.error().message; };
  CHECK(message(read_cards((folder / "none").string(), networks)).find("none") != std::string::npos);
  write(folder / "face.card.json", R"({"name": "face", "task": "face-landmarks", "figures": {}})");
  const size_t before = networks.size();
  CHECK(message(read_cards((folder / "face.card.json").string(), networks)).find("another task") != std::string::npos);
  CHECK(networks.size() == before);
  std::filesystem::remove(folder / "face.card.json");
  write(folder / "bad.card.json", "[1]");
  CHECK(message(read_cards((folder / "bad.card.json").string(), networks)).find("bad.card.json") != std::string::npos);
  write(folder / "empty/notes.txt", "x");
  CHECK(message(read_cards((folder / "empty").string(), networks)).find("no model cards") == 0);
  CHECK(message(read_runs((folder / "empty").string(), runs)).find("no explore.jsonl and no log.jsonl") == 0);
  CHECK(message(read_runs((folder / "gone").string(), runs)).find("gone") != std::string::npos);
  write(folder / "broken/log.jsonl", std::string(kLog) + "{nonsense\n");
  CHECK(message(read_runs((folder / "broken").string(), runs)).find("log.jsonl': line 3 is not a JSON object") !=
        std::string::npos);
  CHECK(networks.empty());
  CHECK(runs.runs.empty());
  // A line that is still being written is none.
  write(folder / "growing/log.jsonl", std::string(kLog) + "{\"iterat");
  REQUIRE(read_runs((folder / "growing").string(), runs).ok());
  CHECK(runs.runs[0].points.size() == 2);

  const auto refusal = [](const std::string& text) {
    const auto tree = jobs::parse_job_tree(text, "job.yaml", {});
    const auto request = jobs::read_report_job(*tree, {});
    return request.ok() ? write_report(*request).error().message : request.error().message;
  };
  CHECK(refusal("modles: x\n").find("job.yaml:1:1: unknown key 'modles' in the job (did you mean 'models'?)") == 0);
  CHECK(refusal("title: x\n").find("there is nothing to report") == 0);
  CHECK(refusal("crop: 3\n").find("'crop' must be a whole number from 16") != std::string::npos);
  write(folder / "list.yaml", "networks:\n  - {macs: 5}\n");
  CHECK(
      message(jobs::read_published((folder / "list.yaml").string(), networks)).find("list.yaml:2:5: a network needs") !=
      std::string::npos);

  ReportRequest request;
  request.out = (folder / "out").string();
  request.pictures = {(folder / "gone.png").string()};
  CHECK(write_report(request).error().message.find("gone.png") != std::string::npos);
  write(folder / "file", "x");
  request.out = (folder / "file/out").string();
  CHECK(write_report(request).error().message.find("cannot make folder") == 0);
}

TEST_CASE("report: the shipped job and its list are read") {
  std::vector<NetworkEntry> networks;
  const std::string folder = shipped_models() + "/../../configs/tune/report/";
  REQUIRE(jobs::read_published(folder + "published-x2.yaml", networks).ok());
  CHECK(networks.size() > 20);
  for (const NetworkEntry& n : networks) {
    INFO(n.name);
    CHECK(n.macs > 0);
    CHECK(n.psnr.count("set5") == 1);
    CHECK_FALSE(n.source.empty());
  }
  CHECK(jobs::read_job_tree(folder + "ladder.yaml", {}).ok());
}
