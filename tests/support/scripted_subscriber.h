// A subscriber that does what a test's script says, on threads of its own, and records what it was given. It checks by itself that no two
// events of one lane run at once.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "delivery/subscriber.h"

namespace hookhost::test {

class ScriptedSubscriber final : public delivery::Subscriber {
 public:
  struct Call {
    Offset offset;
    std::string key;
    std::uint32_t attempt = 1;
    bool replay = false;
    delivery::Status status = delivery::Status::ok;
    int start = 0;  // in which instance
  };
  using Script = std::function<delivery::Outcome(const delivery::Delivery&, std::vector<state::KvWrite>&)>;

  explicit ScriptedSubscriber(Script script = {}, delivery::Traits traits = {.concurrency = 4, .max_in_flight = 32}, int threads = 2)
      : script_(std::move(script)), traits_(traits), thread_count_(threads) {}
  ~ScriptedSubscriber() override { end(); }

  static delivery::Outcome ok() { return {}; }
  static delivery::Outcome retry(std::string error = "not now") { return {delivery::Status::retry, false, false, std::move(error), {}}; }
  static delivery::Outcome reject() { return {delivery::Status::reject, false, false, "never", {}}; }
  static delivery::Outcome unavailable() { return {delivery::Status::unavailable, false, false, "down", {}}; }

  [[nodiscard]] std::vector<Call> calls() const {
    const std::lock_guard lock(mutex_);
    return calls_;
  }
  [[nodiscard]] std::vector<std::uint64_t> ok_offsets() const {
    const std::lock_guard lock(mutex_);
    std::vector<std::uint64_t> out;
    for (const auto& call : calls_) {
      if (call.status == delivery::Status::ok) out.push_back(call.offset.value);
    }
    return out;
  }
  [[nodiscard]] std::size_t count() const {
    const std::lock_guard lock(mutex_);
    return calls_.size();
  }
  [[nodiscard]] std::size_t ok_count() const { return ok_offsets().size(); }
  [[nodiscard]] int starts() const {
    const std::lock_guard lock(mutex_);
    return starts_;
  }
  [[nodiscard]] std::shared_ptr<delivery::KvReader> kv() const {
    const std::lock_guard lock(mutex_);
    return kv_;
  }
  [[nodiscard]] bool reset_seen() const {
    const std::lock_guard lock(mutex_);
    return reset_seen_;
  }
  // The instance dies with what it runs and has queued.
  void die(const std::string& reason, std::vector<std::uint64_t> blamed) {
    std::shared_ptr<delivery::Sink> sink;
    {
      const std::lock_guard lock(mutex_);
      queue_.clear();
      sink = std::exchange(sink_, nullptr);
    }
    if (sink) sink->lost(reason, std::move(blamed));
  }
  std::atomic<int> hands_back{0};  // so many of the next come back without having been called
  bool refuses_without_kv = false;  // each call writes kv and insists on it
  // As when a call that hangs is in the way of a serial one's checkpoint: it is never answered.
  bool withholds_checkpoints = false;
  std::atomic<int> checkpoints_withheld{0};
  // What start() answers; default: the given token.
  std::function<Result<std::uint64_t>(const delivery::StartRequest&)> on_start;
  std::function<Result<>(const delivery::Checkpoint&)> on_checkpoint;

  [[nodiscard]] const delivery::Traits& traits() const override { return traits_; }

