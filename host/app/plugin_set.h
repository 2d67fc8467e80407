// The plugins of the configuration: accepted as subscribers, loaded, attached to the engine, changed by a reload.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/host_control.h"
#include "app/new_subscriber.h"
#include "app/prepared_plugin.h"
#include "app/stop_request.h"
#include "config/config.h"
#include "plugins/crash_watch.h"
#include "plugins/instance_subscriber.h"

namespace hookhost::app {

// A plugin that does not run as the configuration says. `why` begins with its place there, and says whether an old one goes on.
struct PluginFailure {
  Error why;
  bool required = false;
};

// Whose starts apply() waits for, which go on on other threads.
enum class Await : std::uint8_t { required, all };

class PluginSet {
 public:
  // `stop` outlives the engine.
  PluginSet(delivery::Engine& engine, state::DeliveryStore& store, std::string private_directory, const Clock& clock, StopRequest& stop)
      : engine_(engine), store_(store), private_directory_(std::move(private_directory)), clock_(clock), stop_(stop) {}

  // What is known of them before any is started: all that a command without a host can say.
  [[nodiscard]] Result<> load(const config::Config& config);

  // Who knows which plugins ended the host again and again: apply() does not start them, but tries them again once they failed for that.
  void watch_with(plugins::CrashWatch* watch) { watch_ = watch; }

  using Prepared = std::map<std::string, PreparedPlugin>;
  // The plugins that differ from `before`, read and checked; apply() takes them, so that what was checked is what runs. Error: the first that
  // would not be taken, as prepare_plugin() says it.
  [[nodiscard]] Result<Prepared> prepare(const config::Config& config, const std::map<std::string, config::Plugin>& before) const;

  // Those of `config`, when accept() would take them all. Error: as judge().
  [[nodiscard]] Result<std::vector<Acceptable>> may_accept(const config::Config& config);
  // Gives new ones their positions, before any of their code runs; `held` gets a line for each that is held though its start_at does not say so.
  [[nodiscard]] Result<> accept(const std::vector<Acceptable>& all, std::vector<std::string>& held);

  // Makes what runs what `config` says: `before` tells what has not changed. What is not among `prepared` is prepared now; what failed is tried
  // again. The answer: those that failed, as far as it was waited for. Where an instance ran and the new one, or the running one that was offered
  // its changed `config:`, refuses for good, the old one goes on; else the position stands. A stop ends the waiting, not the starts. Error: of the engine.
  [[nodiscard]] Result<std::vector<PluginFailure>> apply(const config::Config& config, const std::map<std::string, config::Plugin>& before, Duration drain,
                                                         Await await, Prepared prepared = {});

  [[nodiscard]] std::vector<api::PluginInfo> info() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<plugins::PluginMetrics::Sample>>> metrics() const;

 private:
  // What was brought up under a name.
  struct Instance {
    std::weak_ptr<plugins::PluginSubscriber> subscriber;
    config::Plugin plugin;
    delivery::SubscriberOptions options;
    std::shared_ptr<plugins::PluginHealth> health;
    api::PluginInfo info;
  };
  // A start under way, and what it replaces.
  struct Start {
    const config::Plugin* plugin = nullptr;
    std::future<Result<>> end;
    Instance before;
    std::shared_ptr<plugins::PluginSubscriber> kept;  // of `before`; null: nothing ran
  };

  // nullopt: the running instance took it. Error: it is not brought up, and what ran runs.
  [[nodiscard]] Result<std::optional<Start>> bring_up(const config::Plugin& plugin, Prepared& prepared, const std::string& config_dir, Duration drain);
  [[nodiscard]] Result<bool> offer_config(const config::Plugin& plugin, const PreparedPlugin& prepared, Duration patience);
  [[nodiscard]] Result<Start> replace(const config::Plugin& plugin, PreparedPlugin prepared, const std::string& config_dir, Duration drain);
  [[nodiscard]] Result<std::future<Result<>>> start(delivery::SubscriberOptions options, std::shared_ptr<plugins::PluginSubscriber> subscriber, Duration drain);
  [[nodiscard]] Result<> end_of(std::future<Result<>>& start, MonotonicTime until);
  [[nodiscard]] Result<std::optional<PluginFailure>> settle(Start& start, MonotonicTime until, Duration drain);
  [[nodiscard]] Result<PluginFailure> not_brought_up(const config::Plugin& plugin, Error why, Duration drain);
  [[nodiscard]] std::string for_answers(const config::Plugin& plugin, const std::string& message) const;
  [[nodiscard]] Error stays_in_force(const config::Plugin& plugin, Error why);
  void describe_as(const config::Plugin& plugin, const char* state, const std::string& error = {});
  [[nodiscard]] std::shared_ptr<plugins::PluginSubscriber> running(const std::string& name) const;
  [[nodiscard]] bool wants_another_try(const std::string& name) const;
  [[nodiscard]] Result<> check_held_back(const config::Plugin& plugin);

  delivery::Engine& engine_;
  state::DeliveryStore& store_;
  const std::string private_directory_;
  const Clock& clock_;
  StopRequest& stop_;
  plugins::CrashWatch* watch_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, api::PluginInfo> info_;
  std::map<std::string, std::shared_ptr<plugins::PluginMetrics>> metrics_;
  std::map<std::string, Instance> instances_;
};

}  // namespace hookhost::app
