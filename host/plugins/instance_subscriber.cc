#include "plugins/instance_subscriber.h"

#include <condition_variable>
#include <deque>
#include <thread>

#include "base/diagnostics.h"
#include "base/thread_name.h"
#include "plugins/instance.h"

namespace hookhost::plugins {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTakeMax = 256;        // deliveries that a serial instance's thread takes at once
constexpr std::uint32_t kAheadMax = 1024;    // that wait for their turn here while calls are short
constexpr Duration kSweepInterval = 50ms;
constexpr Duration kFlushAfter = 1ms;        // of work between two reports to the engine
constexpr auto kGrace = 500ms;               // between a cancellation and writing the instance off
constexpr std::size_t kAbandonedMax = 1024;  // timed-out calls whose memory the plugin keeps

// The threads of one started instance. Threads that hang in the plugin past the stop keep it alive: it is written off, not freed.
class Crew : public std::enable_shared_from_this<Crew> {
 public:
  Crew(std::shared_ptr<delivery::Sink> sink, const Clock& clock, const SubscriberSettings& settings)
      : sink_(std::move(sink)), clock_(clock), threads_(settings.concurrency), calls_max_(std::max(1U, settings.max_in_flight)),
        health_(settings.health), health_interval_(settings.health_interval) {}

  void run(std::unique_ptr<Instance> instance) {
    instance_ = std::move(instance);
    alive_ = threads_;
    sweeping_ = true;
    for (std::uint32_t i = 0; i < threads_; ++i) baskets_.push_back(std::make_unique<Basket>());
    for (std::uint32_t i = 0; i < threads_; ++i) std::thread([self = shared_from_this(), i] { self->work(*self->baskets_[i]); }).detach();
    std::thread([self = shared_from_this()]() { self->sweep(); }).detach();
  }

  void submit(std::vector<delivery::Delivery> deliveries) {
    {
      const std::scoped_lock lock(mutex_);
      if (stops_) return;
      for (auto& one : deliveries) queue_.push_back({std::move(one), {}, {}, false});
    }
    wakes_.notify_all();
  }

  void checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done) {
    {
      const std::scoped_lock lock(mutex_);
      if (!stops_) {
        queue_.push_front({{}, std::move(checkpoint), std::move(done), false});
        wakes_.notify_all();
        return;
      }
    }
    done(overtaken());
  }

  // A finished call, from handle or from a plugin's thread, which may be a worker of another instance.
  void finished(delivery::Completion completion) {
    std::vector<delivery::Completion> recalled;
    if (completion.outcome.status == delivery::Status::unavailable) recall(recalled);
    if (full_) {
      const std::scoped_lock lock(mutex_);
      full_ = false;
      wakes_.notify_all();
    }
    if (const Own& here = own(); here.crew == this) {
      const std::scoped_lock lock(here.basket->mutex);
      auto& completions = here.basket->completions;
      completions.push_back(std::move(completion));
      std::move(recalled.begin(), recalled.end(), std::back_inserter(completions));
      return;
    }
    recalled.insert(recalled.begin(), std::move(completion));
    sink_->completed(std::move(recalled));
  }

  // True when every thread came out in time and the plugin's stop and destroy returned; else the instance is written off.
  bool stop(MonotonicTime deadline) {
    std::deque<Task> unstarted;
    std::unique_lock lock(mutex_);
    stops_ = true;
    unstarted.swap(queue_);
    wakes_.notify_all();
    lock.unlock();
    for (Task& task : unstarted) {
      if (task.checkpoint) task.done(overtaken());
    }
    lock.lock();
    const auto idle = [&] { return alive_ == 0 && instance_->deferred() == 0; };
    while (!idle() && clock_.monotonic() < deadline) left_.wait_for(lock, 10ms);
    if (!idle()) {
      instance_->cancel_all();
      wait_for_grace(lock, idle);
    }
    ends_ = true;
    sweeps_.notify_all();
    const bool out = wait_for_grace(lock, [&] { return alive_ == 0 && !sweeping_; });
    lock.unlock();
    for (const auto& basket : baskets_) flush(*basket);
    if (!out) return false;
    // The plugin's own stop may hang, too: it runs where that holds up nobody.
    std::thread([self = shared_from_this()] { self->close(); }).detach();
    lock.lock();
    while (!closed_ && clock_.monotonic() < deadline) left_.wait_for(lock, 10ms);
    return wait_for_grace(lock, [&] { return closed_; });
  }

