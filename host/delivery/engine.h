// The delivery engine: hands each event of the event log to every subscriber whose patterns match it, in order per lane, with retries, dead
// letters, replays and durable positions. The whole interface of this room, beside subscriber.h (what it calls) and event_feed.h (what it
// reads).
//
// Promises: DESIGN.md sections 2 and 8. At least once to every subscriber; effectively once for kv and for what checkpoint tokens cover;
// never two calls of one lane at once; memory is bounded by windows, never by backlog; no subscriber harms another.
//
// Life of a subscriber:  accept (its position exists) -> attach (an instance is started and fed) -> disable | detach -> forget.
//
// Threads: every function may be called from every thread but those of a Subscriber or of the engine itself. Functions that return a Result
// wait for the engine's loop and where they change something for the commit; none waits for a subscriber's calls, unless it says so.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/event_feed.h"
#include "delivery/options.h"
#include "delivery/replay.h"
#include "delivery/status.h"
#include "delivery/subscriber.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

enum class Earlier : std::uint8_t { counted, ignored };

// Why may_accept() refuses: `id` is known as another kind, that; an offset lies beyond the event log's end.
[[nodiscard]] Error known_as(const SubscriberId& id, std::string_view kind);
[[nodiscard]] Error beyond_the_end(Offset offset, Offset end);

class Engine {
 public:
  // `feed`, `store` and `clock` must outlive the engine.
  Engine(EventFeed& feed, state::DeliveryStore& store, const Clock& clock, EngineOptions options = {});
  ~Engine();  // as stop() with a deadline of now
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Loads what the store knows and begins. Error: that of the store.
  [[nodiscard]] Result<> start();
  // Stops feeding, waits for running calls until `deadline`, commits (checkpoints included), stops the instances. Idempotent.
  void stop(MonotonicTime deadline);

  // Makes the subscriber known before anything of it is loaded: resolves `start_at` and stores it durably, or finds what is stored (a
  // detached one comes back where it was). `earlier`: whether what it does not get is counted for its status, by a reading of the event log.
  // Error: usage (an offset beyond the end, a time that cannot be), refused (it is known as another kind: what is kept of a plugin is no
  // endpoint's), io_error.
  // may_accept: the errors of the same, changing nothing.
  [[nodiscard]] Result<> may_accept(const SubscriberId& id, std::string_view kind, const StartAt& start_at);
  [[nodiscard]] Result<Accepted> accept(const SubscriberId& id, std::string_view kind, const StartAt& start_at, Earlier earlier = Earlier::counted);

  // Starts an instance and feeds it from the stored position. An attached one is replaced: the old instance is drained until
  // `drain` has passed, then stopped; the new one goes on from its position. The start itself happens afterwards, on another thread: `started` is
  // told how the first try ended, on the loop, where it must not block; unavailable also when somebody stopped or replaced it first.
  // Error: not_found when it was not accepted; usage when the options make no sense. `started` is told nothing then.
  [[nodiscard]] Result<> attach(SubscriberOptions options, std::shared_ptr<Subscriber> subscriber, Duration drain = std::chrono::seconds{8},
                                std::function<void(Result<>)> started = {});

  // There is no instance now (it could not be loaded, or `enabled: false`): the position stands. `reason` is shown. An attached instance is
  // drained until `drain` has passed; returns when it is stopped.
  [[nodiscard]] Result<> disable(const SubscriberId& id, std::string_view reason, Duration drain = std::chrono::seconds{8});
  // The same for one that is to run and could not be brought up: its state is failed.
  [[nodiscard]] Result<> not_brought_up(const SubscriberId& id, std::string_view why, Duration drain = std::chrono::seconds{8});
  // The same for one that is no longer in the configuration: position and kv are kept until forget().
  [[nodiscard]] Result<> detach(const SubscriberId& id, Duration drain = std::chrono::seconds{8});
  // Deletes every trace. Error: refused while it is attached.
  [[nodiscard]] Result<> forget(const SubscriberId& id);

  [[nodiscard]] Result<> pause(const SubscriberId& id, std::string_view reason = "paused by the operator");
  // Ends paused, stopped and held. What was held is delivered first, in order per key. Error: not_found, refused (with the way out).
  [[nodiscard]] Result<> resume(const SubscriberId& id);
  // The same from the end of the event log on: what is held, blocked or not yet read is no longer asked for, and a replay that runs is cancelled
  // (a new one still reaches it all). Counting blocks on reading.
  struct Skipped {
    std::uint64_t deliveries = 0;  // that are not made any more; of an event that the replay would have sent a second time, two
    bool replay = false;           // one was cancelled
  };
  [[nodiscard]] Result<Skipped> resume_from_now(const SubscriberId& id);

  // An attempt ended the process that ran it: its outcome is a crash, told when the event's turn comes. Durable when this returns; one life's
  // crash counts once, however often it is told. Call it before attach(). How many crashes the event has now. Error: not_found, io_error.
  [[nodiscard]] Result<std::uint32_t> count_crash(const SubscriberId& id, const state::CrashRow& crash);

  [[nodiscard]] std::vector<SubscriberStatus> status();  // by name
  [[nodiscard]] Result<SubscriberStatus> status(const SubscriberId& id);
  [[nodiscard]] std::vector<DeliveryStatus> deliveries(const DeliveryQuery& query);
  // A blocked delivery is tried again at once. Error: not_found.
  [[nodiscard]] Result<> retry_now(const SubscriberId& id, Offset offset);

  // Dead letters are listed and shown by the store (parked, parked_one). Retry: delivered again now, in its lane, with fresh attempts;
  // removed when it is ok. Error: not_found, refused while nothing is fed.
  [[nodiscard]] Result<> retry_dead_letter(const SubscriberId& id, state::StreamId stream, Offset offset);
  [[nodiscard]] Result<> discard_dead_letter(const SubscriberId& id, state::StreamId stream, Offset offset);
  [[nodiscard]] Result<> acknowledge_gaps(const SubscriberId& id);

  // Counts by reading the event log: blocks for as long as that takes. Error: not_found, usage.
  [[nodiscard]] Result<ReplayPlan> replay_plan(const ReplayRequest& request);
  // Error: not_found, usage, refused (the plan's refusal; a confirmation that is missing), conflict (another one runs).
  [[nodiscard]] Result<state::StreamId> replay_start(const ReplayRequest& request);
  // As just planned: nothing is read and counted a second time.
  [[nodiscard]] Result<state::StreamId> replay_start(const ReplayRequest& request, const ReplayPlan& plan);
  [[nodiscard]] Result<std::vector<ReplayProgress>> replays(std::optional<SubscriberId> id = std::nullopt);  // newest first
  [[nodiscard]] Result<ReplayProgress> replay(state::StreamId id);
  [[nodiscard]] Result<> replay_cancel(state::StreamId id);
  [[nodiscard]] Result<> replay_resume(state::StreamId id);  // a cancelled one goes on where it was

  // No subscriber in any state needs events below this offset: what retention may remove.
  [[nodiscard]] Offset oldest_needed();

  // Whether the loop has gone round lately: /healthz.
  [[nodiscard]] bool alive(Duration within) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookhost::delivery
