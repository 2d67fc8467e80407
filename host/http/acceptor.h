// The listening socket and the thread that accepts. Pistache's own acceptor cannot be stopped without its reactors, spins when
// descriptors run out and accepts without a bound; this one hands bounded, non-blocking sockets on.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/result.h"

namespace hookhost::http {

class Acceptor {
 public:
  // Takes over the descriptor. Called on the acceptor's thread.
  using OnAccept = std::function<void(int descriptor, const sockaddr_storage& peer)>;

  // Binds and listens; nothing is accepted before run(). Errors: usage, io_error.
  [[nodiscard]] static Result<std::unique_ptr<Acceptor>> bind(const std::string& address);
  // Whether bind() could, were nobody there. The same errors.
  [[nodiscard]] static Result<> check(const std::string& address);
  ~Acceptor();

  void run(OnAccept on_accept);
  void stop();  // closes the listening socket; waits for the thread
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Acceptor(int descriptor, int wake, std::uint16_t port) : descriptor_(descriptor), wake_(wake), port_(port) {}
  void accept_until_stopped();

  int descriptor_;
  int wake_;
  std::uint16_t port_;
  OnAccept on_accept_;
  std::thread thread_;
};

// "127.0.0.1:54321", "[::1]:54321".
[[nodiscard]] std::string peer_text(const sockaddr_storage& peer);

}  // namespace hookhost::http
