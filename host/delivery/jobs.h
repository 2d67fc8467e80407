// Threads for what may block: starting and stopping instances, reading the store. A thread is made when none is idle, up to a bound,
// so that one start that hangs keeps nobody else waiting.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "base/clock.h"

namespace hookhost::delivery {

// Threads: run() from every thread.
class Jobs {
 private:
  struct State;

 public:
  explicit Jobs(std::size_t threads_max = 32);
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  void run(std::function<void()> job);
  // Runs what waits, then ends the threads. A job that has not returned after `patience`, or is Outside, is written off with its thread: there is no
  // way to end a thread that hangs inside somebody's code.
  void finish(Duration patience);

  // Somebody's code, called by a job.
  class Outside {
   public:
    // False: finish() returned meanwhile, and whatever the job belonged to may be gone.
    [[nodiscard]] bool call(const std::function<void()>& code) const;

   private:
    friend class Jobs;
    explicit Outside(std::shared_ptr<State> state) : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
  };
  [[nodiscard]] Outside outside() const { return Outside(state_); }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::function<void()>> waiting;
    std::size_t threads = 0;
    std::size_t idle = 0;
    std::size_t outside = 0;
    bool finishing = false;
    bool finished = false;
  };
  static void work(const std::shared_ptr<State>& state);

  const std::size_t threads_max_;
  const std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace hookhost::delivery
