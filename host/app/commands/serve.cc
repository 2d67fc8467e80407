#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <thread>

#include "app/command.h"
#include "app/host.h"
#include "app/version.h"
#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

// Signals are taken by one thread that waits for them; every other thread has them blocked from the start.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, one);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

void reload(Host& host) {
  const auto report = host.reload(false);
  if (!report) return diagnose(Level::error, "app", "reload: " + report.error().message);
  for (const auto& change : report.value().changes) diagnose(Level::info, "app", change);
  for (const auto& key : report.value().needs_restart) diagnose(Level::warn, "app", key + ": changed, needs restart");
}

CommandResult serve(Context& context, const HostOptions& options) {
  const sigset_t signals = block_signals();
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(auto config, config::load(path, {}));
  HOOKHOST_TRY(const Level level, parse_level(config.diagnostics.level));
  configure_diagnostics({level, config.diagnostics.format == "json"});
  for (const auto& warning : config.warnings) diagnose(Level::warn, "config", warning);
  HOOKHOST_TRY(auto host, Host::open(std::move(config), options));
  HOOKHOST_CHECK(host->serve());
  diagnose(Level::info, "app", std::string("hookhost ") + kVersion + " is ready", {{"public_port", host->public_port()}, {"admin_port", host->admin_port()}});
  std::thread waiter([&] {
    for (int signal = 0; sigwait(&signals, &signal) == 0;) {
      if (signal != SIGHUP) break;
      reload(*host);
    }
    host->request_stop();
  });
  const int status = host->wait();
  pthread_kill(waiter.native_handle(), SIGTERM);  // when the event log was poisoned it still waits
  waiter.join();
  diagnose(Level::info, "app", "stopped");
  return status;
}

CommandResult check(Context& context) {
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(const auto config, config::load(path, {}));
  for (const auto& warning : config.warnings) context.err << "warning: " << warning << '\n';
  int status = 0;
  for (const auto& [name, plugin] : config.plugins) {
    if (!plugin.enabled) continue;
    if (const auto prepared = prepare_plugin(plugin, os::join(config.data_dir, "plugins")); !prepared) {
      context.err << prepared.error().message << '\n';
      status = 1;
    }
  }
  for (const auto& [name, endpoint] : config.endpoints) {
    if (const auto good = check_endpoint(endpoint, config.endpoint_defaults); !good) {
      context.err << good.error().message << '\n';
      status = 1;
    }
  }
  if (status == 0) {
    context.out << path << ": " << config.sources.size() << " sources, " << config.plugins.size() << " plugins, " << config.endpoints.size()
                << " endpoints; no problem found\n";
  }
  return status;
}

}  // namespace

void add_serve(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("serve", "Receive webhooks and deliver events, until a signal ends it");
  auto options = std::make_shared<HostOptions>();
  command->add_flag("--accept-loss", options->accept_loss, "Go on although answered events are damaged; they stay reported");
  command->add_flag("--new-registry", options->new_registry, "Go on although registry.db is missing");
  command->callback([&, options] { chosen.run = [&, options] { return serve(context, *options); }; });
}

void add_check(CLI::App& root, Context& context, Chosen& chosen) {
  root.add_subcommand("check", "Read the configuration and the plugins and say what is wrong")->callback([&] {
    chosen.run = [&] { return check(context); };
  });
}

}  // namespace hookhost::app
