#include "http/reactors.h"

#include <pistache/peer.h>
#include <pistache/reactor.h>
#include <pistache/tcp.h>
#include <pistache/transport.h>
#include <unistd.h>

#include <atomic>
#include <unordered_map>
#include <vector>

#include "base/diagnostics.h"

namespace hookhost::http {
namespace {

namespace tcp = Pistache::Tcp;
namespace aio = Pistache::Aio;

constexpr const char* kConnectionKey = "connection";

struct Heartbeat {
  std::atomic<std::int64_t> busy_since_ns{0};  // 0: waiting for something to happen
};

std::int64_t now_ns() { return system_clock().monotonic().time_since_epoch().count(); }

void report(const char* where, const char* what) {
  diagnose(Level::error, "http", "a reactor met an exception", {{"in", where}, {"reason", what}});
}

// One per reactor thread, so its table needs no lock. Pistache calls it on that thread only.
class Feeder final : public tcp::Handler {
 public:
  PROTOTYPE_OF(tcp::Handler, Feeder)

  Feeder() = default;
  Feeder(const Feeder& /*prototype*/) : tcp::Handler() {}

  void onConnection(const std::shared_ptr<tcp::Peer>& peer) override {
    try {
      connections_[peer->fd()] = std::static_pointer_cast<Connection>(peer->getData(kConnectionKey));
    } catch (const std::exception& error) {
      report("onConnection", error.what());
    } catch (...) {
      report("onConnection", "not a std::exception");
    }
  }

  void onInput(const char* buffer, std::size_t size, const std::shared_ptr<tcp::Peer>& peer) override {
    try {
      const auto found = connections_.find(peer->fd());
      if (found != connections_.end()) found->second->receive({buffer, size});
    } catch (const std::exception& error) {
      report("onInput", error.what());
    } catch (...) {
      report("onInput", "not a std::exception");
    }
  }

  void onDisconnection(const std::shared_ptr<tcp::Peer>& peer) override {
    try {
      const auto found = connections_.find(peer->fd());
      if (found == connections_.end()) return;
      found->second->disconnected();
      connections_.erase(found);
    } catch (const std::exception& error) {
      report("onDisconnection", error.what());
    } catch (...) {
      report("onDisconnection", "not a std::exception");
    }
  }

 private:
  std::unordered_map<int, std::shared_ptr<Connection>> connections_;
};

// Pistache's transport with a heartbeat, and with no way for an exception to end the process.
class Transport final : public tcp::Transport {
 public:
  using tcp::Transport::Transport;

  std::shared_ptr<aio::Handler> clone() const override { return std::make_shared<Transport>(std::make_shared<Feeder>()); }

  void onReady(const aio::FdSet& descriptors) override {
    heartbeat_.busy_since_ns.store(now_ns(), std::memory_order_relaxed);
    try {
      tcp::Transport::onReady(descriptors);
    } catch (const std::exception& error) {
      report("onReady", error.what());
    } catch (...) {
      report("onReady", "not a std::exception");
    }
    heartbeat_.busy_since_ns.store(0, std::memory_order_relaxed);
  }

  [[nodiscard]] const Heartbeat& heartbeat() const { return heartbeat_; }

 private:
  Heartbeat heartbeat_;
};

}  // namespace

struct Reactors::Impl {
  std::shared_ptr<aio::Reactor> reactor;
  std::vector<std::shared_ptr<Transport>> transports;
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
    const auto key = impl->reactor->addHandler(std::make_shared<Transport>(std::make_shared<Feeder>()));
    for (const auto& handler : impl->reactor->handlers(key)) {
      impl->transports.push_back(std::static_pointer_cast<Transport>(handler));
    }
    impl->reactor->run();
    impl->is_running = true;
    return std::make_unique<Reactors>(std::move(impl));
  } catch (const std::exception& error) {
    return fail(ErrorCode::io_error, std::string("cannot start the reactor threads: ") + error.what());
  }
}

bool Reactors::add(int descriptor, const sockaddr_storage& address, std::shared_ptr<Connection> connection) {
  try {
    sockaddr_storage copy = address;
    auto peer = tcp::Peer::Create(descriptor, Pistache::Address::fromUnix(reinterpret_cast<sockaddr*>(&copy)));
    peer->putData(kConnectionKey, std::move(connection));
    impl_->transports[impl_->next++ % impl_->transports.size()]->handleNewPeer(peer);
    return true;
  } catch (const std::exception& error) {
    report("add", error.what());
    ::close(descriptor);
    return false;
  }
}

void Reactors::stop() {
  if (!impl_->is_running) return;
  impl_->is_running = false;
  impl_->reactor->shutdown();
  impl_->reactor.reset();  // joins
  impl_->transports.clear();
}

bool Reactors::is_alive(Duration within) const {
  for (const auto& transport : impl_->transports) {
    const std::int64_t since = transport->heartbeat().busy_since_ns.load(std::memory_order_relaxed);
    if (since != 0 && now_ns() - since > within.count()) return false;
  }
  return true;
}

}  // namespace hookhost::http
