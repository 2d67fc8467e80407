// Which events a stream wants.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "base/types.h"
#include "delivery/event_feed.h"

namespace hookhost::delivery {

// An event passes when one of `events` matches it, and, where they are given, one of `types`, the key, the id and the team too.
struct EventFilter {
  std::vector<Pattern> events;
  std::vector<Pattern> types;
  std::optional<std::string> key;
  std::optional<std::string> id;
  std::optional<std::string> team;

  [[nodiscard]] bool passes(const EventHead& head) const;
};

// What a replay narrows (types, key, id) as text for its row, and back. Error: corrupt.
[[nodiscard]] std::string narrowing_text(const EventFilter& filter);
[[nodiscard]] Result<EventFilter> parse_narrowing(std::string_view text);

}  // namespace hookhost::delivery
