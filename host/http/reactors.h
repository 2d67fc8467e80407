// The reactor threads: Pistache's Aio::Reactor and Tcp::Transport with a Tcp::Handler of our own that feeds connections. The only header
// that stands for Pistache.
//
// Promises: a connection's receive() and disconnected() are called on one thread; disconnected() before its descriptor is closed;
// no exception ends a thread.
#pragma once

#include <sys/socket.h>

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "http/connection.h"

namespace hookhost::http {

class Reactors {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Reactors>> start(unsigned threads, const std::string& name);
  ~Reactors();  // stop()

  // Takes over the descriptor. Threads: one at a time. False: it was closed.
  bool add(int descriptor, const sockaddr_storage& peer, std::shared_ptr<Connection> connection);
  void stop();  // ends and joins the threads; connections still open are left to their owner (Connection::close_leftover)
  // False when a thread has been in one round for longer than `within`.
  [[nodiscard]] bool is_alive(Duration within) const;

  struct Impl;
  explicit Reactors(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookhost::http
