#include "delivery/jobs.h"

#include <thread>
#include <utility>

#include "base/thread_name.h"

namespace hookhost::delivery {

Jobs::Jobs(std::size_t threads_max) : threads_max_(threads_max) {}

Jobs::~Jobs() { finish(Duration::zero()); }

void Jobs::run(std::function<void()> job) {
  const std::lock_guard lock(state_->mutex);
  if (state_->finishing) return;
  state_->waiting.push_back(std::move(job));
  if (state_->idle < state_->waiting.size() && state_->threads < threads_max_) {
    ++state_->threads;
    std::thread([state = state_] { work(state); }).detach();
  }
  state_->changed.notify_one();
}

void Jobs::finish(Duration patience) {
  std::unique_lock lock(state_->mutex);
  state_->finishing = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, patience, [&] { return state_->threads == state_->outside && state_->waiting.empty(); });
  state_->finished = true;
}

bool Jobs::Outside::call(const std::function<void()>& code) const {
  const auto count = [&](std::size_t outside) {
    state_->outside = outside;
    state_->changed.notify_all();
  };
  std::unique_lock lock(state_->mutex);
  count(state_->outside + 1);
  lock.unlock();
  code();
  lock.lock();
  count(state_->outside - 1);
  return !state_->finished;
}

void Jobs::work(const std::shared_ptr<State>& state) {
  name_this_thread("job");
  std::unique_lock lock(state->mutex);
  for (;;) {
    ++state->idle;
    state->changed.wait(lock, [&] { return state->finishing || !state->waiting.empty(); });
    --state->idle;
    if (state->waiting.empty()) break;
    auto job = std::move(state->waiting.front());
    state->waiting.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
  --state->threads;
  state->changed.notify_all();
}

}  // namespace hookhost::delivery
