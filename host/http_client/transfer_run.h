// One transfer while libcurl carries it out. Private to the room; everything runs on the loop's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http_client/easy.h"
#include "http_client/transfers.h"
#include "http_client/watch.h"

namespace hookhost::http_client {

inline constexpr const char* kStopping = "the host is stopping";

// What ended, until its listener is told.
struct Telling {
  std::shared_ptr<Listener> listener;
  Ended ended;
};

// A handle of libcurl and the transfer that it carries out, one after the other.
class TransferRun {
 public:
  explicit TransferRun(Watch& watch) : handle_(curl_easy_init()), watch_(watch) {}
  TransferRun(const TransferRun&) = delete;
  TransferRun& operator=(const TransferRun&) = delete;
  ~TransferRun() { Watch::forget_socket_of(handle_.get()); }

  // Takes the transfer up. Precondition: none is.
  void begin(Transfer transfer, MonotonicTime begun);
  // A kept connection died with the request, before any answer: it is to be sent once more, on a new one. begin_anew() sets the handle up for that.
  [[nodiscard]] bool wants_another(CURLcode code) const { return code == CURLE_ABORTED_BY_CALLBACK && tries_ > 1 && !is_anew_; }
  void begin_anew();
  // What it came to; it is let go.
  [[nodiscard]] Telling finish(CURLcode code) { return end(outcome(code)); }
  [[nodiscard]] Telling time_is_over() { return finish(CURLE_OPERATION_TIMEDOUT); }
  [[nodiscard]] Telling cancel() { return end(fail(ErrorCode::cancelled, kStopping)); }

  // libcurl's own timer of a whole transfer is not used: 7.88 drops it when another timer of the handle is due less than a millisecond before it,
  // and the transfer would never end.
  [[nodiscard]] MonotonicTime deadline() const { return begun_ + transfer_.timeout; }
  [[nodiscard]] bool runs() const { return transfer_.route != nullptr; }
  [[nodiscard]] std::uint64_t group() const { return group_; }
  [[nodiscard]] CURL* handle() const { return handle_.get(); }

 private:
  [[nodiscard]] Result<TransferAnswer> outcome(CURLcode code);
  [[nodiscard]] Telling end(Result<TransferAnswer> answer);
  [[nodiscard]] const Route& route() const { return *transfer_.route; }
  [[nodiscard]] bool has_body() const { return route().method != "GET" && route().method != "DELETE"; }
  [[nodiscard]] bool asks_for_leave() const { return route().may_connect && route().proxy.empty(); }
  [[nodiscard]] bool permits(const IpAddress& address);
  [[nodiscard]] std::string refusal() const;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static int on_connected(void* self, char* address, char*, int, int);

  void set_route();
  void set_request();
  void keep_apart();
  [[nodiscard]] bool is_looking_up() const;
  [[nodiscard]] bool receives_without_end();
  // What a proxy between us and the receiver has to do with it; empty: nothing.
  [[nodiscard]] std::string what_the_proxy_did(CURLcode code) const;

  EasyHandle handle_;
  Watch& watch_;
  std::uint64_t group_ = 0;  // of the last transfer
  bool is_set_up_ = false;   // for its route
  UrlHandle url_;
  HeaderList lines_;
  // Of the one transfer:
  Transfer transfer_;
  MonotonicTime begun_{};
  bool is_anew_ = false;
  unsigned tries_ = 0;  // on how many connections
  bool has_opened_ = false;  // a socket
  TransferAnswer answer_;
  std::size_t header_bytes_ = 0;
  // The socket, and where its count of received bytes stood when the answer was first looked at.
  curl_socket_t socket_ = CURL_SOCKET_BAD, counted_socket_ = CURL_SOCKET_BAD;
  std::uint64_t received_before_ = 0;
  unsigned progress_calls_ = 0;
  // Of the addresses that a name may have several of: may_connect said no; connected to, or tried.
  std::vector<IpAddress> refused_, tried_;
};

}  // namespace hookhost::http_client
