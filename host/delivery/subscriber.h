// The one interface between the delivery engine and whatever handles events: a plugin instance in the host, an instance in a worker
// process, an endpoint. The engine decides what, when and in which order; a subscriber only carries out.
//
// A conversation:  start -> (submit | quiesce checkpoint)* -> stop.   Outcomes come back through the Sink, on any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"
#include "delivery/schedule.h"
#include "event_log/event.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

// What became of one attempt. The numbers are those of the plugin ABI (sdk/include/hookhost/abi.h).
enum class Status : std::int32_t { ok = 0, ignored = 1, retry = -1, reject = -2, unavailable = -3 };
[[nodiscard]] std::string_view to_string(Status status);
// The event needs nothing more.
[[nodiscard]] constexpr bool is_done(Status status) { return status == Status::ok || status == Status::ignored; }

struct Outcome {
  Status status = Status::ok;
  bool crashed = false;                 // with retry: the attempt ended the instance or its worker
  bool misbehaved = false;              // with retry: an unknown status, two completions, ...; shown, counted
  std::string error;                    // for people; cut to 1 KiB
  std::optional<Duration> retry_after;  // retry and unavailable
  Wish wish = Wish::replaces;           // what retry_after is to the schedule
  bool gone = false;                    // with retry: the receiver wants nothing more; given up at once, and the subscriber stops
  int http_status = 0;                  // of the answer; 0: there was none, or it is no endpoint
  std::string answer;                   // the answer's first KiB
};

// One event for one subscriber, one attempt. `id` is the engine's, unique while the process lives.
struct Delivery {
  std::uint64_t id = 0;
  event_log::EventPtr event;
  state::StreamId stream = state::kMainStream;
  Attempt attempt;
  std::uint32_t crashes = 0;  // how many earlier attempts ended what they ran in
  std::uint64_t lane = 0;     // two deliveries with the same lane (not 0) are never submitted at once; 0: no order
  Duration timeout{};         // from the moment the handler is called
  bool replay = false;        // the REPLAY flag of the plugin ABI
  bool test = false;          // the TEST flag of the plugin ABI
  bool kv_writable = true;    // false in a replay beside live
};

struct Completion {
  std::uint64_t id = 0;
  Outcome outcome;
  std::vector<state::KvWrite> kv;  // what the call staged; empty unless ok or ignored
  Duration took{};
  bool called = true;  // false: unavailable was known before its turn came, and it goes back as it was
  bool kv_refused = false;  // the call wrote kv though kv_writable was false
};

// The engine's ear. Threads: from every thread, also within submit(). Does not block.
class Sink {
 public:
  virtual ~Sink() = default;
  // Each submitted delivery is completed exactly once, unless lost() or stop() comes first.
  virtual void completed(std::vector<Completion> completions) = 0;
  // The instance is gone (its worker died, a checkpoint was refused, a health probe failed): what was submitted and not completed, and what
  // was completed and not committed, starts again from the committed state in a new instance (a new start()).
  // `blamed`: the deliveries that were running when it crashed.
  virtual void lost(std::string reason, std::vector<std::uint64_t> blamed) = 0;
};

// kv/1 as a running instance sees it: the writes of this batch's successful calls over what is committed. Its own calls' staged writes are
// the adapter's business. Threads: from every thread. Blocks on SQLite at most.
class KvReader {
 public:
  virtual ~KvReader() = default;
  [[nodiscard]] virtual Result<std::optional<std::string>> get(std::string_view key) = 0;
  [[nodiscard]] virtual Result<std::vector<std::pair<std::string, std::string>>> scan(std::string_view prefix, std::string_view after,
                                                                                     std::size_t limit) = 0;
};

struct StartRequest {
  std::uint64_t token = 0;  // the last committed one; 0: none
  bool reset = false;       // the operator asked to start over: derived state of an earlier life must go
  bool test = false;        // a life for test events only: what earlier lives made is left alone
  std::shared_ptr<Sink> sink;
  std::shared_ptr<KvReader> kv;
};

struct Checkpoint {
  std::uint64_t token = 0;      // above every earlier one
  std::vector<Offset> offsets;  // ascending: exactly the events completed with ok or ignored that this commit covers
};

// What the engine must know of a subscriber before it feeds it.
struct Traits {
  std::uint32_t concurrency = 1;    // how many deliveries may run at once (deferred ones not counted)
  std::uint32_t max_in_flight = 64; // how many may be submitted and not completed
  std::uint32_t ahead_max = 0;      // the same while calls take microseconds, where it is more: the subscriber has a queue of its own
  std::uint32_t uncommitted_max = 0; // about how many may be completed and not committed: these come again after a kill; 0: as the engine likes
  bool has_checkpoint = false;      // false: checkpoint() is never called
  enum class OnReplay : std::uint8_t { safe, ask, reset_only } on_replay = OnReplay::ask;
};

// Threads: start, submit, quiesce, checkpoint and stop are called by the engine, one at a time for one subscriber. The middle three do not
// block; start and stop may, and are called on a thread where that harms nobody.
class Subscriber {
 public:
  virtual ~Subscriber() = default;
  [[nodiscard]] virtual const Traits& traits() const = 0;

  // Makes an instance that goes on from the committed state. The answer is the token up to which the subscriber's own store is complete: the
  // given one, or the one of a checkpoint that it made durable but the host did not commit (that batch then counts as done).
  // Errors: invalid_config (bad configuration: do not try again), unavailable (try again later), anything else.
  [[nodiscard]] virtual Result<std::uint64_t> start(const StartRequest& request) = 0;

  virtual void submit(std::vector<Delivery> deliveries) = 0;

  // Before a checkpoint: where calls come one at a time, none begins until that checkpoint has been carried out, and all that returned were told to
  // the sink before `quiet` is called. So the checkpoint covers exactly the calls that have returned, and a plugin that commits all that it did is
  // right. Where calls run side by side no moment is quiet: the checkpoint's offsets tell. `quiet` is called once, on any thread; an error means
  // that the instance stops.
  virtual void quiesce(std::function<void(Result<>)> quiet) { quiet(success()); }

  // Makes durable what the covered calls did. `done` is called once, on any thread; an error means refused: the engine starts a new instance.
  virtual void checkpoint(Checkpoint checkpoint, std::function<void(Result<>)> done) = 0;

  // No new calls; running ones get until `deadline`, then are cancelled. Afterwards no call runs, or the instance is written off with what it
  // still runs (a thread inside a plugin cannot be ended). start() may follow. The answer: the deliveries whose calls still run; each is completed
  // once it returns, which says that its lane is free and nothing more.
  virtual std::vector<std::uint64_t> stop(MonotonicTime deadline) = 0;
};

}  // namespace hookhost::delivery
