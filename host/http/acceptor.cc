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

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> addresses_of(const std::string& address) {
  HOOKHOST_TRY(const auto parts, parse_host_port(address));
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(parts.host.empty() ? nullptr : parts.host.c_str(), std::to_string(parts.port).c_str(), &hints, &found);
  if (error != 0) return fail(ErrorCode::io_error, "'" + address + "' names no address of this machine: " + ::gai_strerror(error));
  return Addresses(found, &::freeaddrinfo);
}

// The first of them that can be bound: its descriptor, or minus errno of the last.
int bind_one_of(const addrinfo* found) {
  int error = EADDRNOTAVAIL;
  for (; found != nullptr; found = found->ai_next) {
    const int descriptor = ::socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, found->ai_protocol);
    const int one = 1;
    ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (descriptor >= 0 && ::bind(descriptor, found->ai_addr, found->ai_addrlen) == 0) return descriptor;
    error = errno;
    if (descriptor >= 0) ::close(descriptor);
  }
  return -error;
}

Error cannot_listen(const std::string& address, int error) {
  const char* hint = error == EADDRINUSE ? ". Is another program there?" : error == EADDRNOTAVAIL ? "; no network of this machine has it" : "";
  return {ErrorCode::io_error, "cannot listen on " + address + ": " + reason(error) + hint};
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
  HOOKHOST_TRY(const auto found, addresses_of(address));
  const int descriptor = bind_one_of(found.get());
  if (descriptor < 0) return fail(cannot_listen(address, -descriptor));
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  const int wake = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (wake < 0 || ::listen(descriptor, SOMAXCONN) != 0 || ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound), &size) != 0) {
    const int failed = errno;
    ::close(descriptor);
    if (wake >= 0) ::close(wake);
    return fail(cannot_listen(address, failed));
  }
  return std::unique_ptr<Acceptor>(new Acceptor(descriptor, wake, port_of(bound)));
}

Result<> Acceptor::check(const std::string& address) {
  HOOKHOST_TRY(const auto found, addresses_of(address));
  const int descriptor = bind_one_of(found.get());
  if (descriptor >= 0) ::close(descriptor);
  if (descriptor >= 0 || descriptor == -EADDRINUSE) return success();
  return fail(cannot_listen(address, -descriptor));
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
