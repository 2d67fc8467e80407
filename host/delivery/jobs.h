// Threads for what may block: starting and stopping instances, reading the store. A thread is made when none is idle, up to a bound,
// so that one start that hangs keeps nobody else waiting.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace hookhost::delivery {

// Threads: run() from every thread.
class Jobs {
 public:
  explicit Jobs(std::size_t threads_max = 32) : threads_max_(threads_max) {}
  ~Jobs() { finish(); }
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  void run(std::function<void()> job);
  // Runs what waits, then ends the threads. Blocks until the last job has returned.
  void finish();

 private:
  void work();

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool finishing_ = false;
};

}  // namespace hookhost::delivery
