#include "plugins/crew.h"

#include <algorithm>
#include <thread>

#include "base/thread_name.h"

namespace hookhost::plugins {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kTakeMax = 256;        // deliveries that a serial instance's thread takes at once
constexpr Duration kSweepInterval = 50ms;
constexpr Duration kFlushAfter = 1ms;        // of work between two reports to the engine
constexpr auto kGrace = 500ms;               // between a cancellation and writing the instance off
constexpr std::size_t kAbandonedMax = 1024;  // timed-out calls whose memory the plugin keeps

}  // namespace

void Crew::run(std::unique_ptr<Instance> instance) {
  instance_ = std::move(instance);
  alive_ = threads_;
  sweeping_ = true;
  for (std::uint32_t i = 0; i < threads_; ++i) baskets_.push_back(std::make_unique<Basket>());
  for (std::uint32_t i = 0; i < threads_; ++i) std::thread([self = shared_from_this(), i] { self->work(*self->baskets_[i]); }).detach();
  std::thread([self = shared_from_this()]() { self->sweep(); }).detach();
}

void Crew::submit(std::vector<delivery::Delivery> deliveries) {
  {
    const std::scoped_lock lock(mutex_);
    if (stops_) return;
    for (auto& one : deliveries) queue_.push_back({std::move(one), {}, {}, {}});
  }
  wakes_.notify_all();
}

void Crew::quiesce(std::function<void(Result<>)> quiet) {
  if (threads_ > 1) return quiet(success());
  commit_next({{}, {}, std::move(quiet), {}});
}

void Crew::checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done) { commit_next({{}, std::move(checkpoint), std::move(done), {}}); }

void Crew::commit_next(Task task) {
  {
    const std::scoped_lock lock(mutex_);
    if (!stops_) {
      queue_.push_front(std::move(task));
      wakes_.notify_all();
      return;
    }
  }
  task.done(overtaken());
}

void Crew::run_between_calls(std::function<void(Instance&)> errand) {
  const std::scoped_lock lock(mutex_);
  if (stops_) return;
  queue_.insert(behind_commits(), Task{{}, {}, {}, std::move(errand)});
  wakes_.notify_all();
}

