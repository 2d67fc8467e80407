// A few threads for calls that may block, which the reactors must not do. Bounded: what cannot wait is refused.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "http/handler.h"

namespace hookhost::api {

class Workers {
 public:
  using Answer = std::function<http::Response(const http::Request& request)>;

  Workers(std::size_t threads, std::size_t queue_max);
  ~Workers();  // what waits is still answered

  // `answer` runs on a thread of these and what it returns is sent; an exception becomes 500 and a line in the diagnostics. When too many
  // wait, 503 at once. Threads: from every thread.
  void post(http::Request request, http::Responder responder, Answer answer);

 private:
  struct Waiting {
    http::Request request;
    http::Responder responder;
    Answer answer;
  };
  void work();

  const std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::deque<Waiting> queue_;
  bool stops_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hookhost::api
