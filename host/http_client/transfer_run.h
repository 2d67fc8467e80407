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

class TransferRun {
 public:
  TransferRun(EasyHandle handle, Watch& watch, Transfer transfer, HeaderList headers, Transfers::Done done, MonotonicTime begun)
      : handle_(std::move(handle)), watch_(watch), transfer_(std::move(transfer)), done_(std::move(done)), begun_(begun), headers_(std::move(headers)) {}

  // Sets the handle's options; `again`: it carried out a transfer of this group before.
  void prepare(bool again);
  // What the transfer came to.
  void finish(CURLcode code);
  void time_is_over() { finish(CURLE_OPERATION_TIMEDOUT); }
  void cancel() { done_(fail(ErrorCode::cancelled, "the host is stopping")); }

  // libcurl's own timer of a whole transfer is not used: 7.88 drops it when another timer of the handle is due less than a millisecond before it,
  // and the transfer would never end.
  [[nodiscard]] MonotonicTime deadline() const { return begun_ + transfer_.timeout; }
  [[nodiscard]] std::uint64_t group() const { return transfer_.group; }
  [[nodiscard]] CURL* handle() const { return handle_.get(); }
  [[nodiscard]] EasyHandle take_handle() {
    Watch::forget_socket_of(handle_.get());
    return std::move(handle_);
  }

 private:
  [[nodiscard]] Result<TransferAnswer> outcome(CURLcode code);
  [[nodiscard]] bool has_body() const { return transfer_.method != "GET" && transfer_.method != "DELETE"; }
  [[nodiscard]] bool asks_for_leave() const { return transfer_.may_connect && transfer_.proxy.empty(); }
  [[nodiscard]] bool permits(const IpAddress& address);
  [[nodiscard]] std::string refusal() const;
  static std::size_t on_body(char* data, std::size_t, std::size_t size, void* self);
  static std::size_t on_header(char* data, std::size_t, std::size_t size, void* self);
  static curl_socket_t on_open_socket(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int on_progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t);
  static int on_connected(void* self, char* address, char*, int, int);

  void set_what_the_group_shares();
  [[nodiscard]] bool receives_without_end();
  // What a proxy between us and the receiver has to do with it; empty: nothing.
  [[nodiscard]] std::string what_the_proxy_did(CURLcode code) const;

  EasyHandle handle_;
  Watch& watch_;
  Transfer transfer_;
  Transfers::Done done_;
  const MonotonicTime begun_;
  HeaderList headers_;
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
