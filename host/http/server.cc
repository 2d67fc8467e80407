#include "http/server.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <thread>

#include "base/diagnostics.h"
#include "http/acceptor.h"
#include "http/caretaker.h"
#include "http/reactors.h"
#include "os/descriptors.h"

namespace hookhost::http {
namespace {

constexpr std::uint32_t kRefusalsAtOnceMax = 64;       // connections above the limit that still get their 503
constexpr std::chrono::milliseconds kDrainPoll{5};
constexpr std::chrono::seconds kRoundMax{5};  // a reactor thread that is in one round for longer is stuck

// Raises the soft limit of descriptors to the hard one and lowers `connections_max` to what then fits.
std::uint32_t fit_connections(const ServerOptions& options) {
  const std::uint32_t connections_max = options.connections_max;
  const std::uint64_t others = std::uint64_t{options.descriptors_of_others} + kRefusalsAtOnceMax;
  const std::uint64_t wanted = connections_max + others;
  const std::uint64_t limit = os::raise_descriptor_limit(wanted);
  if (limit >= wanted) return connections_max;
  const std::uint64_t room = limit > others ? limit - others : std::max<std::uint64_t>(limit / 2, 1);
  diagnose(Level::warn, "http", "connections_max is lowered to what the descriptor limit allows: raise it (ulimit -n)",
           {{"listener", options.name}, {"connections_max", room}, {"descriptors", limit}});
  return static_cast<std::uint32_t>(room);
}

Duration sweep_period(const ServerOptions& options) {
  const Duration shortest = std::min({options.header_timeout, options.body_timeout, options.idle_timeout, options.write_timeout,
                                      options.linger_timeout});
  return std::clamp<Duration>(shortest / 8, std::chrono::milliseconds{5}, std::chrono::milliseconds{250});
}

// Owns the threads. Connections and responders share it, so that an answer given after the end finds a place to be dropped.
// Order of the end: acceptor, reactors, pump, caretaker, then the descriptors that are left.
class Core final : public Shared {
 public:
  Registry registry;
  std::unique_ptr<Acceptor> acceptor;
  std::unique_ptr<Reactors> reactors;
  std::unique_ptr<Caretaker> caretaker;
  std::unique_ptr<Pump> pump;

  void wants_pump(std::shared_ptr<Connection> connection) override { pump->continue_later(std::move(connection)); }
  void wants_caretaker(std::shared_ptr<Connection> connection) override { caretaker->flush_later(std::move(connection)); }

  void on_accept(const std::shared_ptr<Core>& self, int descriptor, const sockaddr_storage& peer) {
    const std::uint64_t open = ++stats.connections;
    ++stats.accepted_connections;
    const bool is_refused = open > options.connections_max;
    if (is_refused) ++stats.refused_connections;
    if (open > std::uint64_t{options.connections_max} + kRefusalsAtOnceMax) {
      --stats.connections;
      ::close(descriptor);
      return;
    }
    const auto connection = std::make_shared<Connection>(self, descriptor, peer_text(peer));
    registry.add(connection);
    if (is_refused) connection->refuse_for_overload();
    reactors->add(descriptor, connection);
  }

  void stop() {
    acceptor->stop();
    reactors->stop();
    pump->stop();
    caretaker->stop();
    for (const auto& connection : registry.snapshot()) connection->close_leftover();
    registry.remove_closed();
  }
};

}  // namespace

class Server::Impl {
 public:
  std::shared_ptr<Core> core;
};

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() { impl_->core->stop(); }

Result<> check_address(const std::string& address) { return Acceptor::check(address); }

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Handler& handler) {
  if (options.threads == 0 || options.threads > 64) return fail(ErrorCode::usage, "listen.threads must be between 1 and 64");
  auto core = std::make_shared<Core>();
  if (options.tls) {
    HOOKHOST_TRY(core->tls, TlsContext::make(options.tls->certificate, options.tls->key));
    options.tls->key.clear();
  }
  HOOKHOST_TRY(core->acceptor, Acceptor::bind(options.address));
  HOOKHOST_TRY(core->reactors, Reactors::start(options.threads, options.name));
  std::signal(SIGPIPE, SIG_IGN);
  options.connections_max = fit_connections(options);
  core->caretaker = std::make_unique<Caretaker>(core->registry, *options.clock, sweep_period(options));
  core->pump = std::make_unique<Pump>();
  core->options = std::move(options);
  core->handler = &handler;
  Core* const raw = core.get();
  // The acceptor's thread ends before the core does, so a weak pointer is always alive there.
  core->acceptor->run([raw, weak = std::weak_ptr<Core>(core)](int descriptor, const sockaddr_storage& peer) {
    if (const auto self = weak.lock()) raw->on_accept(self, descriptor, peer);
  });
  auto impl = std::make_unique<Impl>();
  impl->core = std::move(core);
  return std::unique_ptr<Server>(new Server(std::move(impl)));
}

std::uint16_t Server::port() const { return impl_->core->acceptor->port(); }
const Stats& Server::stats() const { return impl_->core->stats; }
void Server::stop_accepting() { impl_->core->acceptor->stop(); }

bool Server::drain(Duration within) {
  Core& core = *impl_->core;
  core.is_draining = true;
  core.acceptor->stop();
  const MonotonicTime end = system_clock().monotonic() + within;
  for (const auto& connection : core.registry.snapshot()) connection->drain();
  while (core.registry.open_count() > 0 && system_clock().monotonic() < end) std::this_thread::sleep_for(kDrainPoll);
  const bool is_clean = core.registry.open_count() == 0;
  for (const auto& connection : core.registry.snapshot()) connection->cut();
  return is_clean;
}

bool Server::is_alive() const { return impl_->core->reactors->is_alive(kRoundMax); }

}  // namespace hookhost::http
