#include <CLI/CLI.hpp>
#include <boost/json.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "app/command.h"
#include "app/plugin_trial.h"
#include "app/prepared_plugin.h"
#include "app/test_events.h"
#include "app/text_option.h"
#include "base/pattern.h"
#include "os/scratch_directory.h"
#include "plugins/crash_watch.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

struct TestOptions {
  std::string which, config, data;
  std::vector<std::string> types;
};

// A library by its path; names of plugins have neither.
bool is_file(const std::string& which) { return which.find('/') != std::string::npos || which.ends_with(".so"); }

config::Plugin library_alone(const std::string& path) {
  config::Plugin out;
  out.library = os::absolute(path);
  out.name = os::file_name(path);
  if (out.name.ends_with(".so")) out.name.resize(out.name.size() - 3);
  out.place = out.library;
  return out;
}

struct Target {
  config::Plugin plugin;
  std::string config_dir;
};

Result<Target> find_target(const Context& context, const TestOptions& options) {
  Target out;
  if (is_file(options.which)) {
    if (!os::local_file_system().facts(options.which)) return fail(ErrorCode::not_found, "there is no file " + options.which);
    out = {library_alone(options.which), os::absolute(".")};
  } else {
    HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
    HOOKHOST_TRY(auto config, config::load(path, {.all = false, .plugin = options.config.empty() ? options.which : std::string()}));
    const auto found = config.plugins.find(options.which);
    if (found == config.plugins.end()) {
      return fail(ErrorCode::not_found, "there is no plugin '" + options.which + "' in the configuration; a library is named by its path: ./" + options.which + ".so");
    }
    out = {std::move(found->second), os::parent(config.file)};
  }
  if (options.config.empty()) return out;
  HOOKHOST_TRY(out.plugin.config_json, text_of_option(options.config));
  boost::system::error_code broken;
  const json::value parsed = json::parse(out.plugin.config_json, broken);
  if (broken || !parsed.is_object()) return fail(ErrorCode::usage, "--config wants a JSON object, or @FILE with one");
  return out;
}

Result<TestEvents> choose_events(const TestOptions& options, const std::vector<Pattern>& handed) {
  std::vector<Pattern> wanted;
  for (const std::string& type : options.types) {
    HOOKHOST_TRY(auto pattern, parse_pattern(type, true));
    wanted.push_back(std::move(pattern));
  }
  std::optional<std::string> body;
  if (!options.data.empty()) {
    HOOKHOST_TRY(body, text_of_option(options.data));
  }
  return test_events(handed, wanted, body, system_clock().wall());
}

// At once: what comes next may end the process.
bool print(const Context& context, const char* name, const std::string& type, const PluginTrial::Step& step) {
  const auto took_us = std::chrono::duration_cast<std::chrono::microseconds>(step.took).count();
  if (context.json) {
    const auto or_null = [](const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); };
    context.out << json::serialize(json::object{
        {"step", name}, {"type", or_null(type)}, {"outcome", step.outcome}, {"message", or_null(step.message)}, {"took_us", took_us}});
  } else {
    char columns[256];
    std::snprintf(columns, sizeof columns, "%-10s  %-30s  %-11s  %9.3f ms", name, type.empty() ? "-" : type.c_str(), step.outcome.c_str(), static_cast<double>(took_us) / 1000);
    context.out << columns << (step.message.empty() ? "" : "  ") << step.message;
  }
  context.out << std::endl;
  return step.good();
}

bool run(const Context& context, PluginTrial& trial, const std::vector<event_log::EventPtr>& events) {
  if (!print(context, "start", "", trial.start())) return false;
  bool good = true;
  for (const auto& event : events) {
    if (!trial.hangs()) good = print(context, "handle", event->type, trial.hand(event)) && good;
  }
  if (!trial.hangs()) good = print(context, "checkpoint", "", trial.checkpoint()) && good;
  if (!trial.hangs()) good = print(context, "stop", "", trial.stop()) && good;
  return good;
}

CommandResult test(const Context& context, const TestOptions& options) {
  std::unique_ptr<PluginTrial> trial;
  bool good = false;
  {
    HOOKHOST_TRY(Target target, find_target(context, options));
    HOOKHOST_TRY(const auto scratch, os::ScratchDirectory::make("hookhost-plugin-test"));
    HOOKHOST_TRY(auto watch, plugins::CrashWatch::open(os::join(scratch.path(), "CRASH")));
    watch.begin(true);
    auto loaded = prepare_plugin(target.plugin, os::join(scratch.path(), "plugins"));
    if (!loaded) return fail(ErrorCode::invalid_config, loaded.error().message);  // a verdict on the plugin, not on the command line
    PreparedPlugin& prepared = loaded.value();
    HOOKHOST_TRY(const auto chosen, choose_events(options, prepared.options.events));
    for (const std::string& type : chosen.without_example) {
      context.err << "hookhost: there is no example of " << type << "; --type TYPE --data JSON hands it one\n";
    }
    trial = std::make_unique<PluginTrial>(
        std::move(prepared.library),
        plugins::InstanceSettings{.name = target.plugin.name, .config = target.plugin.config_json, .config_dir = target.config_dir},
        target.plugin.timeout, system_clock());
    good = run(context, *trial, chosen.events);
  }
  if (!trial->hangs()) return good ? 0 : 1;
  context.err.flush();
  std::_Exit(1);
}

}  // namespace

void add_plugin_test(CLI::App& plugin, Context& context, Chosen& chosen) {
  CLI::App* command = plugin.add_subcommand(
      "test",
      "Hand a plugin example events, marked as a test, in this process: its kv lives in memory, and a running host's event log, positions and kv "
      "are not touched. The plugin's own effects (posts, files, databases) happen unless it looks at the mark");
  auto options = std::make_shared<TestOptions>();
  command->add_option("NAME|FILE.so", options->which, "A plugin of the configuration, or a library by its path")->required();
  command->add_option("--config", options->config, "Its config in place of the configuration's: a JSON object, or @FILE");
  command->add_option("--type", options->types, "Only this type or pattern, such as linkedin.message.*; may be repeated")->allow_extra_args(false);
  command->add_option("--data", options->data, "The body of the one event, in place of an example: JSON, or @FILE");
  command->callback([&, options] { chosen.run = [&, options] { return test(context, *options); }; });
}

}  // namespace hookhost::app
