#include "http/reactors.h"

#include <pistache/os.h>
#include <pistache/reactor.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "base/diagnostics.h"

namespace hookhost::http {
namespace {

namespace aio = Pistache::Aio;
namespace polling = Pistache::Polling;

// What one connection may bring in one round of its thread.
constexpr std::size_t kRoundBytes = 16 * 1024;

std::int64_t now_ns() { return system_clock().monotonic().time_since_epoch().count(); }

// One reactor thread: its connections by descriptor, so that their table needs no lock. Descriptors are watched level-triggered: what is
// left in a socket after a round comes in the next one.
class Loop final : public aio::Handler {
 public:
  Loop() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (wake_ < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  }
  ~Loop() override { ::close(wake_); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  std::shared_ptr<aio::Handler> clone() const override { return std::make_shared<Loop>(); }

  void registerPoller(polling::Epoll& poller) override {
    poller.addFd(wake_, Pistache::Flags<polling::NotifyOn>(polling::NotifyOn::Read), polling::Tag(static_cast<std::uint64_t>(wake_)));
  }

  void add(int descriptor, std::shared_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      arrived_.emplace_back(descriptor, std::move(connection));
    }
    ::eventfd_write(wake_, 1);
  }

  void onReady(const aio::FdSet& ready) override {
    busy_since_ns_.store(now_ns(), std::memory_order_relaxed);
    for (const auto& entry : ready) {
      try {
        const auto descriptor = static_cast<int>(entry.getTag().value());
        descriptor == wake_ ? take_arrivals() : read_once(descriptor, entry.isHangup());
      } catch (const std::exception& error) {
        diagnose(Level::error, "http", "a reactor met an exception", {{"reason", error.what()}});
      } catch (...) {
        diagnose(Level::error, "http", "a reactor met an exception", {{"reason", "not a std::exception"}});
      }
    }
    busy_since_ns_.store(0, std::memory_order_relaxed);
  }

  // 0: waiting for something to happen.
  [[nodiscard]] std::int64_t busy_since_ns() const { return busy_since_ns_.load(std::memory_order_relaxed); }

 private:
  void take_arrivals() {
    eventfd_t ignored = 0;
    ::eventfd_read(wake_, &ignored);
    std::vector<std::pair<int, std::shared_ptr<Connection>>> arrived;
    {
      const std::lock_guard lock(mutex_);
      arrived.swap(arrived_);
    }
    for (auto& [descriptor, connection] : arrived) {
      connections_[descriptor] = std::move(connection);
      watch(descriptor, [&] { reactor()->registerFd(key(), descriptor, polling::NotifyOn::Read); });
    }
  }

  template <class Call>
  void watch(int descriptor, Call call) {
    try {
      call();
    } catch (const std::exception& error) {
      diagnose(Level::error, "http", "a connection cannot be watched", {{"reason", error.what()}});
      end(descriptor);
    }
  }

  // A hang-up is the end of both directions, or a reset; what came before it may still be unread.
  void read_once(int descriptor, bool is_hung_up) {
    const auto found = connections_.find(descriptor);
    if (found == connections_.end()) return;
    ssize_t got = 0;
    do {
      got = ::recv(descriptor, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0) return found->second->receive({buffer_.data(), static_cast<std::size_t>(got)});
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (got < 0 || is_hung_up || !found->second->input_ended()) return end(descriptor);
    // The end of input would be ready in each round.
    watch(descriptor, [&] { reactor()->modifyFd(key(), descriptor, polling::NotifyOn::Hangup); });
  }

  // Order: the connection first, so that nobody uses the descriptor's number once another one may have it.
  void end(int descriptor) {
    const auto found = connections_.find(descriptor);
    found->second->disconnected();
    connections_.erase(found);
    try {
      reactor()->removeFd(key(), descriptor);
    } catch (const std::exception&) {  // it was not watched
    }
    ::close(descriptor);
  }

  const int wake_;
  std::atomic<std::int64_t> busy_since_ns_{0};
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;
  std::array<char, kRoundBytes> buffer_;
  std::mutex mutex_;
  std::vector<std::pair<int, std::shared_ptr<Connection>>> arrived_;
};

}  // namespace

struct Reactors::Impl {
  std::shared_ptr<aio::Reactor> reactor;
  std::vector<std::shared_ptr<Loop>> loops;
  std::size_t next = 0;
  bool is_running = false;
};

Reactors::Reactors(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reactors::~Reactors() { stop(); }

Result<std::unique_ptr<Reactors>> Reactors::start(unsigned threads, const std::string& name) {
  try {
    auto impl = std::make_unique<Impl>();
    impl->reactor = aio::Reactor::create();
    impl->reactor->init(aio::AsyncContext(threads, name));
    const auto key = impl->reactor->addHandler(std::make_shared<Loop>());
    for (const auto& handler : impl->reactor->handlers(key)) impl->loops.push_back(std::static_pointer_cast<Loop>(handler));
    impl->reactor->run();
    impl->is_running = true;
    return std::make_unique<Reactors>(std::move(impl));
  } catch (const std::exception& error) {
    return fail(ErrorCode::io_error, std::string("cannot start the reactor threads: ") + error.what());
  }
}

void Reactors::add(int descriptor, std::shared_ptr<Connection> connection) {
  impl_->loops[impl_->next++ % impl_->loops.size()]->add(descriptor, std::move(connection));
}

void Reactors::stop() {
  if (!impl_->is_running) return;
  impl_->is_running = false;
  impl_->reactor->shutdown();
  impl_->reactor.reset();  // joins
  impl_->loops.clear();
}

bool Reactors::is_alive(Duration within) const {
  for (const auto& loop : impl_->loops) {
    const std::int64_t since = loop->busy_since_ns();
    if (since != 0 && now_ns() - since > within.count()) return false;
  }
  return true;
}

}  // namespace hookhost::http
