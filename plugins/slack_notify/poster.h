// Posts JSON to one URL from one thread of its own, many at a time, over kept connections (libcurl's multi interface). What became of a post is
// told as an outcome of hookhost.
//
// The URL is a secret: it appears in no error and no log line. Redirects are not followed, certificates are verified, answers are read to a bound
// and thrown away. Proxies come from the environment (https_proxy), as libcurl reads it.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

#include <hookhost/plugin.hpp>

namespace slack_notify {

// 2xx: ok. 429, 5xx, no connection, no answer in time: unavailable (Retry-After is kept to). Everything else is the receiver's verdict on this
// message or this URL: reject.
[[nodiscard]] hookhost::Outcome verdict(CURLcode result, long status, std::chrono::seconds retry_after);

[[nodiscard]] bool is_url(const std::string& text);

class Poster {
 public:
  struct Options {
    std::string url;
    std::string ca_file;  // certificates to trust in place of the system's; empty: the system's
    std::chrono::milliseconds timeout{10'000};  // of one post
    std::size_t connections_max = 8;
    hookhost::Host host;  // for metrics
  };
  explicit Poster(Options options);
  ~Poster();  // as stop()
  Poster(const Poster&) = delete;
  Poster& operator=(const Poster&) = delete;

  // Any thread; does not block. `done` is called on the poster's thread; what stop() finds unfinished is dropped, which is a retry.
  void post(std::string body, hookhost::Completion done);
  // Ends the thread. Idempotent.
  void stop();

 private:
  struct Post {
    std::string body;
    hookhost::Completion done;
    std::size_t answer_bytes = 0;
  };
  struct CloseMulti {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  void run();
  void begin_waiting();
  void begin(std::unique_ptr<Post> post);
  void finish(CURL* easy, CURLcode result);
  void count(const hookhost::Outcome& outcome, double seconds) const;
  static std::size_t take_answer(char* data, std::size_t size, std::size_t count, void* post);

  const Options options_;
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers_{nullptr, curl_slist_free_all};
  std::unique_ptr<CURLM, CloseMulti> multi_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Post>> waiting_;
  bool stopping_ = false;
  std::unordered_map<CURL*, std::unique_ptr<Post>> running_;  // of the thread
  std::thread thread_;
};

}  // namespace slack_notify
