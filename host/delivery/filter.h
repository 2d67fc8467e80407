// Which events a stream wants.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/pattern.h"
#include "base/result.h"
#include "base/types.h"
#include "delivery/event_feed.h"
#include "delivery/options.h"

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

// What a subscriber gets, with nothing narrowed.
[[nodiscard]] EventFilter filter_of(const SubscriberOptions& options);

// Shows every head in [from, until) to `look`, without decoding a single body. Blocks on reading. The answer: the ranges that are gone.
[[nodiscard]] Result<std::vector<std::pair<Offset, Offset>>> look_at_heads(EventFeed& feed, Offset from, Offset until,
                                                                           const std::function<void(const EventHead&)>& look);

// What a replay narrows (types, key, id) as text for its row, and back. Error: corrupt.
[[nodiscard]] std::string narrowing_text(const EventFilter& filter);
[[nodiscard]] Result<EventFilter> parse_narrowing(std::string_view text);

}  // namespace hookhost::delivery
