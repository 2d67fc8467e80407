#include "plugins/instance_subscriber.h"

#include <condition_variable>
#include <deque>
#include <thread>

#include "base/diagnostics.h"

namespace hookhost::plugins {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTakeMax = 256;        // deliveries that a serial instance's thread takes at once
constexpr Duration kSweepInterval = 50ms;

// The threads of one started instance. Threads that hang in the plugin past the stop keep it alive: it is written off, not freed.
class Crew : public std::enable_shared_from_this<Crew> {
 public:
  Crew(std::shared_ptr<delivery::Sink> sink, const Clock& clock, std::uint32_t threads) : sink_(std::move(sink)), clock_(clock), threads_(threads) {}

  void run(std::unique_ptr<Instance> instance) {
    instance_ = std::move(instance);
    alive_ = threads_;
    sweeping_ = true;
    for (std::uint32_t i = 0; i < threads_; ++i) std::thread([self = shared_from_this()] { self->work(); }).detach();
    std::thread([self = shared_from_this()] { self->sweep(); }).detach();
  }

  void submit(std::vector<delivery::Delivery> deliveries) {
    {
      const std::scoped_lock lock(mutex_);
      for (auto& one : deliveries) queue_.push_back({std::move(one), {}, {}});
    }
    wakes_.notify_all();
  }

  void checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done) {
    {
      const std::scoped_lock lock(mutex_);
      queue_.push_front({{}, std::move(checkpoint), std::move(done)});
    }
    wakes_.notify_all();
  }

  // A finished call, from handle or from a plugin's thread.
  void finished(delivery::Completion completion) {
    if (collecting() != nullptr) {
      collecting()->push_back(std::move(completion));
    } else {
      std::vector<delivery::Completion> one;
      one.push_back(std::move(completion));
      sink_->completed(std::move(one));
    }
  }

  // True when every thread came out in time; else the instance is written off.
  bool stop(MonotonicTime deadline) {
    std::unique_lock lock(mutex_);
    stops_ = true;
    queue_.clear();
    wakes_.notify_all();
    sweeps_.notify_all();
    const auto gone = [&] { return alive_ == 0 && !sweeping_ && instance_->deferred() == 0; };
    while (!gone() && clock_.monotonic() < deadline) left_.wait_for(lock, 10ms);
    if (!gone()) {
      instance_->cancel_all();
      for (const auto grace = clock_.monotonic() + 500ms; !gone() && clock_.monotonic() < grace;) left_.wait_for(lock, 10ms);
    }
    if (alive_ != 0 || sweeping_) return false;
    lock.unlock();
    instance_->stop();
    instance_.reset();
    return true;
  }

 private:
  struct Task {
    delivery::Delivery delivery;
    std::optional<delivery::Checkpoint> checkpoint;
    std::function<void(Result<>)> done;
  };

  // Where this thread gathers its completions while it works through what it took.
  static std::vector<delivery::Completion>*& collecting() {
    thread_local std::vector<delivery::Completion>* here = nullptr;
    return here;
  }

  void work() {
    std::vector<Task> taken;
    std::vector<delivery::Completion> completions;
    collecting() = &completions;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        wakes_.wait(lock, [&] { return stops_ || !queue_.empty(); });
        if (stops_) break;
        // A concurrent instance's threads take one at a time: a call that hangs holds nobody else's.
        const std::size_t count = threads_ == 1 ? std::min(kTakeMax, queue_.size()) : 1;
        for (std::size_t i = 0; i < count; ++i) {
          taken.push_back(std::move(queue_.front()));
          queue_.pop_front();
        }
      }
      for (Task& task : taken) {
        if (task.checkpoint) {
          flush(completions);
          task.done(instance_->checkpoint(*task.checkpoint));
        } else if (!stops_) {
          instance_->handle(std::move(task.delivery));
        }
      }
      taken.clear();
      flush(completions);
    }
    collecting() = nullptr;
    const std::scoped_lock lock(mutex_);
    --alive_;
    left_.notify_all();
  }

  void flush(std::vector<delivery::Completion>& completions) {
    if (completions.empty()) return;
    sink_->completed(std::move(completions));
    completions.clear();
  }

  void sweep() {
    std::unique_lock lock(mutex_);
    while (!stops_) {
      lock.unlock();
      instance_->sweep(clock_.monotonic());
      lock.lock();
      if (!stops_) sweeps_.wait_for(lock, kSweepInterval);
    }
    sweeping_ = false;
    left_.notify_all();
  }

  const std::shared_ptr<delivery::Sink> sink_;
  const Clock& clock_;
  const std::uint32_t threads_;
  std::shared_ptr<Instance> instance_;
  std::mutex mutex_;
  std::condition_variable wakes_, left_, sweeps_;
  std::deque<Task> queue_;
  std::uint32_t alive_ = 0;
  bool sweeping_ = false;
  std::atomic<bool> stops_{false};
};

