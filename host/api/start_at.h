// A place in the event log as people name it, as the engine takes it.
#pragma once

#include "config/when.h"
#include "delivery/options.h"

namespace hookhost::api {

[[nodiscard]] inline delivery::StartAt start_at(const config::When& when, bool position_lost = false) {
  return {.kind = static_cast<delivery::StartAt::Kind>(when.kind), .offset = when.offset, .time = when.time, .age = when.age, .position_lost = position_lost};
}
// Error: usage, saying what was expected.
[[nodiscard]] inline Result<delivery::StartAt> place_of(std::string_view text) {
  HOOKHOST_TRY(const auto when, config::parse_when(text));
  return start_at(when);
}
// The same, as teams may name it: offsets count the events of all, and what is said of a wrong one tells how many there are.
[[nodiscard]] inline Result<delivery::StartAt> place_of_team(std::string_view text) {
  const auto when = config::parse_when(text);
  if (when && when.value().kind != config::When::Kind::offset) return start_at(when.value());
  return fail(ErrorCode::usage, "must be beginning, now, an age such as 2h, or a time such as 2026-11-23T09:30:00Z");
}
static_assert(static_cast<int>(delivery::StartAt::Kind::hold) == static_cast<int>(config::When::Kind::hold) &&
              static_cast<int>(delivery::StartAt::Kind::age) == static_cast<int>(config::When::Kind::age));

}  // namespace hookhost::api
