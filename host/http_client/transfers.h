// Many outgoing requests at once: a few threads drive them all, over kept connections (HTTP/2 where the other side speaks it over TLS). A slow
// or dead receiver costs its own transfer's time and nobody else's.
//
// A request whose kept connection is closed before any answer is sent once more, on a new connection: that connection may have been closed before the
// request came, which cannot be told.
//
// Redirects are not followed, proxies of the environment are not used, certificates are checked. DNS, connect and TLS failures are errors
// like any other.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/result.h"
#include "http_client/headers.h"

namespace hookhost::http_client {

// What the transfers of one owner have in common. `group`: of Transfers::new_group(); they share connections, with nobody else, and can be cancelled
// together, and are of one and the same route. 0: none; each has a connection of its own.
struct Route {
  std::string method = "POST";
  std::string url;                             // http or https
  // Of an answer's body. More is not read, and the connection is closed; so it is when there is 1 MiB more of anything else, such as chunk
  // extensions (HTTP/1).
  std::size_t answer_bytes_max = 64 << 10;
  // Asked on one of the threads with the address that a connection is about to use or, for a kept one, uses; false: it is not connected to. Of a
  // name with several addresses those that are allowed are tried; where none is, or a kept one's is not, the transfer ends before a byte of it is
  // sent. Not asked where there is a proxy: the proxy connects. Empty: every address.
  std::function<bool(const IpAddress&)> may_connect;
  std::string ca_file;                         // PEM; empty: the system's roots
  std::string certificate_file, key_file;      // PEM, of the client; empty: none
  std::string proxy;                           // "http://host:port"; empty: none
  std::uint64_t group = 0;
};

struct TransferAnswer {
  int status = 0;
  std::string body;                        // as far as answer_bytes_max
  std::optional<std::string> retry_after;  // the header, as sent
  bool cut = false;                        // there was more of it
};

// What became of a transfer, by the number that its sender gave it.
struct Ended {
  std::uint64_t id = 0;
  // Any complete answer is an answer. Errors: unreachable (name, connect, reset), forbidden (may_connect of every address), timeout, usage (URL,
  // header), io_error (TLS, protocol), cancelled. Messages name the host and the reason, no header and no body.
  Result<TransferAnswer> answer;
  Duration took{};  // from send() on
  // Its name was still being looked up. Nobody can end that: for as long as the system's resolver takes, it keeps a thread and up to three descriptors.
  bool is_looking_up = false;
};

// Threads: called on those of Transfers, or within send() when nothing could be begun; must not block, may send().
class Listener {
 public:
  virtual ~Listener() = default;
  // Those of its transfers that ended at the same time. Each is told of once.
  virtual void ended(std::vector<Ended> transfers) = 0;
};

struct Transfer {
  std::shared_ptr<const Route> route;       // not null
  Headers headers;
  std::string_view body;
  std::shared_ptr<const void> body_owner;   // keeps `body` alive until it has ended
  Duration timeout = std::chrono::seconds{30};  // of everything, from send() on
  std::shared_ptr<Listener> listener;       // not null
  std::uint64_t id = 0;                     // the listener's name for it
};

// Threads: every function from every thread.
class Transfers {
 public:
  // `open_max`: about how many transfers the caller has open at once, at most. No more connections are kept, used ones among them, so that these
  // and a resolver's are all the descriptors it takes.
  explicit Transfers(unsigned threads = 2, std::size_t open_max = 1'024);
  ~Transfers();  // as close()
  Transfers(const Transfers&) = delete;
  Transfers& operator=(const Transfers&) = delete;

  void send(Transfer transfer);

  // A number that nobody else has.
  [[nodiscard]] std::uint64_t new_group();
  // What runs of the group ends with `cancelled`, and what is kept for it is freed. Returns at once.
  void cancel(std::uint64_t group);

  // What runs ends with `cancelled`, the threads are gone. Later send()s are cancelled at once. Idempotent; never from a listener.
  void close();

 private:
  class Loop;
  [[nodiscard]] Loop& loop_for(std::uint64_t group);
  std::vector<std::unique_ptr<Loop>> loops_;
  std::atomic<std::uint64_t> last_group_{0};
};

}  // namespace hookhost::http_client
