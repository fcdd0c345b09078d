#include "pipelines/loader/output_files.h"

#include "pipelines/loader/gst_handle.h"

namespace coco::loader {
namespace fs = std::filesystem;

OutputFiles::OutputFiles(GstElement* pipeline) {
  GstIterator* sinks = gst_bin_iterate_all_by_element_factory_name(GST_BIN(pipeline), "filesink");
  GValue item = G_VALUE_INIT;
  while (gst_iterator_next(sinks, &item) == GST_ITERATOR_OK) {
    add(GST_ELEMENT(g_value_get_object(&item)));
    g_value_reset(&item);
  }
  g_value_unset(&item);
  gst_iterator_free(sinks);
}

void OutputFiles::add(GstElement* sink) {
  gchar* location = nullptr;
  gboolean append = FALSE;
  g_object_get(sink, "location", &location, "append", &append, nullptr);
  const GText owned(location);
  if (location == nullptr || append) return;  // appending keeps what was there
  std::error_code ignored;
  const fs::file_status status = fs::status(location, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) return;  // a device or a pipe
  outputs_.push_back({location, look(location)});
}

std::optional<OutputFiles::State> OutputFiles::look(const fs::path& path) {
  std::error_code failed;
  const fs::file_time_type time = fs::last_write_time(path, failed);
  if (failed) return std::nullopt;
  const uintmax_t size = fs::file_size(path, failed);
  if (failed) return std::nullopt;
  return State{time, size};
}

void OutputFiles::remove_written() const {
  for (const Output& output : outputs_) {
    const std::optional<State> now = look(output.path);
    if (!now || now == output.before) continue;
    std::error_code ignored;
    fs::remove(output.path, ignored);
  }
}

}  // namespace coco::loader
