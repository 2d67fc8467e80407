// The sockets and the timer of a libcurl multi handle, watched by epoll: a round costs what is ready, not what is open.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "base/clock.h"

namespace hookhost::http_client {

// Must outlive the multi handle. Threads: wake() from every thread, the rest on one.
class Watch {
 public:
  Watch();
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void attach(CURLM* multi);
  // For the handles whose open-socket function answers open_socket(): a kept connection then stays with epoll while nothing is sent over it,
  // which saves two system calls a transfer.
  void follow_sockets_of(CURL* easy);
  [[nodiscard]] curl_socket_t open_socket(const curl_sockaddr& address);
  // `where` is kept up to date with the socket that the handle's transfer waits for, for as long as the multi handle has it; CURL_SOCKET_BAD: none.
  // libcurl 7.88 itself tells (CURLINFO_ACTIVESOCKET) only when the transfer is over.
  static void note_socket_of(CURL* easy, curl_socket_t& where);
  static void forget_socket_of(CURL* easy);
  // The bytes that have arrived there since it was connected; nullopt where the system does not count them.
  [[nodiscard]] static std::optional<std::uint64_t> received(curl_socket_t descriptor);
  // It speaks HTTP/2: what comes over it unasked is told from answers, and belongs there.
  void note_shared(int descriptor);
  // Waits for a socket, libcurl's timer or wake(), at most until `until`, and lets libcurl do what there is to do.
  void round(std::optional<MonotonicTime> until);
  // Ends a round that waits, or the next one.
  void wake() const;

 private:
  // What epoll knows of a socket, and whether libcurl wants to hear of it now.
  struct Followed {
    std::uint32_t events = 0;
    bool wanted = false;
    bool shared = false;
  };

  static int on_socket(CURL* easy, curl_socket_t descriptor, int what, void* self, void*);
  static int on_close_socket(void* self, curl_socket_t descriptor);
  static int on_timer(CURLM*, long milliseconds, void* self);
  [[nodiscard]] bool wanted(int descriptor);
  static void end_kept(int descriptor);
  [[nodiscard]] int patience(std::optional<MonotonicTime> until) const;

  const int epoll_, event_;
  CURLM* multi_ = nullptr;
  std::optional<MonotonicTime> due_;
  // From open_socket() to their close. The rest are libcurl's own, which it opens and closes without a word: epoll knows those only while they are wanted.
  std::unordered_map<int, Followed> followed_;
};

}  // namespace hookhost::http_client
