// A plugin in the host's own process as a delivery::Subscriber (isolation: none): its threads, its queue, its instance. A worker process will
// implement the same interface, and delivery will not notice.
#pragma once

#include <memory>

#include "delivery/subscriber.h"
#include "plugins/instance_settings.h"
#include "plugins/library.h"

namespace hookhost::plugins {

struct SubscriberSettings {
  InstanceSettings instance;
  std::uint32_t concurrency = 1;
  std::uint32_t max_in_flight = 64;
  std::shared_ptr<PluginHealth> health;  // null: it is not asked
  Duration health_interval = std::chrono::seconds{10};
};

class PluginSubscriber : public delivery::Subscriber {
 public:
  // Offers a changed configuration to the running instance, between its calls; later instances get it, too. False: a new instance is needed (the
  // plugin cannot, or none runs, or it did not come to it in time). Error: invalid_config: the plugin refuses, the old one stays in force.
  // Threads: every one but the instance's own. Blocks until it has answered, `patience` at most.
  [[nodiscard]] virtual Result<bool> reconfigure(const std::string& config, Duration patience) = 0;
};

[[nodiscard]] std::unique_ptr<PluginSubscriber> make_subscriber(std::shared_ptr<const Library> library, SubscriberSettings settings,
                                                                    std::shared_ptr<PluginMetrics> metrics, const Clock& clock);

}  // namespace hookhost::plugins
