#include "plugins/support/video_pool.h"

#include <gst/video/gstvideometa.h>
#include <gst/video/gstvideopool.h>
#include <gst/video/video.h>

#include <algorithm>

#include "coco/buffer.h"

namespace coco::plugins {
namespace {

struct PoolRequest {
  GstCaps* caps = nullptr;
  guint size = 0, min = 0, max = 0;
  GstAllocator* allocator = nullptr;
  GstAllocationParams params{};
  bool video_meta = false;
};

GstVideoAlignment video_alignment() {
  GstVideoAlignment alignment;
  gst_video_alignment_reset(&alignment);
  for (guint& align : alignment.stride_align) align = kBufferAlignment - 1;
  return alignment;
}

void raise(GstAllocationParams& params) {
  params.align = std::max<gsize>(params.align, kBufferAlignment - 1);
  params.padding = std::max<gsize>(params.padding, kReadPadding);
}

/// False when the pool refuses the configuration.
bool configure(GstBufferPool* pool, const PoolRequest& request, bool aligned) {
  GstStructure* config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_set_params(config, request.caps, request.size, request.min, request.max);
  gst_buffer_pool_config_set_allocator(config, request.allocator, &request.params);
  if (request.video_meta && gst_buffer_pool_has_option(pool, GST_BUFFER_POOL_OPTION_VIDEO_META)) {
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    if (aligned) {
      GstVideoAlignment alignment = video_alignment();
      gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
      gst_buffer_pool_config_set_video_alignment(config, &alignment);
    }
  }
  if (gst_buffer_pool_set_config(pool, config)) return true;
  // The pool may have changed the configuration to one it can do; take that if it still fits.
  config = gst_buffer_pool_get_config(pool);
  if (!gst_buffer_pool_config_validate_params(config, request.caps, request.size, request.min, request.max)) {
    gst_structure_free(config);
    return false;
  }
  return gst_buffer_pool_set_config(pool, config);
}

/// The buffer size the pool settled on; alignment makes it larger than the caps' own.
guint configured_size(GstBufferPool* pool) {
  GstStructure* config = gst_buffer_pool_get_config(pool);
  guint size = 0;
  gst_buffer_pool_config_get_params(config, nullptr, &size, nullptr, nullptr);
  gst_structure_free(config);
  return size;
}

bool picture_size(GstCaps* caps, guint& size) {
  GstVideoInfo info;
  if (!caps || !gst_video_info_from_caps(&info, caps)) return false;
  size = static_cast<guint>(GST_VIDEO_INFO_SIZE(&info));
  return true;
}

}  // namespace

bool propose_video_pool(GstQuery* query) {
  PoolRequest request;
  gboolean need_pool = FALSE;
  gst_query_parse_allocation(query, &request.caps, &need_pool);
  if (!picture_size(request.caps, request.size)) return false;
  gst_allocation_params_init(&request.params);
  raise(request.params);
  request.video_meta = true;
  if (need_pool) {
    GstBufferPool* pool = gst_video_buffer_pool_new();
    const bool configured = configure(pool, request, true);
    if (configured) gst_query_add_allocation_pool(query, pool, configured_size(pool), 0, 0);
    gst_object_unref(pool);
    if (!configured) return false;
  } else {
    gst_query_add_allocation_pool(query, nullptr, request.size, 0, 0);
  }
  gst_query_add_allocation_param(query, nullptr, &request.params);
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  return true;
}

bool decide_video_pool(GstQuery* query) {
  PoolRequest request;
  gst_query_parse_allocation(query, &request.caps, nullptr);
  guint needed = 0;
  if (!picture_size(request.caps, needed)) return false;
  request.video_meta = gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  const bool has_params = gst_query_get_n_allocation_params(query) > 0;
  if (has_params) {
    gst_query_parse_nth_allocation_param(query, 0, &request.allocator, &request.params);
  } else {
    gst_allocation_params_init(&request.params);
  }
  raise(request.params);

  GstBufferPool* pool = nullptr;
  const bool has_pool = gst_query_get_n_allocation_pools(query) > 0;
  if (has_pool) gst_query_parse_nth_allocation_pool(query, 0, &pool, &request.size, &request.min, &request.max);
  request.size = std::max(request.size, needed);
  if (pool && !configure(pool, request, false)) g_clear_pointer(&pool, gst_object_unref);
  if (!pool) {
    pool = gst_video_buffer_pool_new();
    request.size = needed;
    request.max = 0;
    g_clear_pointer(&request.allocator, gst_object_unref);
    if (!configure(pool, request, true)) g_clear_pointer(&pool, gst_object_unref);
  }
  if (pool) {
    request.size = configured_size(pool);
    if (has_params) {
      gst_query_set_nth_allocation_param(query, 0, request.allocator, &request.params);
    } else {
      gst_query_add_allocation_param(query, request.allocator, &request.params);
    }
    if (has_pool) {
      gst_query_set_nth_allocation_pool(query, 0, pool, request.size, request.min, request.max);
    } else {
      gst_query_add_allocation_pool(query, pool, request.size, request.min, request.max);
    }
  }
  g_clear_pointer(&request.allocator, gst_object_unref);
  const bool decided = pool != nullptr;
  g_clear_pointer(&pool, gst_object_unref);
  return decided;
}

}  // namespace coco::plugins
