#include "tune/synth/renderer.h"

#include <cstring>

#include "base/random.h"
#include "catch.h"
#include "tests/tune/synth/toy_head.h"
#include "tune/synth/sensor.h"
#include "tune/synth/shading.h"

using namespace coco;
using namespace coco::synth;
using namespace coco::synth::testing;

namespace {

/// Somebody bare-faced before the camera, evenly lit, without noise.
Scene plain_scene(float distance = 60) {
  Scene scene;
  scene.width = scene.height = 128;
  scene.focal = 300;
  scene.light.constant = {1, 1, 1};
  scene.sensor = Sensor{0, 0, 0, 0, 0, 0};
  HeadInScene head;
  head.person.identity = {0};
  head.person.skin_colour = {0.4f, 0.3f, 0.2f};
  head.person.hair.any = false;
  head.pose.position = {0, 0, -distance};
  scene.heads.push_back(head);
  return scene;
}

bool same(const cv::Mat& a, const cv::Mat& b) {
  return a.size() == b.size() && a.type() == b.type() && std::memcmp(a.data, b.data, a.total() * a.elemSize()) == 0;
}

/// The middle of a mask's pixels.
cv::Point2d middle_of(const cv::Mat& mask) {
  double x = 0, y = 0, sum = 0;
  for (int r = 0; r < mask.rows; ++r) {
    for (int c = 0; c < mask.cols; ++c) {
      const double m = mask.at<uint8_t>(r, c);
      x += m * (c + 0.5);
      y += m * (r + 0.5);
      sum += m;
    }
  }
  return {x / sum, y / sum};
}

}  // namespace

TEST_CASE("landmarks are the projection of the head's points") {
  const auto assets = toy_assets();
  Renderer renderer(assets);
  Scene scene = plain_scene();
  const Picture picture = renderer.render(scene);
  REQUIRE(picture.heads.size() == 1);
  // Straight ahead: x is mirrored at the picture's middle where the head's points are.
  for (size_t i = 0; i < 68; ++i) {
    const cv::Vec3f p = at(assets->ict.landmarks[i], assets->ict.mesh.vertices);
    const float scale = scene.focal / (60 - p[2]);
    CHECK(picture.heads[0].landmarks[i].x == Approx(64 + p[0] * scale).margin(1e-3));
    CHECK(picture.heads[0].landmarks[i].y == Approx(64 - p[1] * scale).margin(1e-3));
  }
  // Turned to the viewer's right, what is in front moves to the right; looking down, it moves down.
  scene.heads[0].pose.yaw = 30;
  const HeadLabels turned = renderer.render(scene).heads[0];
  scene.heads[0].pose.yaw = 0;
  scene.heads[0].pose.pitch = 20;
  const HeadLabels bowed = renderer.render(scene).heads[0];
  for (size_t i = 0; i < 68; ++i) {
    const cv::Vec3f p = at(assets->ict.landmarks[i], assets->ict.mesh.vertices);
    const float s30 = 0.5f, c30 = 0.8660254f, s20 = 0.3420201f, c20 = 0.9396926f;
    CHECK(turned.landmarks[i].x ==
          Approx(64 + scene.focal * (p[0] * c30 + p[2] * s30) / (60 + p[0] * s30 - p[2] * c30)).margin(1e-3));
    CHECK(bowed.landmarks[i].y ==
          Approx(64 - scene.focal * (p[1] * c20 - p[2] * s20) / (60 - p[1] * s20 - p[2] * c20)).margin(1e-3));
  }
  scene.heads[0].pose.pitch = 0;
  scene.heads[0].pose.roll = 90;  // Counterclockwise: the chin goes to the right.
  CHECK(renderer.render(scene).heads[0].landmarks[8].x > 64 + 30);
}

TEST_CASE("the face's mask lies where the face is, and its box around the landmarks") {
  Renderer renderer(toy_assets());
  Scene scene = plain_scene();
  scene.heads[0].pose.position = {3, 2, -60};
  const Picture picture = renderer.render(scene);
  const cv::Point2d middle = middle_of(picture.face);
  CHECK(middle.x == Approx(64 + 3 * 5.0).margin(4));
  CHECK(cv::countNonZero(picture.face) > 1500);
  CHECK(cv::countNonZero(picture.occluder) == 0);
  for (const cv::Point2f& p : picture.heads[0].landmarks) {
    CHECK(p.x >= picture.heads[0].box.x - 1);
    CHECK(p.y <= picture.heads[0].box.y + picture.heads[0].box.height + 1);
  }
}

TEST_CASE("what is turned away or covered is said to be") {
  Renderer renderer(toy_assets());
  Scene scene = plain_scene();
  scene.heads[0].pose.yaw = 80;
  const HeadLabels turned = renderer.render(scene).heads[0];
  CHECK(turned.self_occluded[16]);  // The side that is now behind.
  CHECK_FALSE(turned.self_occluded[2]);
  scene.heads[0].pose.yaw = 0;
  CHECK_FALSE(renderer.render(scene).heads[0].self_occluded[30]);
  scene.heads[0].cover = Cover::kHand;
  int covered = 0;
  for (uint64_t seed = 0; seed < 6; ++seed) {
    scene.heads[0].cover_seed = seed;
    const Picture picture = renderer.render(scene);
    for (size_t i = 0; i < 68; ++i) covered += picture.heads[0].covered[i] ? 1 : 0;
    CHECK(cv::countNonZero(picture.occluder) > 300);
    // Nothing is both a face and what stands before it, but at edges.
    CHECK(cv::countNonZero((picture.face == 255) & (picture.occluder == 255)) == 0);
  }
  CHECK(covered > 40);
}

