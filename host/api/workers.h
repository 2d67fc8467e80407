// A few threads for calls that may block, which the reactors must not do. Bounded: what cannot wait is refused.
//
// The calls of one owner are carried out one after the other, in the order of their coming, and owners take turns: however many calls one of
// them makes, and however long they take, it holds one thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
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
  // wait, 503 at once. Without an owner the call waits for nobody else's. Threads: from every thread.
  void post(http::Request request, http::Responder responder, Answer answer);
  void post(const std::string& owner, http::Request request, http::Responder responder, Answer answer);

  // Calls of this owner that have not begun.
  [[nodiscard]] std::size_t waiting(const std::string& owner) const;

 private:
  struct Waiting {
    http::Request request;
    http::Responder responder;
    Answer answer;
  };
  struct Line {
    std::deque<Waiting> calls;
    bool runs = false;  // its owner's call before them
  };
  void work();

  const std::size_t queue_max_;
  mutable std::mutex mutex_;
  std::condition_variable wakes_;
  std::map<std::string, Line> lines_;  // by owner: those of whom something waits or runs
  std::deque<std::string> turns_;      // owners of whom something waits and nothing runs
  std::size_t waiting_ = 0;            // in all lines
  bool stops_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace hookhost::api
