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

[[nodiscard]] std::unique_ptr<delivery::Subscriber> make_subscriber(std::shared_ptr<const Library> library, SubscriberSettings settings,
                                                                    std::shared_ptr<PluginMetrics> metrics, const Clock& clock);

}  // namespace hookhost::plugins
