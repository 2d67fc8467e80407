// The threads of one started instance: what waits for them, what they answered, and their end. Threads that hang in the plugin past the stop keep
// it alive: it is written off, not freed. Threads: the public functions may be called from every thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "plugins/instance.h"
#include "plugins/instance_subscriber.h"

namespace hookhost::plugins {

class Crew : public std::enable_shared_from_this<Crew> {
 public:
  Crew(std::shared_ptr<delivery::Sink> sink, const Clock& clock, const SubscriberSettings& settings)
      : sink_(std::move(sink)), clock_(clock), threads_(settings.concurrency), calls_max_(std::max(1U, settings.max_in_flight)),
        health_(settings.health), health_interval_(settings.health_interval) {}

  void run(std::unique_ptr<Instance> instance);
  void submit(std::vector<delivery::Delivery> deliveries);
  void quiesce(std::function<void(Result<>)> quiet);
  void checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done);

  // On a worker, before any call that waits; the instance that runs at most one thing at a time does nothing else meanwhile. What is never carried
  // out is destroyed.
  void run_between_calls(std::function<void(Instance&)> errand);

  // A finished call, from handle or from a plugin's thread, which may be a worker of another instance.
  void finished(delivery::Completion completion);

  // True when every thread came out in time and the plugin's stop and destroy returned; else the instance is written off, `still_run` says with
  // which calls.
  bool stop(MonotonicTime deadline, std::vector<std::uint64_t>& still_run);

 private:
  struct Task {
    delivery::Delivery delivery;
    std::optional<delivery::Checkpoint> checkpoint;
    std::function<void(Result<>)> done;  // of a checkpoint; alone: of a quiesce
    std::function<void(Instance&)> errand;

    [[nodiscard]] bool commits() const { return checkpoint || done; }
    [[nodiscard]] bool is_call() const { return !commits() && !errand; }
  };
  static constexpr std::uint64_t kNoCall = UINT64_MAX;
  // What one worker's calls answered; the sweep empties it, too, so that a call that hangs holds nothing back.
  struct Basket {
    std::mutex mutex;
    std::vector<delivery::Completion> completions;
    std::atomic<std::uint64_t> running{kNoCall};  // the delivery that the worker is inside
  };
  // Whose worker this thread is.
  struct Own {
    const Crew* crew = nullptr;
    Basket* basket = nullptr;
  };
  static Own& own() {
    thread_local Own here;
    return here;
  }
  static Result<> overtaken() { return fail(ErrorCode::cancelled, "the instance stopped before the checkpoint"); }

  // Real time, whatever clock the calls are measured with.
  bool wait_for_grace(std::unique_lock<std::mutex>& lock, const std::function<bool()>& condition);

  // How many calls more the plugin may have open. Order: `full_` before the count, so that a call that ends meanwhile wakes who found no room.
  std::size_t room();

  // Ahead of everything that waits.
  void commit_next(Task task);

  // What the worker does next. What belongs to a commit is taken alone, so that no call that hangs sits on it.
  bool take(std::vector<Task>& taken, std::uint64_t& recalls);

  // What is not begun goes back, before what came since, so that a checkpoint waits for one slow call and not for many.
  void give_back(std::vector<Task>& taken, std::size_t from);

  [[nodiscard]] std::deque<Task>::iterator behind_commits();

  // The plugin says that it is unavailable: what waits for its turn goes back without a call.
  void recall(std::vector<delivery::Completion>& out);
  static delivery::Completion not_called(std::uint64_t id);

  void work(Basket& basket);
  void call(Basket& basket, delivery::Delivery delivery);

  // Health is asked for on a worker, for a serial instance takes one call at a time; the next time not before it has answered.
  void ask_health_when_due();
  void ask_health(Instance& instance);
  void flush(Basket& basket);
  void sweep();
  void close();

  const std::shared_ptr<delivery::Sink> sink_;
  const Clock& clock_;
  const std::uint32_t threads_, calls_max_;
  const std::shared_ptr<PluginHealth> health_;
  const Duration health_interval_;
  MonotonicTime health_due_{};
  std::shared_ptr<Instance> instance_;
  std::vector<std::unique_ptr<Basket>> baskets_;
  std::mutex mutex_;
  std::condition_variable wakes_, left_, sweeps_;
  std::deque<Task> queue_;
  std::uint32_t alive_ = 0;
  bool sweeping_ = false, ends_ = false, closed_ = false;
  bool quiet_ = false;  // calls wait for the checkpoint that comes
  std::atomic<bool> stops_{false};
  std::atomic<bool> full_{false};  // somebody waits until a call ends
  std::atomic<std::uint64_t> recalls_{0};
};

}  // namespace hookhost::plugins
