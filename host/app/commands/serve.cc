#include <CLI/CLI.hpp>
#include <atomic>
#include <boost/json.hpp>
#include <chrono>
#include <csignal>
#include <future>
#include <memory>
#include <sstream>
#include <thread>

#include "app/command.h"
#include "app/config_check.h"
#include "app/host.h"
#include "app/version.h"
#include "base/diagnostics.h"
#include "base/printable.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

// Signals are taken by one thread that waits for them; every other thread has them blocked from the start.
sigset_t block_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int one : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, one);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  return set;
}

void reload(Host& host) {
  std::vector<std::string> paths;
  const auto report = host.apply_file(false, paths);
  if (!report) return diagnose(Level::error, "app", "reload: " + report.error().message);
  for (const auto& change : report.value().changes) diagnose(Level::info, "app", change);
  for (const auto& key : report.value().needs_restart) diagnose(Level::warn, "app", key + ": changed, needs restart");
  for (const auto& failure : report.value().failed) diagnose(Level::error, "app", "reload: " + failure);
}

// Takes them as long as it lives. Before there is a host, they end the process: recovery may take long, and a kill amid it harms nothing. Then a stop
// is asked for, a reload begun.
class SignalThread {
 public:
  explicit SignalThread(const sigset_t& signals) : thread_([this, signals] { run(signals); }) {}
  // `host` outlives this.
  void give(Host& host) { host_ = &host; }
  // What of reloads was asked for until now is done.
  void started() {
    started_ = true;
    if (reload_waits_.exchange(false)) pthread_kill(thread_.native_handle(), SIGHUP);
  }
  ~SignalThread() {
    ends_ = true;
    pthread_kill(thread_.native_handle(), SIGTERM);  // it may still wait
    thread_.join();
  }
  SignalThread(const SignalThread&) = delete;
  SignalThread& operator=(const SignalThread&) = delete;

 private:
  void run(const sigset_t& signals) {
    std::future<void> reloading;  // on a thread of its own, for a stop does not wait for its starts
    int signal = 0;
    while (sigwait(&signals, &signal) == 0) {
      if (signal != SIGHUP) break;
      // Order: said before the look, as in started(): one of the two sees what the other said.
      reload_waits_ = true;
      if (!started_ || !reload_waits_.exchange(false)) continue;
      if (reloading.valid() && reloading.wait_for(std::chrono::seconds{0}) != std::future_status::ready) {
        diagnose(Level::error, "app", "a reload is under way; send SIGHUP again when it has ended");
      } else {
        reloading = std::async(std::launch::async, [host = host_.load()] { reload(*host); });
      }
    }
    if (Host* const host = host_) return host->request_stop();
    if (!ends_) end_by(signal);
  }

  static void end_by(int number) {
    std::signal(number, SIG_DFL);
    sigset_t one;
    sigemptyset(&one);
    sigaddset(&one, number);
    pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
    std::raise(number);
    std::_Exit(128 + number);  // as process 1, of a container, it has no default to end by
  }

  std::atomic<Host*> host_{nullptr};
  std::atomic<bool> started_{false}, reload_waits_{false}, ends_{false};
  std::thread thread_;  // last: it starts when everything else is there
};

void tell_ready(Host& host) {
  const auto ready = host.ready();
  diagnose(ready ? Level::info : Level::error, "app",
           std::string("hookhost ") + kVersion + (ready ? " is ready" : " runs, but refuses events: " + ready.error().message),
           {{"public_port", host.public_port()}, {"admin_port", host.admin_port()}});
}

CommandResult serve(Context& context, const HostOptions& options) {
  std::unique_ptr<Host> host;
  SignalThread taking(block_signals());  // Order: before any other thread; it ends before the host does
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  HOOKHOST_TRY(auto config, config::load(path, {}));
  HOOKHOST_TRY(const Level level, parse_level(config.diagnostics.level));
  configure_diagnostics({level, config.diagnostics.format == "json"});
  for (const auto& warning : config.warnings) diagnose(Level::warn, "config", warning);
  for (const auto& warning : warnings_of(config)) diagnose(Level::warn, "config", warning);
  HOOKHOST_CHECK(check_config(config));
  HOOKHOST_TRY(host, Host::open(std::move(config), options));
  taking.give(*host);  // Order: before the plugins' starts, which a stop does not wait for
  HOOKHOST_CHECK(host->serve());
  taking.started();
  if (host->listens()) tell_ready(*host);
  const int status = host->wait();
  diagnose(Level::info, "app", "stopped");
  return status;
}

void add_lines(const std::string& text, std::vector<std::string>& out) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) out.push_back(line);
}

// All that `serve` would stumble over, as far as it can be seen from here.
std::vector<std::string> problems_of_all(const config::Config& config) {
  std::vector<std::string> out;
  for (const auto& [name, plugin] : config.plugins) {
    if (!plugin.enabled) continue;
    if (const auto prepared = prepare_plugin(plugin, os::join(config.data_dir, "plugins")); !prepared) add_lines(prepared.error().message, out);
  }
  for (const auto& problems : {problems_of(config), problems_of_stores(config)}) {
    for (const std::string& problem : problems) add_lines(problem, out);
  }
  return out;
}

CommandResult check(Context& context) {
  HOOKHOST_TRY(const std::string path, config::find_config(context.config_path));
  const auto loaded = config::load(path, {});
  if (!loaded && loaded.error().code != ErrorCode::invalid_config) return fail(loaded.error());
  std::vector<std::string> problems;
  if (loaded) {
    problems = problems_of_all(loaded.value());
  } else {
    add_lines(loaded.error().message, problems);
  }
  const auto tell = [&](const char* member, const std::string& line, const char* before) {
    if (context.json) {
      context.out << json::object{{member, line}} << '\n';
    } else {
      context.err << before << printable(line) << '\n';
    }
  };
  if (loaded) {
    for (const auto& warning : loaded.value().warnings) tell("warning", warning, "warning: ");
    for (const auto& warning : warnings_of(loaded.value())) tell("warning", warning, "warning: ");
  }
  for (const std::string& problem : problems) tell("problem", problem, "");
  if (!problems.empty()) return 1;
  const config::Config& config = loaded.value();
  if (context.json) {
    context.out << json::object{{"file", path}, {"sources", config.sources.size()}, {"plugins", config.plugins.size()}, {"endpoints", config.endpoints.size()}} << '\n';
  } else {
    context.out << path << ": " << config.sources.size() << " sources, " << config.plugins.size() << " plugins, " << config.endpoints.size()
                << " endpoints; no problem found\n";
  }
  return 0;
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
