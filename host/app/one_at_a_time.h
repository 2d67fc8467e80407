// Whoever holds a name has it alone; who holds another one waits for nobody.
//
// Threads: every function from every thread; hold() blocks while somebody else has the name.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <utility>

namespace hookhost::app {

class OneAtATime {
 public:
  class Held {
   public:
    Held(OneAtATime& of, std::string name) : of_(&of), name_(std::move(name)) {}
    Held(Held&& other) noexcept : of_(std::exchange(other.of_, nullptr)), name_(std::move(other.name_)) {}
    Held& operator=(Held&&) = delete;
    ~Held() {
      if (of_ != nullptr) of_->release(name_);
    }

   private:
    OneAtATime* of_;
    std::string name_;
  };

  [[nodiscard]] Held hold(std::string name) {
    std::unique_lock lock(mutex_);
    released_.wait(lock, [&] { return held_.insert(name).second; });
    return {*this, std::move(name)};
  }

 private:
  void release(const std::string& name) {
    {
      const std::scoped_lock lock(mutex_);
      held_.erase(name);
    }
    released_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable released_;
  std::set<std::string> held_;
};

}  // namespace hookhost::app
