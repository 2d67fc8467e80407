// The reactor threads: Pistache's Aio::Reactor with a handler of our own that feeds connections. The only header that stands for Pistache.
//
// Promises: a connection's receive(), input_ended() and disconnected() are called on one thread; disconnected() before its descriptor is
// closed, and behind input_ended() only when both directions have ended or the client has reset; a connection is read once a round, so that
// one that sends without end does not keep the others waiting; no exception ends a thread.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/result.h"
#include "http/connection.h"

namespace hookhost::http {

class Reactors {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Reactors>> start(unsigned threads, const std::string& name);
  ~Reactors();  // stop()

  // Takes over the descriptor. Threads: one at a time.
  void add(int descriptor, std::shared_ptr<Connection> connection);
  void stop();  // ends and joins the threads; connections still open are left to their owner (Connection::close_leftover)
  // False when a thread has been in one round for longer than `within`.
  [[nodiscard]] bool is_alive(Duration within) const;

  struct Impl;
  explicit Reactors(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookhost::http
