// One instance of a plugin that is handed test events, without a host around it: its kv lives in memory, and nothing is committed anywhere.
// Every step is waited for only so long: a plugin that does not come back is left where it is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "delivery/subscriber.h"
#include "plugins/instance_subscriber.h"

namespace hookhost::app {

class PluginTrial {
 public:
  struct Step {
    std::string outcome;  // a call's status; else ok or failed; "hangs": it did not come back, and nothing more can be asked of it
    std::string message;  // the plugin's; empty: none
    Duration took{};

    [[nodiscard]] bool good() const { return outcome == "ok" || outcome == "ignored"; }
  };

  // `patience`: a call's timeout, and how long the other steps are waited for.
  PluginTrial(std::shared_ptr<const plugins::Library> library, plugins::InstanceSettings instance, Duration patience, const Clock& clock);

  // In this order; after one that hangs, none.
  [[nodiscard]] Step start();
  [[nodiscard]] Step hand(const event_log::EventPtr& event);
  [[nodiscard]] Step checkpoint();
  [[nodiscard]] Step stop();

  // A thread is still inside the plugin: the process must end without running destructors beneath it.
  [[nodiscard]] bool hangs() const { return hangs_; }

 private:
  class Ear;
  class Kv;
  [[nodiscard]] Step failed(std::string message, MonotonicTime begun) const;
  [[nodiscard]] Step hung(const std::string& where, MonotonicTime begun);

  const std::shared_ptr<delivery::Subscriber> subscriber_;
  const Duration patience_;
  const Clock& clock_;
  const std::shared_ptr<Ear> ear_;
  const std::shared_ptr<Kv> kv_;
  std::uint64_t token_ = 0;
  std::uint64_t delivered_ = 0;
  std::vector<Offset> done_;  // what the next checkpoint covers
  bool hangs_ = false;
};

}  // namespace hookhost::app
