// The plugins of the configuration: accepted as subscribers, loaded, attached to the engine, changed by a reload.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/host_control.h"
#include "config/config.h"
#include "plugins/crash_watch.h"
#include "plugins/instance_subscriber.h"
#include "plugins/library.h"

namespace hookhost::app {

// A plugin whose file, options and config were found good. Nothing of it runs yet but its library's entry.
struct PreparedPlugin {
  std::shared_ptr<const plugins::Library> library;
  delivery::SubscriberOptions options;
  std::uint32_t concurrency = 1;
};
// `private_directory`: where the copy is loaded from. The error begins with the plugin's place in the configuration.
[[nodiscard]] Result<PreparedPlugin> prepare_plugin(const config::Plugin& plugin, const std::string& private_directory);

class PluginSet {
 public:
  PluginSet(delivery::Engine& engine, state::DeliveryStore& store, std::string private_directory, const Clock& clock)
      : engine_(engine), store_(store), private_directory_(std::move(private_directory)), clock_(clock) {}

  // What is known of them before any is started: all that a command without a host can say.
  [[nodiscard]] Result<> load(const config::Config& config);

  // Who knows which plugins ended the host again and again: apply() does not start them, but tries them again once they failed for that.
  void watch_with(plugins::CrashWatch* watch) { watch_ = watch; }

  using Prepared = std::map<std::string, PreparedPlugin>;
  // The plugins that differ from `before`, read and checked; apply() takes them, so that what was checked is what runs. Error: the first that
  // would not be taken, as prepare_plugin() says it.
  [[nodiscard]] Result<Prepared> prepare(const config::Config& config, const std::map<std::string, config::Plugin>& before) const;

  // Gives new ones their positions, before any of their code runs. Error: a start_at that cannot be.
  [[nodiscard]] Result<> accept(const config::Config& config);

  // Makes what runs what `config` says: `before` tells what has not changed. What is not among `prepared` is prepared now; what failed is tried
  // again. A plugin that fails is reported and its position stands; one that refuses a changed `config:` goes on with the old one, which is
  // reported, too. Error: only of one that is `required` and fails.
  [[nodiscard]] Result<> apply(const config::Config& config, const std::map<std::string, config::Plugin>& before, Duration drain, Prepared prepared = {});

  [[nodiscard]] std::vector<api::PluginInfo> info() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<plugins::PluginMetrics::Sample>>> metrics() const;

 private:
  enum class Offered : std::uint8_t { taken, not_taken, refused };
  void describe(const config::Plugin& plugin, const plugins::LibraryInfo& declared);
  [[nodiscard]] Result<> bring_up(const config::Plugin& plugin, PreparedPlugin prepared, const std::string& config_dir, Duration drain);
  [[nodiscard]] Offered offer_config(const config::Plugin& plugin, const config::Plugin* before, const PreparedPlugin& prepared, Duration patience);
  void describe_as(const config::Plugin& plugin, const char* state);
  void failed(const std::string& name, const std::string& why);
  [[nodiscard]] bool wants_another_try(const std::string& name) const;
  [[nodiscard]] Result<> check_held_back(const config::Plugin& plugin);
  [[nodiscard]] Result<> started(const std::string& name) const;

  delivery::Engine& engine_;
  state::DeliveryStore& store_;
  const std::string private_directory_;
  const Clock& clock_;
  plugins::CrashWatch* watch_ = nullptr;
  mutable std::mutex mutex_;
  std::map<std::string, api::PluginInfo> info_;
  std::map<std::string, std::shared_ptr<plugins::PluginMetrics>> metrics_;
  std::map<std::string, std::shared_ptr<plugins::PluginHealth>> health_;
  std::map<std::string, std::weak_ptr<plugins::PluginSubscriber>> running_;
};

// The engine's options of one plugin, from what the configuration says and what the library declares. Error: invalid_config, naming both
// sides: narrowing to nothing, weaker order, concurrency without the flag.
[[nodiscard]] Result<delivery::SubscriberOptions> subscriber_options(const config::Plugin& plugin, const plugins::LibraryInfo& library);
[[nodiscard]] Result<std::uint32_t> concurrency_of(const config::Plugin& plugin, const plugins::LibraryInfo& library);

}  // namespace hookhost::app
