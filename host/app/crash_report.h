// What the last life's crash means for this one.
#pragma once

#include "delivery/engine.h"
#include "plugins/crash_watch.h"

namespace hookhost::app {

// Says in the diagnostics how the last life ended, and counts it where it was an event's handling. Precondition: the subscribers are accepted and
// not attached. Error: delivery.db cannot be written.
[[nodiscard]] Result<> count_crash(const plugins::Crash& crash, delivery::Engine& engine);

}  // namespace hookhost::app
