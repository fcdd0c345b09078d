#include "plugins/support/size_caps.h"

#include <algorithm>
#include <cmath>

namespace coco::plugins {
namespace {

struct Fraction {
  int numerator = 1;
  int denominator = 1;
  double value() const { return static_cast<double>(numerator) / denominator; }
};

struct Size {
  int width = 0;
  int height = 0;
};

/// The value nearest to `wanted` that `field` of `structure` allows; `wanted` itself when there is no such field.
int nearest(const GstStructure* structure, const char* field, double wanted) {
  const int target = static_cast<int>(std::clamp(std::round(wanted), 1.0, static_cast<double>(G_MAXINT)));
  if (!gst_structure_has_field(structure, field)) return target;
  GstStructure* copy = gst_structure_copy(structure);
  gst_structure_fixate_field_nearest_int(copy, field, target);
  int value = target;
  gst_structure_get_int(copy, field, &value);
  gst_structure_free(copy);
  return value;
}

Fraction nearest(const GstStructure* structure, const char* field, Fraction wanted) {
  if (!gst_structure_has_field(structure, field)) return wanted;
  GstStructure* copy = gst_structure_copy(structure);
  gst_structure_fixate_field_nearest_fraction(copy, field, wanted.numerator, wanted.denominator);
  Fraction value = wanted;
  gst_structure_get_fraction(copy, field, &value.numerator, &value.denominator);
  gst_structure_free(copy);
  return value;
}

/// Pixels by which a size misses the ratio width / height, taken along the side where it is the smaller miss.
double miss(Size size, double ratio) {
  return std::min(std::abs(size.width - size.height * ratio), std::abs(size.height - size.width / ratio));
}

Size choose_size(const GstStructure* open, double width, double height, double ratio) {
  Size by_height{0, nearest(open, "height", height)};
  by_height.width = nearest(open, "width", by_height.height * ratio);
  Size by_width{nearest(open, "width", width), 0};
  by_width.height = nearest(open, "height", by_width.width / ratio);
  // Within a pixel both keep the shape; then the height decides, as it does for people.
  const double miss_by_height = miss(by_height, ratio), miss_by_width = miss(by_width, ratio);
  return miss_by_height < 1 || miss_by_height <= miss_by_width ? by_height : by_width;
}

/// in_width * par_in / in_height == width * result / height
Fraction exact_aspect(Size in, Fraction par_in, Size out) {
  Fraction shape, result;
  if (gst_util_fraction_multiply(in.width, in.height, par_in.numerator, par_in.denominator, &shape.numerator,
                                 &shape.denominator) &&
      gst_util_fraction_multiply(shape.numerator, shape.denominator, out.height, out.width, &result.numerator,
                                 &result.denominator)) {
    return result;
  }
  const double value = par_in.value() * in.width / in.height * out.height / out.width;
  gst_util_double_to_fraction(value, &result.numerator, &result.denominator);
  return result;
}

}  // namespace

GstCaps* any_size_caps(const GstCaps* caps, int max_size) {
  GstCaps* out = gst_caps_new_empty();
  for (guint i = 0; i < gst_caps_get_size(caps); ++i) {
    const GstCapsFeatures* features = gst_caps_get_features(caps, i);
    if (!gst_caps_features_is_equal(features, GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY)) continue;
    GstStructure* structure = gst_structure_copy(gst_caps_get_structure(caps, i));
    gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, max_size, "height", GST_TYPE_INT_RANGE, 1, max_size,
                      nullptr);
    if (gst_structure_has_field(structure, "pixel-aspect-ratio")) {
      gst_structure_set(structure, "pixel-aspect-ratio", GST_TYPE_FRACTION_RANGE, 1, G_MAXINT, G_MAXINT, 1, nullptr);
    }
    out = gst_caps_merge_structure(out, structure);
  }
  return out;
}

GstCaps* fixate_size(const GstCaps* known, GstCaps* open, double scale, bool* distorted) {
  *distorted = false;
  open = gst_caps_make_writable(gst_caps_truncate(open));
  GstStructure* structure = gst_caps_get_structure(open, 0);
  const GstStructure* from = gst_caps_get_structure(known, 0);
  Size in;
  if (!gst_structure_get_int(from, "width", &in.width) || !gst_structure_get_int(from, "height", &in.height)) {
    return gst_caps_fixate(open);
  }
  Fraction par_in;
  gst_structure_get_fraction(from, "pixel-aspect-ratio", &par_in.numerator, &par_in.denominator);

  const char* const kAspect = "pixel-aspect-ratio";
  Fraction par = nearest(structure, kAspect, par_in);
  const double stretch = par_in.value() / par.value();
  const double ratio = stretch * in.width / in.height;
  const Size out = choose_size(structure, in.width * scale * stretch, in.height * scale, ratio);
  if (miss(out, ratio) >= 1) {
    const Fraction wanted = exact_aspect(in, par_in, out);
    par = nearest(structure, kAspect, wanted);
    *distorted = std::abs(par.value() / wanted.value() - 1) > 0.001;
  }
  gst_structure_set(structure, "width", G_TYPE_INT, out.width, "height", G_TYPE_INT, out.height, nullptr);
  if (gst_structure_has_field(structure, kAspect) || par.numerator != par.denominator) {
    gst_structure_set(structure, kAspect, GST_TYPE_FRACTION, par.numerator, par.denominator, nullptr);
  }
  return gst_caps_fixate(open);
}

}  // namespace coco::plugins
