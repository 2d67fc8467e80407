// A place in the event log as people name it: on the command line (WHEN) and in start_at.
#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"

namespace hookhost::config {

struct When {
  enum class Kind : std::uint8_t { now, hold, beginning, offset, time, age } kind = Kind::now;
  Offset offset;
  WallTime time;
  Duration age{};
  friend bool operator==(const When&, const When&) = default;
};

// "beginning", "now", digits = offset, "30d" = age, ISO 8601 = time. Error: usage, saying what was expected.
[[nodiscard]] Result<When> parse_when(std::string_view text, bool allow_hold = false);

}  // namespace hookhost::config