class InstanceSubscriber final : public delivery::Subscriber {
 public:
  InstanceSubscriber(std::shared_ptr<const Library> library, SubscriberSettings settings, std::shared_ptr<PluginMetrics> metrics, const Clock& clock)
      : library_(std::move(library)), settings_(std::move(settings)), metrics_(std::move(metrics)), clock_(clock) {
    traits_.concurrency = settings_.concurrency;
    traits_.max_in_flight = settings_.max_in_flight;
    traits_.has_checkpoint = true;  // known only once an instance exists; one without the function answers at once
    const OnReplay on_replay = library_->info().on_replay;
    using Declared = delivery::Traits::OnReplay;
    traits_.on_replay = on_replay == OnReplay::safe ? Declared::safe : on_replay == OnReplay::reset_only ? Declared::reset_only : Declared::ask;
  }
  ~InstanceSubscriber() override { stop(clock_.monotonic()); }

  const delivery::Traits& traits() const override { return traits_; }

  Result<std::uint64_t> start(const delivery::StartRequest& request) override {
    stop(clock_.monotonic());
    auto crew = std::make_shared<Crew>(request.sink, clock_, settings_.concurrency);
    std::uint64_t token = request.token;
    const std::weak_ptr<Crew> weak = crew;
    HOOKHOST_TRY(auto instance, Instance::start(library_, settings_.instance, metrics_, request.kv, request.reset, token,
                                                [weak](delivery::Completion completion) {
                                                  if (const auto alive = weak.lock()) alive->finished(std::move(completion));
                                                },
                                                clock_));
    has_checkpoint_ = instance->has_checkpoint();
    traits_.has_checkpoint = has_checkpoint_;
    crew->run(std::move(instance));
    crew_ = std::move(crew);
    return token;
  }

  void submit(std::vector<delivery::Delivery> deliveries) override { crew_->submit(std::move(deliveries)); }

  void checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done) override {
    if (!has_checkpoint_) return done(success());
    crew_->checkpoint(std::move(checkpoint), std::move(done));
  }

  void stop(MonotonicTime deadline) override {
    const auto crew = std::exchange(crew_, nullptr);
    if (!crew || crew->stop(deadline)) return;
    diagnose(Level::error, "plugins", "a call did not come back; the instance is written off with its thread, restart the host to be rid of it",
             {{"instance", settings_.instance.name}});
  }

 private:
  const std::shared_ptr<const Library> library_;
  const SubscriberSettings settings_;
  const std::shared_ptr<PluginMetrics> metrics_;
  const Clock& clock_;
  delivery::Traits traits_;
  bool has_checkpoint_ = false;
  std::shared_ptr<Crew> crew_;
};

}  // namespace

std::unique_ptr<delivery::Subscriber> make_subscriber(std::shared_ptr<const Library> library, SubscriberSettings settings,
                                                      std::shared_ptr<PluginMetrics> metrics, const Clock& clock) {
  return std::make_unique<InstanceSubscriber>(std::move(library), std::move(settings), std::move(metrics), clock);
}

}  // namespace hookhost::plugins
