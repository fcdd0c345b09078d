#include <cstdio>
#include <memory>

#include "apps/cocopipe-tune/command.h"
#include "apps/cocopipe-tune/job_report.h"

namespace coco::jobs {
namespace {

struct Options {
  std::string job, out = "runs/report";
  std::vector<std::string> runs, settings;
};

Status run_report(const Options& options) {
  const bool given = !options.job.empty();
  COCO_ASSIGN(const JobTree tree, given ? read_job_tree(options.job, options.settings)
                                        : parse_job_tree("title: Report\n", "--set", options.settings));
  COCO_ASSIGN(tune::ReportRequest request, read_report_job(tree, options.runs));
  request.out = options.out;
  COCO_ASSIGN(const std::vector<std::string> files, tune::write_report(request));
  for (const std::string& file : files) std::printf("wrote %s\n", file.c_str());
  return {};
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  CLI::App* command = app.add_subcommand("report", "Write a page with plots and pictures of what was trained");
  command->add_option("job", options->job, "The job file (YAML); docs/tune.md lists its keys");
  command->add_option("--runs", options->runs, "Folder of a training run or a search, or of such folders; repeatable")
      ->allow_extra_args(false);
  command->add_option("--out", options->out, "Folder for index.html and the PNG files")->capture_default_str();
  command->add_option("--set", options->settings, "KEY=VALUE instead of the file's, for example crop=200")
      ->allow_extra_args(false);
  command->footer("Example: cocopipe-tune report configs/tune/report/ladder.yaml --runs runs --out runs/report");
  command->callback([options, &action] { action = [options] { return run_report(*options); }; });
}

}  // namespace coco::jobs
