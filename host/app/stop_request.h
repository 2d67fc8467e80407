// The wish that the host ends, and what it does to those that wait for something else meanwhile: they wait no longer.
//
// Threads: every function from every thread.
#pragma once

#include <condition_variable>
#include <mutex>

#include "base/clock.h"

namespace hookhost::app {

class StopRequest {
 public:
  void ask() {
    const std::scoped_lock lock(mutex_);
    asked_ = true;
    wakes_.notify_all();
  }
  [[nodiscard]] bool asked() const {
    const std::scoped_lock lock(mutex_);
    return asked_;
  }
  // What wait_for() waits for may be there.
  void look_again() {
    const std::scoped_lock lock(mutex_);
    wakes_.notify_all();
  }

  void wait() {
    std::unique_lock lock(mutex_);
    wakes_.wait(lock, [&] { return asked_; });
  }
  // Whether it is, within that time.
  [[nodiscard]] bool asked_within(Duration patience) {
    std::unique_lock lock(mutex_);
    return wakes_.wait_for(lock, patience, [&] { return asked_; });
  }
  // Until `is_there()`, a stop is asked for, or `patience` (if any) is over. Whether it is there. `is_there` must not block, nor call this object.
  template <class IsThere>
  [[nodiscard]] bool wait_for(IsThere is_there) {
    std::unique_lock lock(mutex_);
    wakes_.wait(lock, [&] { return asked_ || is_there(); });
    return is_there();
  }
  template <class IsThere>
  [[nodiscard]] bool wait_for(Duration patience, IsThere is_there) {
    std::unique_lock lock(mutex_);
    wakes_.wait_for(lock, patience, [&] { return asked_ || is_there(); });
    return is_there();
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  bool asked_ = false;
};

}  // namespace hookhost::app