void Crew::finished(delivery::Completion completion) {
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

bool Crew::stop(MonotonicTime deadline, std::vector<std::uint64_t>& still_run) {
  std::deque<Task> unstarted;
  std::unique_lock lock(mutex_);
  stops_ = true;
  unstarted.swap(queue_);
  wakes_.notify_all();
  lock.unlock();
  for (Task& task : unstarted) {
    if (task.done) task.done(overtaken());
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
  if (!out) {
    for (const auto& basket : baskets_) {
      if (const std::uint64_t id = basket->running; id != kNoCall) still_run.push_back(id);
    }
    return false;
  }
  // The plugin's own stop may hang, too: it runs where that holds up nobody.
  std::thread([self = shared_from_this()] { self->close(); }).detach();
  lock.lock();
  while (!closed_ && clock_.monotonic() < deadline) left_.wait_for(lock, 10ms);
  return wait_for_grace(lock, [&] { return closed_; });
}

bool Crew::wait_for_grace(std::unique_lock<std::mutex>& lock, const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + kGrace;
  while (!condition() && std::chrono::steady_clock::now() < until) left_.wait_for(lock, 10ms);
  return condition();
}

std::size_t Crew::room() {
  full_ = true;
  const std::size_t open = instance_->open();
  if (open >= calls_max_) return 0;
  full_ = false;
  return calls_max_ - open;
}

bool Crew::take(std::vector<Task>& taken, std::uint64_t& recalls) {
  std::unique_lock lock(mutex_);
  std::size_t calls = 0;
  wakes_.wait(lock, [&] { return stops_ || (!queue_.empty() && (!queue_.front().is_call() || (!quiet_ && (calls = room()) > 0))); });
  if (stops_) return false;
  recalls = recalls_;
  // A concurrent instance's threads take one at a time: a call that hangs holds nobody else's.
  const std::size_t count = threads_ == 1 ? std::min({kTakeMax, queue_.size(), std::max<std::size_t>(1, calls)}) : 1;
  while (taken.size() < count && (taken.empty() || !(taken.front().commits() || queue_.front().commits() || (quiet_ && queue_.front().is_call())))) {
    taken.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  if (taken.front().commits()) quiet_ = !taken.front().checkpoint;
  return true;
}

void Crew::give_back(std::vector<Task>& taken, std::size_t from) {
  const std::scoped_lock lock(mutex_);
  if (stops_) return;
  queue_.insert(behind_commits(), std::make_move_iterator(taken.begin() + static_cast<std::ptrdiff_t>(from)), std::make_move_iterator(taken.end()));
}

std::deque<Crew::Task>::iterator Crew::behind_commits() {
  return std::find_if(queue_.begin(), queue_.end(), [](const Task& task) { return !task.commits(); });
}

void Crew::recall(std::vector<delivery::Completion>& out) {
  const std::scoped_lock lock(mutex_);
  ++recalls_;
  std::erase_if(queue_, [&](const Task& task) {
    if (task.is_call()) out.push_back(not_called(task.delivery.id));
    return task.is_call();
  });
}

delivery::Completion Crew::not_called(std::uint64_t id) {
  delivery::Completion out;
  out.id = id;
  out.outcome.status = delivery::Status::unavailable;
  out.called = false;
  return out;
}

void Crew::work(Basket& basket) {
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
      if (task.done) {
        flush(basket);  // Order: what returned is told first
        std::exchange(task.done, nullptr)(success());
        continue;
      }
      if (task.errand) {
        std::exchange(task.errand, nullptr)(*instance_);
        continue;
      }
      if (recalls != recalls_) {
        const std::scoped_lock lock(basket.mutex);
        basket.completions.push_back(not_called(task.delivery.id));
        continue;
      }
      call(basket, std::move(task.delivery));
      if (clock_.monotonic() - began < kFlushAfter) continue;
      give_back(taken, i + 1);
      break;
    }
    // Here what the stop overtook of a commit is still unanswered.
    if (taken.front().done) taken.front().done(overtaken());
    taken.clear();
    flush(basket);
  }
  own() = {};
  const std::scoped_lock lock(mutex_);
  --alive_;
  left_.notify_all();
}

void Crew::ask_health_when_due() {
  const std::scoped_lock lock(mutex_);
  if (!health_ || stops_ || clock_.monotonic() < health_due_) return;
  health_due_ = MonotonicTime::max();
  queue_.push_back({{}, {}, {}, [this](Instance& instance) { ask_health(instance); }});
  wakes_.notify_one();
}

void Crew::ask_health(Instance& instance) {
  auto problem = instance.health();
  const std::scoped_lock lock(mutex_);
  if (!problem) return;  // it has no health/1, and will not have
  health_->set(std::move(*problem));
  health_due_ = clock_.monotonic() + health_interval_;
}

void Crew::call(Basket& basket, delivery::Delivery delivery) {
  const std::uint64_t id = delivery.id;
  basket.running = id;
  instance_->handle(std::move(delivery));
  basket.running = kNoCall;  // Order: before the look at stops_, so that stop() counts it among those that run or it is completed here
  if (!stops_) return;
  const std::scoped_lock lock(basket.mutex);
  auto& completions = basket.completions;
  const auto is_it = [&](const delivery::Completion& completion) { return completion.id == id; };
  if (std::none_of(completions.begin(), completions.end(), is_it)) completions.push_back(not_called(id));  // it was deferred
}

// With the mutex: when it returns, also what another thread was about to tell has been told.
void Crew::flush(Basket& basket) {
  const std::scoped_lock lock(basket.mutex);
  if (!basket.completions.empty()) sink_->completed(std::exchange(basket.completions, {}));
}

void Crew::sweep() {
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

void Crew::close() {
  instance_->stop();
  instance_.reset();
  const std::scoped_lock lock(mutex_);
  closed_ = true;
  left_.notify_all();
}

}  // namespace hookhost::plugins
