// The engine's inside: the loop's thread, the table of subscribers, the dispatcher of live events.
#pragma once

#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <thread>

#include "delivery/earlier_events.h"
#include "delivery/engine.h"
#include "delivery/match_index.h"
#include "delivery/runner.h"

namespace hookhost::delivery {

// How long an order waits for its commit, which a call that hangs may hold up; who asked is not kept waiting for that.
inline constexpr Duration kOrderPatience = std::chrono::seconds{15};

// What must be known of a subscriber to plan a replay.
struct Situation {
  SubscriberOptions options;
  state::SubscriberRow row;
  Offset next;
  bool attached = false;
  Traits traits;
  std::optional<state::StreamId> running;
};

class Engine::Impl {
 public:
  Impl(EventFeed& feed, state::DeliveryStore& store, const Clock& clock, const EngineOptions& options);

  // engine_loop.cc
  [[nodiscard]] Result<> start();
  [[nodiscard]] Result<> correct_position(state::SubscriberRow& row);
  void stop(MonotonicTime deadline);
  [[nodiscard]] bool alive(Duration within) const;

  // Runs `task` on the loop and waits for its answer.
  template <class F>
  [[nodiscard]] auto on_loop(F task) -> Result<decltype(task())> {
    using T = decltype(task());
    auto promise = std::make_shared<std::promise<T>>();
    auto future = promise->get_future();
    if (!core.inbox->post([promise, &task] { promise->set_value(task()); })) return ended();
    promise.reset();
    return wait_for(future);
  }
  // The same for a task that answers later; after `patience` (from when it began) without its answer.
  [[nodiscard]] Result<> ordered(const SubscriberId& id, const std::function<void(Runner&, Done)>& task, Duration patience = kOrderPatience);

  [[nodiscard]] Runner* find(const SubscriberId& id);
  Runner& add(state::SubscriberRow row);
  // One attach(): what it brings, and its number among the orders of its subscriber.
  struct Attachment {
    SubscriberOptions options;
    std::shared_ptr<Subscriber> subscriber;
    Duration drain{};
    Done started;
    std::uint64_t order = 0;
  };
  void replace(const std::shared_ptr<const Attachment>& by);
  void reorder(Runner& runner);
  [[nodiscard]] Result<Situation> situation(const SubscriberId& id);
  [[nodiscard]] Result<Offset> resolve(const StartAt& at) const;
  [[nodiscard]] Result<std::optional<state::SubscriberRow>> known(const SubscriberId& id, std::string_view kind);
  void tell_lag(SubscriberStatus& of);
  [[nodiscard]] Result<> stop_one(const SubscriberId& id, const Idle& idle, Duration drain);

  static auto ended() { return fail(ErrorCode::unavailable, "the host is stopping; try again when it runs"); }
  static auto unknown(const SubscriberId& id) {
    return fail(ErrorCode::not_found, "there is no subscriber named " + id.value + ": hookhost status lists them");
  }

  Core core;
  EarlierEvents earlier{core};
  std::mutex accept_mutex;                              // one accept at a time
  std::map<SubscriberId, std::shared_ptr<Runner>> runners;  // the loop's
  std::vector<std::shared_ptr<Runner>> members;             // by the number in the index
  bool index_stale = false;
  std::map<SubscriberId, std::uint64_t> wanted;  // the number of its newest attach or stop
  std::uint64_t last_order = 0;
  bool stops = false;  // nobody is attached any more

 private:
  template <class T>
  [[nodiscard]] static Result<T> wait_for(std::future<T>& future) {
    try {
      return future.get();
    } catch (const std::future_error&) {  // the loop ended first
      return ended();
    }
  }
  void run();
  void round();
  void dispatch();
  void rebuild_index();
  [[nodiscard]] Duration patience() const;

  MatchIndex index_;
  std::unique_ptr<EventCursor> live_cursor_;
  std::vector<MatchIndex::Member> matched_;
  MonotonicTime positions_at_{};
  MonotonicTime dispatch_again_{};
  std::atomic<bool> running_{false};
  std::atomic<std::int64_t> last_round_{0};
  std::thread thread_;
  std::mutex received_mutex_;
  std::map<Offset, WallTime> received_;  // when the events at which somebody stands were received
};

}  // namespace hookhost::delivery
