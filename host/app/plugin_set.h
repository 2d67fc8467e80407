// The plugins of the configuration: accepted as subscribers, loaded, attached to the engine, changed by a reload.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "api/host_control.h"
#include "config/config.h"
#include "plugins/instance_subscriber.h"
#include "plugins/library.h"

namespace hookhost::app {

class PluginSet {
 public:
  PluginSet(delivery::Engine& engine, state::DeliveryStore& store, std::string private_directory, const Clock& clock)
      : engine_(engine), store_(store), private_directory_(std::move(private_directory)), clock_(clock) {}

  // Makes what runs what `plugins` says: `before` tells what has not changed. A plugin that fails is reported and its position stands.
  // Error: only of one that is `required`.
  [[nodiscard]] Result<> apply(const config::Config& config, const std::map<std::string, config::Plugin>& before, Duration drain);

  [[nodiscard]] std::vector<api::PluginInfo> info() const;
  [[nodiscard]] std::vector<std::pair<std::string, std::vector<plugins::PluginMetrics::Sample>>> metrics() const;

 private:
  [[nodiscard]] Result<> bring_up(const config::Plugin& plugin, const std::string& config_dir, Duration drain);

  delivery::Engine& engine_;
  state::DeliveryStore& store_;
  const std::string private_directory_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, api::PluginInfo> info_;
  std::map<std::string, std::shared_ptr<plugins::PluginMetrics>> metrics_;
};

// The engine's options of one plugin, from what the configuration says and what the library declares. Error: invalid_config, naming both
// sides: narrowing to nothing, weaker order, concurrency without the flag.
[[nodiscard]] Result<delivery::SubscriberOptions> subscriber_options(const config::Plugin& plugin, const plugins::LibraryInfo& library);
[[nodiscard]] Result<std::uint32_t> concurrency_of(const config::Plugin& plugin, const plugins::LibraryInfo& library);

}  // namespace hookhost::app
