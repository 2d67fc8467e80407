// A place in the event log as people name it, as the engine takes it.
#pragma once

#include "config/when.h"
#include "delivery/options.h"

namespace hookhost::api {

[[nodiscard]] inline delivery::StartAt start_at(const config::When& when, bool position_lost = false) {
  return {.kind = static_cast<delivery::StartAt::Kind>(when.kind), .offset = when.offset, .time = when.time, .age = when.age, .position_lost = position_lost};
}
static_assert(static_cast<int>(delivery::StartAt::Kind::hold) == static_cast<int>(config::When::Kind::hold) &&
              static_cast<int>(delivery::StartAt::Kind::age) == static_cast<int>(config::When::Kind::age));

}  // namespace hookhost::api
