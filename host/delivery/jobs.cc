#include "delivery/jobs.h"

#include <utility>

namespace hookhost::delivery {

void Jobs::run(std::function<void()> job) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(job));
  if (idle_ < waiting_.size() && threads_.size() < threads_max_ && !finishing_) {
    threads_.emplace_back([this] { work(); });
  }
  changed_.notify_one();
}

void Jobs::finish() {
  std::vector<std::thread> threads;
  {
    const std::lock_guard lock(mutex_);
    finishing_ = true;
    threads.swap(threads_);
  }
  changed_.notify_all();
  for (auto& thread : threads) thread.join();
}

void Jobs::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    ++idle_;
    changed_.wait(lock, [&] { return finishing_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return;
    auto job = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
  }
}

}  // namespace hookhost::delivery
