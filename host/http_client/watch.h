// The sockets and the timer of a libcurl multi handle, watched by epoll: a round costs what is ready, not what is open.
#pragma once

#include <curl/curl.h>

#include <optional>

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
  // Waits for a socket, the timer or wake(), and lets libcurl do what there is to do.
  void round();
  // Ends a round that waits, or the next one.
  void wake() const;

 private:
  static int on_socket(CURL*, curl_socket_t descriptor, int what, void* self, void* known);
  static int on_timer(CURLM*, long milliseconds, void* self);
  [[nodiscard]] int patience() const;

  const int epoll_, event_;
  CURLM* multi_ = nullptr;
  std::optional<MonotonicTime> due_;
};

}  // namespace hookhost::http_client
