// Snapshots of subscribers, deliveries and counters, for status, the admin API and the metrics page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "delivery/options.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

// Since the process started.
struct OutcomeCounts {
  std::uint64_t ok = 0, ignored = 0, retry = 0, reject = 0, unavailable = 0;
  std::uint64_t crashed = 0, misbehaved = 0, exhausted = 0, restarts = 0;
};

struct SubscriberStatus {
  SubscriberId id;
  std::string kind;
  // live, catching_up, replaying, waiting (unavailable), starting, failed (could not be brought up, or its start was refused), held, paused, stopped, disabled (known, without
  // an instance, for a reason), not_running (nobody has started it yet, as where no host runs), detached.
  std::string state;
  std::string reason;            // why it is so; empty when all is well
  std::string way_out;           // the command that helps; empty when none is needed
  std::string start_error;       // why its instance did not start, whatever its state is; empty when it did, or has not tried
  Offset position;               // every event below it is finished, blocked or dead
  std::uint64_t lag_events = 0;  // offsets between the position's reading place and the end of the event log
  Duration lag{};                // age of the oldest event it has not been handed; 0 when it has them all
  std::uint64_t blocked_keys = 0;
  std::uint64_t pending = 0;     // read and not finished
  std::uint64_t in_flight = 0;
  std::uint64_t dead_letters = 0;
  std::uint64_t held = 0;
  std::uint64_t gaps = 0;        // not acknowledged
  std::uint32_t failed_run = 0;
  state::Tally tally;            // since it exists; of those that keep every attempt
  OutcomeCounts outcomes;
  std::uint64_t earlier_events = 0;  // before the place where it began, that match and that no replay has handed to it: one would (earlier_events.h)
  std::string last_error;
  std::optional<WallTime> last_error_at;
  std::optional<std::uint64_t> replay;  // the one that runs
};

// The command for people that lets one go on: "hookhost endpoint resume NAME".
[[nodiscard]] inline std::string resume_command(const std::string& kind, const SubscriberId& id) {
  return "hookhost " + std::string(kind == "endpoint" ? "endpoint" : "plugin") + " resume " + id.value;
}

struct DeliveryStatus {
  SubscriberId subscriber;
  state::StreamId stream = 0;
  Offset offset;
  EventId id;        // empty for a blocked one whose event is not in memory
  std::string type;  // likewise
  std::string key;   // the lane, readable
  std::string state; // pending, running, blocked (waits for its next attempt), behind (a key's later events wait behind it)
  std::uint32_t attempts = 0;
  std::optional<WallTime> next_attempt_at;
  std::string last_outcome;
  std::string last_error;
};

struct DeliveryQuery {
  std::optional<SubscriberId> subscriber;
  std::optional<Offset> offset;
  std::string state;
  std::string key;          // a part of the lane's readable name

  [[nodiscard]] bool wants(const DeliveryStatus& one) const {
    return (!subscriber || *subscriber == one.subscriber) && (!offset || *offset == one.offset) && (state.empty() || state == one.state) &&
           one.key.find(key) != std::string::npos;
  }
};

// What accept() found or made.
struct Accepted {
  bool first_time = false;
  state::Condition condition = state::Condition::live;
  Offset position;
};

}  // namespace hookhost::delivery
