// What the engine must be told of a subscriber: plain values, the same for plugins and endpoints. The composition root maps the
// configuration to these.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/pattern.h"
#include "base/types.h"
#include "delivery/schedule.h"

namespace hookhost::delivery {

// An event that ended what it was handled in this often is a dead letter.
inline constexpr std::uint32_t kCrashesMax = 3;

// Where a subscriber begins that has no stored position yet. Resolved once and stored; afterwards the stored position counts.
struct StartAt {
  enum class Kind : std::uint8_t { now, hold, beginning, offset, time, age } kind = Kind::now;
  Offset offset;   // offset
  WallTime time;   // time
  Duration age{};  // age: this long before the moment it is accepted
  // It may have been here before, and its position is lost. What depends on the moment (now, hold, age) or lies beyond the end is the oldest
  // event kept then: nothing that it had not yet handled is passed over. `hold` stays held, there.
  bool position_lost = false;
  std::string held_because = "start_at: hold";  // of `hold`; shown
};

// What puts events in order. `key`: source, team and key together; `pointer`: source, team and what the JSON pointer finds in the body;
// `none`: no order; `all`: one event after the other. An event without a key (or without the value) has no order under key and pointer.
struct OrderBy {
  enum class Kind : std::uint8_t { key, pointer, none, all } kind = Kind::key;
  std::string pointer;  // RFC 6901

  // As the configuration writes it: key, none, all, or the pointer. Anything else is read as key.
  [[nodiscard]] static OrderBy of(std::string_view text) {
    if (text == "none") return {Kind::none, {}};
    if (text == "all") return {Kind::all, {}};
    return text.starts_with('/') ? OrderBy{Kind::pointer, std::string(text)} : OrderBy{};
  }
  [[nodiscard]] std::string text() const {
    return kind == Kind::none ? "none" : kind == Kind::all ? "all" : kind == Kind::pointer ? pointer : "key";
  }
  bool operator==(const OrderBy&) const = default;
};

struct SubscriberOptions {
  SubscriberId id;
  std::string kind = "plugin";
  std::vector<Pattern> events;  // what it gets; never empty
  OrderBy order_by;
  Schedule retry = schedule_days();
  Duration timeout = std::chrono::seconds{30};  // passed on with each delivery
  std::uint32_t stop_after = 20;                // 0: never stops by itself
  Duration stop_after_at_least{};               // nor before a run of failures has lasted this long
  bool recovers = false;                        // when it stopped by itself, it is tried with one held event now and then, and goes on when that is ok
  std::optional<std::string> team;              // only events of this team
  double rate = 0;                              // attempts a second; 0: no limit
  bool keep_attempts = false;                   // every attempt is written down, not only those that were not ok at the first try
};

// What the whole engine is bounded by.
struct EngineOptions {
  std::uint32_t blocked_lanes_max = 10'000;                       // per subscriber; above it the position waits
  std::uint32_t window_events_max = 4'096;                        // per stream: events read and not finished
  std::uint64_t window_bytes_max = 32ULL << 20;                   // per stream: their bodies (one event always fits)
  std::uint32_t places_max = 16'384;                              // per stream: where events stand that wait behind their key; 8 bytes each
  std::uint32_t done_above_max = 1'024;                           // finished offsets above a position; beyond it a call that hangs becomes a lane
  Duration commit_interval = std::chrono::milliseconds{20};       // outcomes gather at most this long
  std::uint32_t commit_outcomes_max = 4'096;                      // or until there are this many
  Duration position_interval = std::chrono::seconds{30};          // how often the position of a subscriber without events is written
  Duration restart_delay = std::chrono::seconds{1};               // the first; doubles up to restart_delay_max
  Duration restart_delay_max = std::chrono::seconds{60};
  Duration unavailable_delay = std::chrono::seconds{1};           // the first probe; doubles up to unavailable_delay_max
  Duration unavailable_delay_max = std::chrono::seconds{60};
  Duration recovery_delay = std::chrono::minutes{1};              // one that recovers is tried again after this; doubles up to recovery_delay_max
  Duration recovery_delay_max = std::chrono::hours{1};
  Duration poll_max = std::chrono::milliseconds{500};             // how long the loop sleeps at most; tests with a manual clock want little
  std::uint64_t seed = 0;                                         // of the jitter; 0: from the system
};

}  // namespace hookhost::delivery
