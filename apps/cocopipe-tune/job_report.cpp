#include "apps/cocopipe-tune/job_report.h"

namespace coco::jobs {
namespace {

constexpr double kMostPsnr = 100, kMostWork = 1e12;

void finish_inner(MapReader& outer, MapReader& inner) {
  Status status = inner.finish();
  if (!status.ok()) outer.adopt(status.take_error());
}

tune::NetworkEntry read_network(const JobSource& source, const loader::YamlNode& node, MapReader& file) {
  MapReader reader(source, node, "a network");
  tune::NetworkEntry entry;
  reader.text("name", entry.name);
  reader.text("source", entry.source);
  reader.number("parameters", entry.parameters, 0, kMostWork);
  reader.number("macs", entry.macs, 0, kMostWork);
  if (entry.name.empty()) reader.fail(node.position, "a network needs a 'name:'");
  if (const loader::YamlNode* psnr = reader.map("psnr")) {
    MapReader sets(source, *psnr, "'psnr'");
    for (const char* set : {"set5", "set14", "b100", "urban100"}) {
      double value = 0;
      sets.number(set, value, 0, kMostPsnr);
      if (value > 0) entry.psnr[set] = value;
    }
    finish_inner(reader, sets);
  }
  finish_inner(file, reader);
  return entry;
}

}  // namespace

Status read_published(const std::string& path, std::vector<tune::NetworkEntry>& networks) {
  COCO_ASSIGN(const JobTree tree, read_job_tree(path, {}));
  MapReader reader(tree.source, tree.root, "the list");
  const loader::YamlNode* list = reader.list("networks");
  if (list == nullptr) {
    reader.fail(reader.position(), "no 'networks:'; it lists them");
    return reader.finish();
  }
  for (const loader::YamlNode& node : list->items) {
    if (node.kind != loader::YamlNode::Kind::kMap) {
      reader.fail(node.position, "a network must be a mapping");
      break;
    }
    networks.push_back(read_network(tree.source, node, reader));
  }
  return reader.finish();
}

Result<tune::ReportRequest> read_report_job(const JobTree& tree, const std::vector<std::string>& runs) {
  MapReader reader(tree.source, tree.root, "the job");
  tune::ReportRequest request;
  std::vector<std::string> models, folders;
  std::string published;
  request.title = "Report";
  reader.text("title", request.title);
  reader.text("published", published);
  reader.texts("models", models);
  reader.texts("runs", folders);
  reader.texts("calibration", request.calibration);
  reader.texts("pictures", request.pictures);
  reader.whole("crop", request.crops.side, 16, 4096);
  reader.whole("enlarge", request.crops.enlarged, 1, 16);
  COCO_TRY(reader.finish());
  for (const std::string& path : models) COCO_TRY(tune::read_cards(path, request.networks));
  if (!published.empty()) COCO_TRY(read_published(published, request.networks));
  folders.insert(folders.end(), runs.begin(), runs.end());
  for (const std::string& folder : folders) COCO_TRY(tune::read_runs(folder, request.runs));
  return request;
}

}  // namespace coco::jobs