  [[nodiscard]] Result<std::uint64_t> start(const delivery::StartRequest& request) override {
    end();
    const std::lock_guard lock(mutex_);
    ++starts_;
    reset_seen_ = reset_seen_ || request.reset;
    if (on_start) {
      auto answer = on_start(request);
      if (!answer) return answer;
      open(request);
      return answer;
    }
    open(request);
    return request.token;
  }
  void submit(std::vector<delivery::Delivery> deliveries) override {
    {
      const std::lock_guard lock(mutex_);
      for (auto& delivery : deliveries) {
        if (delivery.lane != 0) {
          EXPECT_TRUE(lanes_.insert(delivery.lane).second) << "two events of one lane at once: " << delivery.event->key;
        }
        queue_.push_back(std::move(delivery));
      }
      in_flight_max_ = std::max(in_flight_max_, queue_.size() + running_);
    }
    changed_.notify_all();
  }
  // With one thread as a serial plugin: that thread says when it is quiet.
  void quiesce(std::function<void(Result<>)> quiet) override {
    if (thread_count_ > 1) return quiet(success());
    {
      const std::lock_guard lock(mutex_);
      quiet_ = std::move(quiet);
      rests_ = true;
    }
    changed_.notify_all();
  }
  void checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done) override {
    if (withholds_checkpoints) {
      ++checkpoints_withheld;
      return;
    }
    auto result = on_checkpoint ? on_checkpoint(checkpoint) : Result<>(success());
    {
      const std::lock_guard lock(mutex_);
      rests_ = false;
    }
    changed_.notify_all();
    done(std::move(result));
  }
  std::vector<std::uint64_t> stop(MonotonicTime) override {
    end();
    return {};
  }

 private:
  void open(const delivery::StartRequest& request) {
    sink_ = request.sink;
    kv_ = request.kv;
    lanes_.clear();
    queue_.clear();
    ending_ = rests_ = false;
    for (int n = 0; n < thread_count_; ++n) threads_.emplace_back([this, sink = sink_] { work(sink); });
  }
  void end() {
    std::vector<std::thread> threads;
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      threads.swap(threads_);
    }
    changed_.notify_all();
    for (auto& thread : threads) thread.join();
    std::unique_lock lock(mutex_);
    const auto quiet = std::exchange(quiet_, nullptr);
    lock.unlock();
    if (quiet) quiet(fail(ErrorCode::cancelled, "it stopped first"));
  }
  void work(const std::shared_ptr<delivery::Sink>& sink) {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ending_ || quiet_ || (!queue_.empty() && !rests_); });
      if (ending_) return;
      if (const auto quiet = std::exchange(quiet_, nullptr)) {
        lock.unlock();
        quiet(success());
        lock.lock();
        continue;
      }
      auto delivery = std::move(queue_.front());
      queue_.pop_front();
      ++running_;
      lock.unlock();
      delivery::Completion completion;
      completion.id = delivery.id;
      completion.called = hands_back.load() <= 0;
      if (!completion.called) {
        --hands_back;
        completion.outcome = unavailable();
      } else if (script_) {
        completion.outcome = script_(delivery, completion.kv);
      }
      if (refuses_without_kv && !delivery.kv_writable) {
        completion.outcome = retry("kv is refused");
        completion.kv_refused = true;
      }
      lock.lock();
      --running_;
      if (completion.called) calls_.push_back({delivery.event->offset, delivery.event->key, delivery.attempt.value, delivery.replay, completion.outcome.status, starts_});
      lanes_.erase(delivery.lane);
      std::vector<delivery::Completion> one;
      one.push_back(std::move(completion));
      lock.unlock();
      sink->completed(std::move(one));
      lock.lock();
    }
  }

  const Script script_;
  const delivery::Traits traits_;
  const int thread_count_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<delivery::Delivery> queue_;
  std::set<std::uint64_t> lanes_;
  std::vector<Call> calls_;
  std::vector<std::thread> threads_;
  std::shared_ptr<delivery::Sink> sink_;
  std::shared_ptr<delivery::KvReader> kv_;
  std::size_t running_ = 0;
  std::size_t in_flight_max_ = 0;
  int starts_ = 0;
  bool reset_seen_ = false;
  bool ending_ = true;
  bool rests_ = false;  // calls wait for a checkpoint
  std::function<void(Result<>)> quiet_;
};

}  // namespace hookhost::test
