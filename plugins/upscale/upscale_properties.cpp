#include "plugins/upscale/upscale_properties.h"

#include <gst/gst.h>

namespace coco::plugins {
namespace {

constexpr char kDefaultModel[] = "sr2x-s", kDefaultDevice[] = "auto";
constexpr double kMinScale = 1.0 / 16, kMaxScale = 16;
constexpr guint kMaxThreads = 1024;

std::string text_or(const GValue* value, const char* otherwise) {
  const gchar* text = g_value_get_string(value);
  return text && *text ? text : otherwise;
}

}  // namespace

bool set_upscale_setting(UpscaleSettings& settings, guint id, const GValue* value) {
  switch (id) {
    case kPropModel:
      settings.model = text_or(value, kDefaultModel);
      return true;
    case kPropScale:
      settings.scale = g_value_get_double(value);
      return true;
    case kPropDevice:
      settings.device = text_or(value, kDefaultDevice);
      return true;
    case kPropFallback:
      settings.fallback = g_value_get_boolean(value);
      return true;
    case kPropVerify:
      settings.verify = g_value_get_uint(value);
      return true;
    case kPropThreads:
      settings.threads = g_value_get_uint(value);
      return true;
    case kPropReuse:
      settings.reuse = g_value_get_boolean(value);
      return true;
    case kPropTune:
      settings.tune = g_value_get_boolean(value);
      return true;
    default:
      return false;
  }
}

bool get_upscale_setting(const UpscaleSettings& settings, guint id, GValue* value) {
  switch (id) {
    case kPropModel:
      g_value_set_string(value, settings.model.c_str());
      return true;
    case kPropScale:
      g_value_set_double(value, settings.scale);
      return true;
    case kPropDevice:
      g_value_set_string(value, settings.device.c_str());
      return true;
    case kPropFallback:
      g_value_set_boolean(value, settings.fallback);
      return true;
    case kPropVerify:
      g_value_set_uint(value, settings.verify);
      return true;
    case kPropThreads:
      g_value_set_uint(value, settings.threads);
      return true;
    case kPropReuse:
      g_value_set_boolean(value, settings.reuse);
      return true;
    case kPropTune:
      g_value_set_boolean(value, settings.tune);
      return true;
    default:
      return false;
  }
}

void install_upscale_properties(GObjectClass* object_class) {
  GParamSpec* properties[kPropCount] = {};
  const auto fixed = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_READY);
  const auto live = static_cast<GParamFlags>(G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS | GST_PARAM_MUTABLE_PLAYING);
  const auto shown = static_cast<GParamFlags>(G_PARAM_READABLE | G_PARAM_STATIC_STRINGS);
  /**
   * GstCocoUpscale:model:
   *
   * A shipped model's name, a .coco or .onnx file, or "bicubic" for no network.
   *
   * Since: 0.1
   */
  properties[kPropModel] = g_param_spec_string(
      "model", "Model", "A shipped model's name, a .coco or .onnx file, or bicubic (no network)", kDefaultModel, fixed);
  /**
   * GstCocoUpscale:scale:
   *
   * Output size divided by input size, where the caps after the element leave it open.
   *
   * Since: 0.1
   */
  properties[kPropScale] =
      g_param_spec_double("scale", "Scale", "Output size / input size, where the caps after the element leave it open",
                          kMinScale, kMaxScale, UpscaleSettings{}.scale, live);
  /**
   * GstCocoUpscale:device:
   *
   * Where the network runs: "cpu", "vulkan" (the fastest kind of device there is), "vulkan:INDEX" as `cocopipe doctor`
   * lists them, or "auto", which is the CPU as long as no Vulkan device was found faster on frames in system memory.
   * Integer models give the same pixels everywhere. With Vulkan, reuse and tune do nothing.
   *
   * Since: 0.1
   */
  properties[kPropDevice] = g_param_spec_string(
      "device", "Device", "Where the network runs: auto, cpu, vulkan or vulkan:INDEX", kDefaultDevice, fixed);
  /**
   * GstCocoUpscale:fallback:
   *
   * When the device is lost, the CPU makes that frame and those to come, with a warning on the bus; otherwise it is an
   * error.
   *
   * Since: 0.1
   */
  properties[kPropFallback] =
      g_param_spec_boolean("fallback", "Fallback", "Go on with the CPU when the device is lost", TRUE, fixed);
  /**
   * GstCocoUpscale:verify:
   *
   * Every so many frames the frame is made once more, by the CPU if a Vulkan device made it and the other way round,
   * and compared. The first tile of 64 x 64 samples that differs is posted as an element message,
   * cocoupscale-difference: frame, plane, x and y of the tile, samples that differ, the largest difference, path and
   * other-path. Integer models never differ; floats do, by a step here and there. 0: no frame.
   *
   * Since: 0.1
   */
  properties[kPropVerify] = g_param_spec_uint(
      "verify", "Verify", "Compare every so many frames with what the other device makes of them (0 = none)", 0,
      G_MAXUINT, 0, fixed);
  /**
   * GstCocoUpscale:threads:
   *
   * Threads used at most; 0 takes every core the process may use.
   *
   * Since: 0.1
   */
  properties[kPropThreads] =
      g_param_spec_uint("threads", "Threads", "Threads used at most (0 = all cores allowed)", 0, kMaxThreads, 0, fixed);
  /**
   * GstCocoUpscale:reuse:
   *
   * Parts of the picture whose input is that of the frame before keep their pixels. Exact: the result is the same.
   * Costs memory for one input and one output luma plane.
   *
   * Since: 0.1
   */
  properties[kPropReuse] =
      g_param_spec_boolean("reuse", "Reuse", "Keep what stands still instead of computing it again", TRUE, fixed);
  /**
   * GstCocoUpscale:tune:
   *
   * Measures which plan is fastest for this model and these sizes when the user's cache does not know it yet, which
   * delays the first frame by about two seconds. What `cocopipe tune-device` has found is used without it. The pixels
   * stay the same.
   *
   * Since: 0.1
   */
  properties[kPropTune] = g_param_spec_boolean(
      "tune", "Tune", "Find the fastest plan first where it is not known, about two seconds", FALSE, fixed);
  /**
   * GstCocoUpscale:reused:
   *
   * Share of the last frame that was kept, 0 to 1.
   *
   * Since: 0.1
   */
  properties[kPropReused] =
      g_param_spec_double("reused", "Reused", "Share of the last frame that was kept", 0, 1, 0, shown);
  /**
   * GstCocoUpscale:active-model:
   *
   * The name in the loaded model's card; empty before the element is paused.
   *
   * Since: 0.1
   */
  properties[kPropActiveModel] =
      g_param_spec_string("active-model", "Active model", "The loaded model's own name", "", shown);
  /**
   * GstCocoUpscale:active-path:
   *
   * How frames are made: "passthrough", or device and instruction set such as "cpu:AVX2".
   *
   * Since: 0.1
   */
  properties[kPropActivePath] = g_param_spec_string(
      "active-path", "Active path", "How frames are made: passthrough, or device and instruction set", "", shown);
  /**
   * GstCocoUpscale:frames-processed:
   *
   * Frames upscaled since the element was paused.
   *
   * Since: 0.1
   */
  properties[kPropFramesProcessed] = g_param_spec_uint64(
      "frames-processed", "Frames processed", "Frames upscaled since the element started", 0, G_MAXUINT64, 0, shown);
  g_object_class_install_properties(object_class, kPropCount, properties);
}

}  // namespace coco::plugins
