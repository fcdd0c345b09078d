#include "tune/synth/assets.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <opencv2/imgproc.hpp>

#include "catch.h"
#include "tests/tune/synth/toy_head.h"
#include "tests/tune/synthetic.h"
#include "tune/synth/export.h"
#include "tune/synth/obj_file.h"
#include "tune/synth/registration.h"
#include "tune/synth/renderer.h"

using namespace coco;
using namespace coco::synth;
using coco::tune::testing::TemporaryFolder;

namespace {

/// The data folder's faces, or nothing: says so.
std::string faces_folder() {
  const char* root = std::getenv("COCO_DATA_DIR");
  const std::string folder = std::string(root != nullptr ? root : "../shared/data") + "/faces";
  if (std::filesystem::exists(folder)) return folder;
  std::cout << "skipped: " << folder << " is not there (set COCO_DATA_DIR)\n";
  return {};
}

void write(const std::filesystem::path& path, const std::string& text) { std::ofstream(path) << text; }

}  // namespace

TEST_CASE("OBJ files: polygons become triangles, groups are kept, and damaged ones are refused") {
  const TemporaryFolder folder;
  write(folder / "a.obj",
        "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 1\ng left\nf 1/1 2/1 3/2 4/2\ng right\nf 1 2 3\n");
  const auto file = read_obj((folder / "a.obj").string());
  REQUIRE(file.ok());
  CHECK(file->triangles.size() == 3);
  CHECK(file->groups == std::vector<std::string>{"left", "right"});
  CHECK(file->triangles[0].texture[0] == 0);
  CHECK(file->triangles[2].texture[0] == -1);
  CHECK(read_obj((folder / "b.obj").string()).error().code == ErrorCode::kNotFound);
  write(folder / "c.obj", "nothing\n");
  CHECK(read_obj((folder / "c.obj").string()).error().code == ErrorCode::kInvalidData);
  write(folder / "d.obj", "v 0 0 0\nf 1 2 9\n");
  CHECK(read_obj((folder / "d.obj").string()).error().code == ErrorCode::kInvalidData);
}

TEST_CASE("missing and damaged head data is named") {
  const TemporaryFolder folder;
  const auto missing = load_ict_head((folder / "nowhere").string());
  REQUIRE_FALSE(missing.ok());
  CHECK_THAT(missing.error().message, ContainsSubstring("generic_neutral_mesh.obj"));
  write(folder / "generic_neutral_mesh.obj", "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n");
  const auto other = load_ict_head(folder.string());
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code == ErrorCode::kInvalidData);
  CHECK_FALSE(load_makehuman_head(folder.string()).ok());
  ExportOptions options;
  options.faces = folder.string();
  options.sheet = (folder / "sheet.png").string();
  CHECK_FALSE(export_pictures(options, {}).ok());
  CHECK_FALSE(std::filesystem::exists(options.sheet));
}

TEST_CASE("openness: a ball sees half of everything, its inside nothing") {
  HeadModel head;
  testing::add_ball(head, {0, 0, 0}, {8, 8, 8}, 24, 32, Part::kFace);
  testing::add_ball(head, {0, 0, 0}, {4, 4, 4}, 24, 32, Part::kMouth);
  measure_openness(head);
  CHECK(head.openness.front() > 0.8f);
  CHECK(head.openness.back() < 0.05f);
}

TEST_CASE("a head that was moved, sized and bent is matched to itself") {
  const HeadModel head = testing::toy_head();
  HeadModel target = head;
  // Wider by a known identity, larger, and places in an atlas that tell where a point is.
  apply(head.identity[0], 0.5f, target.mesh.vertices);
  for (cv::Vec3f& v : target.mesh.vertices) v *= 1.1f;
  target.left.centre *= 1.1f;
  target.right.centre *= 1.1f;
  for (size_t t = 0; t < target.atlas.size(); ++t) {
    for (int k = 0; k < 3; ++k) {
      const cv::Vec3f& p = head.mesh.vertices[static_cast<size_t>(head.mesh.triangles[t][k])];
      target.atlas[t][static_cast<size_t>(k)] = {0.5f + p[0] / 1000, 0.5f + p[1] / 1000};
    }
  }
  const auto matches = match_heads(head, target);
  HeadModel worn = head;
  transfer_atlas(matches, target, worn);
  int placed = 0, skin = 0;
  double error = 0;
  for (size_t t = 0; t < worn.skin; ++t) {
    ++skin;
    if (worn.atlas[t][0][0] < 0) continue;
    ++placed;
    const cv::Vec3f& p = head.mesh.vertices[static_cast<size_t>(head.mesh.triangles[t][0])];
    error += std::hypot((worn.atlas[t][0][0] - 0.5f) * 1000 - p[0], (worn.atlas[t][0][1] - 0.5f) * 1000 - p[1]);
  }
  CHECK(placed > skin * 9 / 10);
  CHECK(error / placed < 0.6);  // Centimetres; on a ball nothing holds a surface from sliding but its ends.
}

