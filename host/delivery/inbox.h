// What other threads ask of the loop. Threads: post() from every thread; it never blocks on work. take() is the loop's.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace hookhost::delivery {

class Inbox {
 public:
  using Task = std::function<void()>;

  // False when the inbox is closed: the task is dropped and will not run.
  bool post(Task task) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return false;
      tasks_.push_back(std::move(task));
      if (tasks_.size() > 1 || awake_) return true;
    }
    arrived_.notify_one();
    return true;
  }

  // Waits for tasks, at most `patience`, and takes all.
  std::vector<Task> take(Duration patience) {
    std::unique_lock lock(mutex_);
    awake_ = false;
    if (tasks_.empty() && patience > Duration::zero()) arrived_.wait_for(lock, patience, [&] { return !tasks_.empty(); });
    awake_ = true;
    return std::exchange(tasks_, {});
  }

  void close() {
    std::vector<Task> dropped;
    const std::lock_guard lock(mutex_);
    closed_ = true;
    dropped.swap(tasks_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::vector<Task> tasks_;
  bool awake_ = false;  // the loop looks again before it waits
  bool closed_ = false;
};

}  // namespace hookhost::delivery