TEST_CASE("the same scene gives the same bytes, from a used renderer as well; another seed gives others") {
  const auto assets = toy_assets();
  Renderer one(assets), two(assets);
  PortraitOptions options;
  options.size = 96;
  const Picture first = one.render(random_portrait(*assets, options, 5));
  one.render(random_portrait(*assets, options, 6));
  const Picture again = one.render(random_portrait(*assets, options, 5));
  const Picture other = two.render(random_portrait(*assets, options, 5));
  CHECK(same(first.image, again.image));
  CHECK(same(first.image, other.image));
  CHECK(same(first.face, other.face));
  CHECK_FALSE(same(first.image, two.render(random_portrait(*assets, options, 7)).image));
}

TEST_CASE("crowds have nobody or several, each labelled, and empty pictures have empty masks of no size") {
  const auto assets = toy_assets();
  Renderer renderer(assets);
  size_t most = 0, least = 99;
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const Scene scene = random_crowd(*assets, 160, 120, 5, seed);
    const Picture picture = renderer.render(scene);
    CHECK(picture.image.size() == cv::Size(160, 120));
    CHECK(picture.heads.size() == scene.heads.size());
    most = std::max(most, scene.heads.size());
    least = std::min(least, scene.heads.size());
  }
  CHECK(least == 0);
  CHECK(most >= 2);
}

TEST_CASE("soft light is the cosine's first three bands") {
  Light light;
  light.add_soft({0, 0, 1}, {1, 1, 1});
  SurfaceSample point;
  point.place = {0, 0, -50};
  point.openness = 1;
  const Material white{{1, 1, 1}, 0, 1, 0};
  for (const float angle : {0.0f, 0.6f, 1.2f, 1.8f, 3.1f}) {
    point.normal = {std::sin(angle), 0, std::cos(angle)};
    const float c = std::cos(angle);
    const float expected = std::max(0.0f, 0.25f + c / 2 + 5.0f / 32 * (3 * c * c - 1));
    CHECK(shade(light, white, point, 0)[1] == Approx(expected).margin(1e-5));
    CHECK(std::abs(expected - std::max(0.0f, c)) < 0.1f);
  }
}

TEST_CASE("a lamp from the side lights that side") {
  Renderer renderer(toy_assets());
  Scene scene = plain_scene();
  scene.light.constant = {0.05f, 0.05f, 0.05f};
  scene.light.lamp = cv::normalize(cv::Vec3f(1, 0, 0.3f));
  scene.light.lamp_colour = {1, 1, 1};
  const cv::Mat image = renderer.render(scene).image;
  CHECK(image.at<cv::Vec3b>(75, 85)[1] > image.at<cv::Vec3b>(75, 43)[1] + 40);
}

TEST_CASE("noise has the deviation that was asked for and no bias; codes are sRGB's") {
  CHECK(code_of_linear(0.2122f) == 127);
  CHECK(code_of_linear(1) == 255);
  CHECK(code_of_linear(-1) == 0);
  CHECK(code_of_linear(7) == 255);
  for (int code = 0; code < 256; ++code) CHECK(code_of_linear(linear_of_code()[static_cast<size_t>(code)]) == code);
  cv::Mat light(256, 256, CV_32FC3, cv::Scalar(0.2, 0.2, 0.2));
  Sensor sensor{0.01f, 0.0005f, 0, 0, 0, 0};
  const cv::Mat noisy = expose(light, sensor, 3);
  double sum = 0, square = 0;
  for (int y = 0; y < 256; ++y) {
    for (int x = 0; x < 256; ++x) {
      const double l = linear_of_code()[noisy.at<cv::Vec3b>(y, x)[0]];
      sum += l;
      square += l * l;
    }
  }
  const double mean = sum / 65536, deviation = std::sqrt(square / 65536 - mean * mean);
  CHECK(mean == Approx(0.2).margin(0.002));
  CHECK(deviation == Approx(std::sqrt(0.0001 + 0.0005 * 0.2)).epsilon(0.1));
}

TEST_CASE("motion moves nothing but smears along its direction") {
  cv::Mat light(65, 65, CV_32FC3, cv::Scalar(0, 0, 0));
  light.at<cv::Vec3f>(32, 32) = {1, 1, 1};
  Sensor sensor{0, 0, 8, 0, 0, 0};
  const cv::Mat smeared = expose(light, sensor, 1);
  CHECK(smeared.at<cv::Vec3b>(32, 29)[0] > 50);
  CHECK(smeared.at<cv::Vec3b>(32, 35)[0] == smeared.at<cv::Vec3b>(32, 29)[0]);
  CHECK(smeared.at<cv::Vec3b>(29, 32)[0] == 0);
}