 private:
  struct Task {
    delivery::Delivery delivery;
    std::optional<delivery::Checkpoint> checkpoint;
    std::function<void(Result<>)> done;
    bool asks_health = false;

    [[nodiscard]] bool is_call() const { return !checkpoint && !asks_health; }
  };
  // What one worker's calls answered; the sweep empties it, too, so that a call that hangs holds nothing back.
  struct Basket {
    std::mutex mutex;
    std::vector<delivery::Completion> completions;
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
  template <class Condition>
  bool wait_for_grace(std::unique_lock<std::mutex>& lock, Condition condition) {
    const auto until = std::chrono::steady_clock::now() + kGrace;
    while (!condition() && std::chrono::steady_clock::now() < until) left_.wait_for(lock, 10ms);
    return condition();
  }

  // How many calls more the plugin may have open. Order: `full_` before the count, so that a call that ends meanwhile wakes who found no room.
  std::size_t room() {
    full_ = true;
    const std::size_t open = instance_->open();
    if (open >= calls_max_) return 0;
    full_ = false;
    return calls_max_ - open;
  }

  // What the worker does next. A checkpoint is taken alone, so that no call that hangs sits on it.
  bool take(std::vector<Task>& taken, std::uint64_t& recalls) {
    std::unique_lock lock(mutex_);
    std::size_t calls = 0;
    wakes_.wait(lock, [&] { return stops_ || (!queue_.empty() && (!queue_.front().is_call() || (calls = room()) > 0)); });
    if (stops_) return false;
    recalls = recalls_;
    // A concurrent instance's threads take one at a time: a call that hangs holds nobody else's.
    const std::size_t count = threads_ == 1 ? std::min({kTakeMax, queue_.size(), std::max<std::size_t>(1, calls)}) : 1;
    while (taken.size() < count && (taken.empty() || (!taken.front().checkpoint && !queue_.front().checkpoint))) {
      taken.push_back(std::move(queue_.front()));
      queue_.pop_front();
    }
    return true;
  }

  // What is not begun goes back, before what came since, so that a checkpoint waits for one slow call and not for many.
  void give_back(std::vector<Task>& taken, std::size_t from) {
    const std::scoped_lock lock(mutex_);
    if (stops_) return;
    auto place = queue_.begin();
    while (place != queue_.end() && place->checkpoint) ++place;
    queue_.insert(place, std::make_move_iterator(taken.begin() + static_cast<std::ptrdiff_t>(from)), std::make_move_iterator(taken.end()));
  }

  // The plugin says that it is unavailable: what waits for its turn goes back without a call.
  void recall(std::vector<delivery::Completion>& out) {
    const std::scoped_lock lock(mutex_);
    ++recalls_;
    std::erase_if(queue_, [&](const Task& task) {
      if (task.is_call()) out.push_back(not_called(task));
      return task.is_call();
    });
  }
  static delivery::Completion not_called(const Task& task) {
    delivery::Completion out;
    out.id = task.delivery.id;
    out.outcome.status = delivery::Status::unavailable;
    out.called = false;
    return out;
  }

  void work(Basket& basket) {
    name_this_thread("plugin");
    own() = {this, &basket};
    std::vector<Task> taken;
    std::uint64_t recalls = 0;
    while (take(taken, recalls)) {
      const auto began = clock_.monotonic();
      for (std::size_t i = 0; i < taken.size() && !stops_; ++i) {
        Task& task = taken[i];
        if (task.checkpoint) {
          std::exchange(task.done, nullptr)(instance_->checkpoint(*task.checkpoint));
          continue;
        }
        if (task.asks_health) {
          ask_health();
          continue;
        }
        if (recalls != recalls_) {
          const std::scoped_lock lock(basket.mutex);
          basket.completions.push_back(not_called(task));
          continue;
        }
        instance_->handle(std::move(task.delivery));
        if (clock_.monotonic() - began < kFlushAfter) continue;
        give_back(taken, i + 1);
        break;
      }
      // Here a checkpoint that the stop overtook is still unanswered.
      if (taken.front().checkpoint && taken.front().done) taken.front().done(overtaken());
      taken.clear();
      flush(basket);
    }
    own() = {};
    const std::scoped_lock lock(mutex_);
    --alive_;
    left_.notify_all();
  }

