// Replays as people ask for them: the request, what it would do, and how far one has come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/pattern.h"
#include "base/types.h"
#include "delivery/options.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

enum class LiveMode : std::uint8_t { wait, carry_on };  // --live wait, --live continue

struct ReplayRequest {
  SubscriberId subscriber;
  StartAt from;                   // `hold` is a usage error
  std::optional<StartAt> until;   // exclusive
  std::vector<Pattern> types;     // narrows what the subscriber gets; empty: all of it
  std::optional<std::string> key;
  std::optional<EventId> id;
  std::optional<LiveMode> live;   // nullopt: the engine chooses and says why
  bool reset = false;
  double rate = 0;                // events per second; 0: no limit
  bool yes = false;               // confirmed (on_replay: ask)
};

// What a request would do. Making one changes nothing and is never refused but for a request that makes no sense.
struct ReplayPlan {
  Offset from, until;                       // what is replayed: [from, until), never beyond the subscriber's position
  Offset position;                          // where the subscriber goes on after it
  bool moves = false;                       // it has handled nothing and begins later than it stands
  LiveMode live = LiveMode::wait;
  std::string live_reason;                  // why, in words
  std::uint64_t matching = 0;               // events in [from, until) that it gets
  std::optional<WallTime> first, last;      // when the first and the last of these were received
  std::vector<Offset> events_removed;       // pairs: ranges in [from, until) that retention has removed
  bool needs_confirmation = false;          // on_replay: ask
  std::string refusal;                      // not empty: replay_start() will refuse, and this says why and the way out
  std::vector<std::string> notes;           // "kv writes are refused in a replay beside live", ...
};

// Why a subscriber that writes kv gets no replay beside live, and the way out.
[[nodiscard]] std::string kv_refusal(const SubscriberId& subscriber);

struct ReplayProgress {
  state::StreamId id = 0;
  SubscriberId subscriber;
  std::string mode;   // wait, continue, reset
  std::string state;  // running, blocked (only blocked keys are left), done, cancelled, failed
  std::string reason;   // of failed: why, and the way out
  std::string way_out;  // of cancelled: the command that goes on with it, and what that does
  Offset from, until, position;
  std::uint64_t total = 0, handled = 0, failed = 0;
  double rate = 0;             // the limit; 0: none
  double events_per_second = 0;  // measured since it began or went on
  std::optional<Duration> left;  // estimated
  std::uint32_t blocked_keys = 0;
  WallTime created_at;
  std::optional<WallTime> finished_at;
};

}  // namespace hookhost::delivery
