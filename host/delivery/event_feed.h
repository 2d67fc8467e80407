// What the engine reads: a dense sequence of events with a durable end. On one machine the event log stands behind it (log_feed.h); a shared
// stream may one day.
//
// Threads: every function of EventFeed may be called from every thread; an EventCursor belongs to one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"
#include "event_log/event.h"

namespace hookhost::delivery {

// Whether the engine wants an event, from what can be told before its body is touched.
using event_log::EventHead;
using HeadFilter = std::function<bool(const EventHead&)>;

struct Scan {
  std::vector<event_log::EventPtr> events;         // matching, ascending
  Offset next;                                     // everything below it was looked at
  std::vector<std::pair<Offset, Offset>> removed;  // ranges that are no longer (or not readably) in the event log
};

class EventCursor {
 public:
  virtual ~EventCursor() = default;
  // Looks at events from `from` up to `until` (at most the durable end), stops after `events_max` matches, `bytes_max` bytes of their bodies or
  // `looked_max` events looked at. Always makes progress unless from == until. Blocks on reading.
  [[nodiscard]] virtual Result<Scan> scan(Offset from, Offset until, std::size_t events_max, std::size_t bytes_max, std::size_t looked_max,
                                          const HeadFilter& wants) = 0;
};

class EventFeed {
 public:
  virtual ~EventFeed() = default;
  [[nodiscard]] virtual Offset begin() const = 0;        // the oldest event that is still there
  [[nodiscard]] virtual Offset durable_end() const = 0;  // one past the newest durable one
  [[nodiscard]] virtual Result<std::unique_ptr<EventCursor>> cursor() = 0;
  [[nodiscard]] virtual Result<Offset> find_time(WallTime time) = 0;  // the first event received at or after it
  // `wake` is called after the durable end has moved, on any thread; it does not block. An empty one ends it: no call runs afterwards.
  virtual void on_durable(std::function<void()> wake) = 0;
  // Appends one of the host's own events (`hookhost.*`); `team`: whom it concerns, empty: the operator alone. Blocks until durable.
  [[nodiscard]] virtual Result<> append_own(std::string_view type, std::string_view team, std::string_view json) = 0;
  // An event as bytes that outlive the event log: copies in dead letters.
  [[nodiscard]] virtual std::string encode(const event_log::Event& event) const = 0;
  [[nodiscard]] virtual Result<event_log::EventPtr> decode(std::string_view bytes, Offset offset) const = 0;
};

}  // namespace hookhost::delivery