  // Health is asked for on a worker, for a serial instance takes one call at a time; the next time not before it has answered.
  void ask_health_when_due() {
    const std::scoped_lock lock(mutex_);
    if (!health_ || stops_ || clock_.monotonic() < health_due_) return;
    health_due_ = MonotonicTime::max();
    queue_.push_back({{}, {}, {}, true});
    wakes_.notify_one();
  }
  void ask_health() {
    auto problem = instance_->health();
    const std::scoped_lock lock(mutex_);
    if (!problem) return;  // it has no health/1, and will not have
    health_->set(std::move(*problem));
    health_due_ = clock_.monotonic() + health_interval_;
  }

  void flush(Basket& basket) {
    std::vector<delivery::Completion> completions;
    {
      const std::scoped_lock lock(basket.mutex);
      completions.swap(basket.completions);
    }
    if (!completions.empty()) sink_->completed(std::move(completions));
  }

  void sweep() {
    name_this_thread("plugin timers");
    bool lost = false;
    std::unique_lock lock(mutex_);
    while (!ends_) {
      lock.unlock();
      instance_->sweep(clock_.monotonic());
      for (const auto& basket : baskets_) flush(*basket);
      ask_health_when_due();
      if (!lost && instance_->abandoned() > kAbandonedMax) {
        lost = true;
        sink_->lost("the plugin left more than 1024 deferred calls without an answer", {});
      }
      lock.lock();
      if (!ends_) sweeps_.wait_for(lock, kSweepInterval);
    }
    sweeping_ = false;
    left_.notify_all();
  }

  void close() {
    instance_->stop();
    instance_.reset();
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    left_.notify_all();
  }

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
  std::atomic<bool> stops_{false};
  std::atomic<bool> full_{false};  // somebody waits until a call ends
  std::atomic<std::uint64_t> recalls_{0};
};

class InstanceSubscriber final : public delivery::Subscriber {
 public:
  InstanceSubscriber(std::shared_ptr<const Library> library, SubscriberSettings settings, std::shared_ptr<PluginMetrics> metrics, const Clock& clock)
      : library_(std::move(library)), settings_(std::move(settings)), metrics_(std::move(metrics)), clock_(clock) {
    traits_.concurrency = settings_.concurrency;
    traits_.max_in_flight = settings_.max_in_flight;
    traits_.ahead_max = kAheadMax;
    traits_.has_checkpoint = true;  // known only once an instance exists; one without the function answers at once
    const OnReplay on_replay = library_->info().on_replay;
    using Declared = delivery::Traits::OnReplay;
    traits_.on_replay = on_replay == OnReplay::safe ? Declared::safe : on_replay == OnReplay::reset_only ? Declared::reset_only : Declared::ask;
  }
  ~InstanceSubscriber() override { stop(clock_.monotonic()); }

  const delivery::Traits& traits() const override { return traits_; }

  Result<std::uint64_t> start(const delivery::StartRequest& request) override {
    stop(clock_.monotonic());
    if (settings_.concurrency > 1 && !library_->info().concurrent) {
      return fail(ErrorCode::invalid_config, "plugins." + settings_.instance.name + ".concurrency: " + library_->info().id +
                                                 " takes one call at a time; leave concurrency at 1");
    }
    auto crew = std::make_shared<Crew>(request.sink, clock_, settings_);
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

  void submit(std::vector<delivery::Delivery> deliveries) override {
    if (crew_) crew_->submit(std::move(deliveries));
  }

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
