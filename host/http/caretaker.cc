#include "http/caretaker.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/assert.h"
#include "base/diagnostics.h"
#include "base/thread_name.h"

namespace hookhost::http {

void Registry::add(const std::shared_ptr<Connection>& connection) {
  const std::lock_guard lock(mutex_);
  connections_.push_back(connection);
}

std::vector<std::shared_ptr<Connection>> Registry::snapshot() const {
  const std::lock_guard lock(mutex_);
  return connections_;
}

void Registry::remove_closed() {
  const std::lock_guard lock(mutex_);
  std::erase_if(connections_, [](const auto& connection) { return connection->is_disconnected(); });
}

std::size_t Registry::open_count() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(connections_.begin(), connections_.end(), [](const auto& each) { return !each->is_disconnected(); }));
}

Caretaker::Caretaker(Registry& registry, const Clock& clock, Duration period)
    : registry_(registry), clock_(clock), period_(period), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  HOOKHOST_ASSERT(wake_ >= 0);
  thread_ = std::thread([this] { run(); });
}

Caretaker::~Caretaker() {
  stop();
  ::close(wake_);
}

void Caretaker::stop() {
  is_stopping_ = true;
  ::eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
  flushing_.clear();  // a connection keeps what all of them share, and that this
  std::vector<std::shared_ptr<Connection>> arrived;
  const std::lock_guard lock(mutex_);
  arrived.swap(arrived_);
}

void Caretaker::flush_later(std::shared_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    arrived_.push_back(std::move(connection));
  }
  ::eventfd_write(wake_, 1);
}

void Caretaker::run() {
  name_this_thread("http timers");
  MonotonicTime next_sweep{};
  while (!is_stopping_) {
    try {
      flush_and_wait();
      // The sweep's rhythm is the machine's; what is due is a matter of the clock given.
      const MonotonicTime now = system_clock().monotonic();
      if (now < next_sweep) continue;
      next_sweep = now + period_;
      registry_.remove_closed();
      const MonotonicTime given = clock_.monotonic();
      for (const auto& connection : registry_.snapshot()) connection->on_deadline(given);
    } catch (const std::exception& error) {
      diagnose(Level::error, "http", "the caretaker met an exception", {{"reason", error.what()}});
    }
  }
}

void Caretaker::flush_and_wait() {
  {
    const std::lock_guard lock(mutex_);
    for (auto& connection : arrived_) {
      if (std::find(flushing_.begin(), flushing_.end(), connection) == flushing_.end()) flushing_.push_back(std::move(connection));
    }
    arrived_.clear();
  }
  std::vector<pollfd> waits{{wake_, POLLIN, 0}};
  std::erase_if(flushing_, [&](const auto& connection) {
    const int descriptor = connection->flush();
    if (descriptor >= 0) waits.push_back({descriptor, POLLOUT, 0});
    return descriptor < 0;
  });
  ::poll(waits.data(), waits.size(), static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(period_).count()));
  eventfd_t ignored = 0;
  ::eventfd_read(wake_, &ignored);
}

Pump::Pump() : thread_([this] { run(); }) {}
Pump::~Pump() { stop(); }

void Pump::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  waiting_.clear();  // as the caretaker's; nothing comes any more
}

void Pump::continue_later(std::shared_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    waiting_.push_back(std::move(connection));
  }
  changed_.notify_one();
}

void Pump::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
    if (is_stopping_) return;
    const auto connection = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    try {
      connection->continue_input();
    } catch (const std::exception& error) {
      diagnose(Level::error, "http", "the pump met an exception", {{"reason", error.what()}});
    }
    lock.lock();
  }
}

}  // namespace hookhost::http
