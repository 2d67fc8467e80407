// Two threads beside the reactors: the caretaker ends what takes too long and sends what a socket did not take at once; the pump goes on
// with input that waited behind an answer. The handler is called by the pump, so a slow handler cannot stop the deadlines.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "http/connection.h"

namespace hookhost::http {

// Every connection of one server. Threads: all.
class Registry {
 public:
  void add(const std::shared_ptr<Connection>& connection);
  [[nodiscard]] std::vector<std::shared_ptr<Connection>> snapshot() const;
  void remove_closed();  // those that are disconnected and that nobody answers any more
  [[nodiscard]] std::size_t open_count() const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::shared_ptr<Connection>> connections_;
};

class Caretaker {
 public:
  Caretaker(Registry& registry, const Clock& clock, Duration period);
  ~Caretaker();
  void flush_later(std::shared_ptr<Connection> connection);
  void stop();

 private:
  void run();
  void flush_and_wait();

  Registry& registry_;
  const Clock& clock_;
  const Duration period_;
  int wake_;
  std::atomic<bool> is_stopping_{false};
  std::mutex mutex_;
  std::vector<std::shared_ptr<Connection>> arrived_;
  std::vector<std::shared_ptr<Connection>> flushing_;  // the thread's
  std::thread thread_;
};

class Pump {
 public:
  Pump();
  ~Pump();
  void continue_later(std::shared_ptr<Connection> connection);
  void stop();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<Connection>> waiting_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace hookhost::http
