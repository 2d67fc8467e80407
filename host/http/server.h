// One listener: HTTP/1.1 and 1.0 over TCP or TLS, for the public address and for the admin address alike.
//
// Promises: framing that two servers could read differently is refused; every queue, length and wait is bounded; an answer can never
// reach another client than the one who asked; a client that is slow, silent or does not read holds up nobody else.
// Not here: routing, authentication, HTTP/2, compression.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/result.h"
#include "base/units.h"
#include "http/handler.h"

namespace hookhost::http {

// PEM texts, not paths: whoever reads the configuration reads the files.
struct TlsOptions {
  std::string certificate;  // the chain, the server's own first
  std::string key;
};

struct ServerOptions {
  std::string name = "http";                // in diagnostics
  std::string address = "127.0.0.1:8080";   // "host:port", "[::1]:port"; port 0 lets the system choose
  unsigned threads = 2;                     // reactor threads
  std::uint32_t connections_max = 10'000;   // lowered to what the descriptor limit allows
  std::uint32_t descriptors_of_others = 64;  // what it leaves to the rest of the process: files, databases, other listeners
  std::uint32_t header_bytes_max = 16_KiB;
  std::uint32_t header_fields_max = 256;
  std::uint32_t waiting_requests_max = 10'000;      // requests with the handler and not answered yet
  std::uint64_t buffered_bytes_max = 512_MiB;       // bodies and pipelined requests still arriving, of all connections together
  Duration header_timeout = std::chrono::seconds{10};  // from a request's first byte (TLS: from connecting) to the end of its head
  Duration body_timeout = std::chrono::seconds{30};    // from the end of the head to the end of the body
  Duration idle_timeout = std::chrono::seconds{60};    // between requests
  Duration write_timeout = std::chrono::seconds{10};   // an answer that the client does not take
  Duration linger_timeout = std::chrono::seconds{2};   // input discarded after a closing answer, at most 8 MiB
  std::optional<TlsOptions> tls;
  const Clock* clock = &system_clock();
};

// Counts since the start; `connections` and `waiting_requests` are the present numbers. Read from any thread.
struct Stats {
  Counter connections{0};
  Counter waiting_requests{0};
  Counter accepted_connections{0};
  Counter requests{0};                 // heads that were understood
  Counter refused_connections{0};      // above connections_max
  Counter refused_waiting{0};          // above waiting_requests_max or buffered_bytes_max
  Counter refused_malformed{0};        // 400, 501, 505 by the framing
  Counter refused_header_too_large{0};
  Counter refused_body_too_large{0};
  Counter timeouts{0};                 // 408
  Counter cut_not_reading{0};          // write_timeout
  Counter tls_failures{0};
  Counter handler_failures{0};         // exceptions, and responders dropped unanswered
};

// Whether a listener could be had at that address; where another program has it now, it could. Blocks on the names' resolution. Errors: usage (an
// address that cannot be read), io_error (a name that nobody knows, an address of another machine, a port that wants privileges).
[[nodiscard]] Result<> check_address(const std::string& address);

class Server {
 public:
  // Binds and answers from now on. Errors: usage (an address that cannot be read), io_error (cannot bind), invalid_config (certificate
  // or key).
  [[nodiscard]] static Result<std::unique_ptr<Server>> start(ServerOptions options, Handler& handler);
  ~Server();  // as drain() with no time left

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const Stats& stats() const;

  // Closes the listening socket. Open connections go on.
  void stop_accepting();
  // Stops accepting, lets the requests in flight finish, answers them with Connection: close, closes idle connections at once and what
  // is left after `within`. Blocks. True when nothing had to be cut.
  bool drain(Duration within);

  // For /healthz: false when a reactor thread has been in one round for more than five seconds (a handler blocks it).
  [[nodiscard]] bool is_alive() const;

 private:
  class Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookhost::http
