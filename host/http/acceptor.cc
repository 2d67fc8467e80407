#include "http/acceptor.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/diagnostics.h"
#include "base/host_port.h"
#include "base/line_limit.h"
#include "base/thread_name.h"

namespace hookhost::http {
namespace {

constexpr int kPauseMs = 20;  // when descriptors have run out

std::string reason(int error) { return std::generic_category().message(error); }

// The descriptor, or minus errno.
int listen_on(const addrinfo& where) {
  const int descriptor = ::socket(where.ai_family, where.ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, where.ai_protocol);
  if (descriptor < 0) return -errno;
  const int one = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (::bind(descriptor, where.ai_addr, where.ai_addrlen) == 0 && ::listen(descriptor, SOMAXCONN) == 0) return descriptor;
  const int error = errno;
  ::close(descriptor);
  return -error;
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6&>(address).sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
}

}  // namespace

std::string peer_text(const sockaddr_storage& peer) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (peer.ss_family == AF_INET6) {
    ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(peer).sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(port_of(peer));
  }
  ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(peer).sin_addr, text.data(), text.size());
  return std::string(text.data()) + ":" + std::to_string(port_of(peer));
}

Result<std::unique_ptr<Acceptor>> Acceptor::bind(const std::string& address) {
  HOOKHOST_TRY(const auto parts, parse_host_port(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(parts.host.empty() ? nullptr : parts.host.c_str(), std::to_string(parts.port).c_str(), &hints, &found);
  if (error != 0) return fail(ErrorCode::usage, "'" + address + "' names no address of this machine: " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, &::freeaddrinfo);
  int descriptor = -EADDRNOTAVAIL;
  for (const addrinfo* each = found; each != nullptr && descriptor < 0; each = each->ai_next) descriptor = listen_on(*each);
  if (descriptor < 0) {
    return fail(ErrorCode::io_error, "cannot listen on " + address + ": " + reason(-descriptor) + ". Is another program there?");
  }
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0 || ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    const int failed = errno;
    ::close(descriptor);
    if (wake >= 0) ::close(wake);
    return fail(ErrorCode::io_error, "cannot listen on " + address + ": " + reason(failed));
  }
  return std::unique_ptr<Acceptor>(new Acceptor(descriptor, wake, port_of(bound)));
}

Acceptor::~Acceptor() {
  stop();
  ::close(wake_);
}

void Acceptor::run(OnAccept on_accept) {
  on_accept_ = std::move(on_accept);
  thread_ = std::thread([this] { accept_until_stopped(); });
}

void Acceptor::stop() {
  ::eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void Acceptor::accept_until_stopped() {
  name_this_thread("accept");
  LineLimit lines(system_clock());
  for (;;) {
    std::array<pollfd, 2> waits{{{descriptor_, POLLIN, 0}, {wake_, POLLIN, 0}}};
    ::poll(waits.data(), waits.size(), -1);
    if ((waits[1].revents & POLLIN) != 0) return;
    sockaddr_storage peer{};
    socklen_t size = sizeof peer;
    const int accepted = ::accept4(descriptor_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (accepted >= 0) {
      const int one = 1;
      ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      on_accept_(accepted, peer);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      if (lines.pass("descriptors", ErrorCode::unavailable)) {
        diagnose(Level::error, "http", "no descriptor left for a new connection: raise the limit (ulimit -n)");
      }
      pollfd stopped{wake_, POLLIN, 0};
      ::poll(&stopped, 1, kPauseMs);
    }
  }
}

}  // namespace hookhost::http