TEST_CASE("the real heads: landmarks lie where faces have them, on both models") {
  const std::string faces = faces_folder();
  if (faces.empty()) return;
  const auto loaded = load_assets({faces, "", 0});
  REQUIRE(loaded.ok());
  const Assets& assets = **loaded;
  CHECK(assets.skins.size() == 15);
  CHECK(assets.brows.size() == 8);
  for (const HeadModel* head : {&assets.ict, &assets.makehuman}) {
    INFO(head->name);
    const auto mark = [&](size_t i) { return at(head->landmarks[i], head->mesh.vertices); };
    // Eyes' corners at the height of the eyes, inner ones nearer to the middle.
    for (const size_t i : {36u, 39u, 42u, 45u}) CHECK(std::abs(mark(i)[1]) < 1.2f);
    CHECK(mark(36)[0] < mark(39)[0]);
    CHECK(mark(39)[0] < -0.8f);
    CHECK(mark(42)[0] > 0.8f);
    CHECK(std::abs(mark(36)[0] + mark(45)[0]) < 0.5f);
    // The tip of the nose is in front, the chin below, the lips between them.
    CHECK(std::abs(mark(30)[0]) < 0.3f);
    CHECK(mark(30)[2] > mark(27)[2]);
    CHECK(mark(8)[1] < mark(57)[1]);
    CHECK(mark(57)[1] < mark(51)[1]);
    CHECK(mark(51)[1] < mark(33)[1]);
    CHECK(mark(48)[0] < -1.5f);
    CHECK(mark(54)[0] > 1.5f);
    CHECK(mark(0)[0] < -5);
    CHECK(mark(16)[0] > 5);
  }
  // Most of the face wears the painted skins.
  size_t faces_total = 0, worn = 0;
  for (size_t t = 0; t < assets.ict.skin; ++t) {
    if (assets.ict.parts[t] != Part::kFace) continue;
    ++faces_total;
    worn += assets.ict.atlas[t][0][0] >= 0 ? 1 : 0;
  }
  CHECK(worn * 10 > faces_total * 8);

  // An open jaw opens the mouth, closed lids hide the eyes, on both heads.
  Renderer renderer(*loaded);
  for (int head = 0; head < kHeads; ++head) {
    Person person;
    for (uint64_t seed = 1;; ++seed) {
      person = random_person(assets, seed);
      if (person.head == head) break;
    }
    person.hair.any = false;
    person.glasses = false;
    Scene scene;
    scene.focal = 500;
    scene.light.constant = {1, 1, 1};
    scene.heads.push_back({person, HeadPose{}, Cover::kNone, 0});
    const auto with = [&](const std::string& name) {
      auto& weights = scene.heads[0].pose.expression;
      weights.assign(assets.ict.expression.size(), 0.0f);
      for (size_t i = 0; i < weights.size(); ++i) {
        const std::string& n = assets.ict.expression[i].name;
        if (n == name || n == name + "_L" || n == name + "_R") weights[i] = 1;
      }
      return renderer.render(scene);
    };
    const Picture rest = with("none"), open = with("jawOpen"), shut = with("eyeBlink");
    INFO("head " << head);
    CHECK(cv::sum(open.mouth)[0] > cv::sum(rest.mouth)[0] + 200 * 255);
    // The mean opening of both pairs of points of the right eye.
    const auto eye = [](const Picture& p) {
      const auto& l = p.heads[0].landmarks;
      return cv::norm(l[37] - l[41]) + cv::norm(l[38] - l[40]);
    };
    CHECK(eye(shut) < 0.65 * eye(rest));
  }
}

TEST_CASE("files: the same whatever the number of threads, and labels for each picture") {
  const std::string faces = faces_folder();
  if (faces.empty()) return;
  const TemporaryFolder folder;
  ExportOptions options;
  options.faces = faces;
  options.count = 6;
  options.size = 64;
  for (const int threads : {1, 2}) {
    options.threads = threads;
    options.out = (folder / std::to_string(threads)).string();
    const auto outcome = export_pictures(options, {});
    REQUIRE(outcome.ok());
    CHECK(outcome->pictures == 6);
  }
  const auto bytes = [&](const std::string& name) {
    std::ifstream stream(folder / name, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
  };
  const std::string labels = bytes("1/labels.jsonl");
  CHECK(std::count(labels.begin(), labels.end(), '\n') == 6);
  CHECK(labels == bytes("2/labels.jsonl"));
  for (const char* name : {"000000.png", "000005.png", "000003.face.png"}) {
    CHECK_FALSE(bytes(std::string("1/") + name).empty());
    CHECK(bytes(std::string("1/") + name) == bytes(std::string("2/") + name));
  }
}
