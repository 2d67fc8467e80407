// Answers that come later: each event is pushed to a CRM over HTTP. handle() only hands the work on; a thread of the plugin's own, with one
// libcurl multi handle, holds hundreds of slow posts and ends each call when its answer is there.
#include <curl/curl.h>

#include <deque>
#include <hookhost/plugin.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

// Posts to one URL; `Done` gets the HTTP status, 0 when there was none. What stop() finds unfinished is dropped, which is a retry.
class Http {
 public:
  explicit Http(std::string url) : url_(std::move(url)), multi_(curl_multi_init()), thread_([this] { run(); }) {}
  ~Http() {
    {
      const std::scoped_lock lock(mutex_);
      stops_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    curl_multi_cleanup(multi_);
  }
  Http(const Http&) = delete;
  Http& operator=(const Http&) = delete;

  void post(std::string body, hookhost::Completion done) {
    {
      const std::scoped_lock lock(mutex_);
      waiting_.push_back({std::move(body), std::move(done)});
    }
    curl_multi_wakeup(multi_);
  }

 private:
  struct Post {
    std::string body;
    hookhost::Completion done;
  };

  void run() {
    while (begin_waiting()) {
      int active = 0, left = 0;
      curl_multi_perform(multi_, &active);
      while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) finish(message->easy_handle);
      curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    for (const auto& [easy, post] : running_) drop(easy);
  }
  bool begin_waiting() {
    const std::scoped_lock lock(mutex_);
    for (; !stops_ && !waiting_.empty(); waiting_.pop_front()) {
      CURL* easy = curl_easy_init();
      const Post& post = running_.emplace(easy, std::move(waiting_.front())).first->second;
      curl_easy_setopt(easy, CURLOPT_URL, url_.c_str());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(post.body.size()));
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post.body.data());
      curl_easy_setopt(easy, CURLOPT_TIMEOUT, 20L);  // below the host's own timeout of a call
      curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
      curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, +[](char*, size_t size, size_t count, void*) { return size * count; });
      curl_multi_add_handle(multi_, easy);
    }
    return !stops_;
  }
  void finish(CURL* easy) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    const hookhost::Completion& done = running_.at(easy).done;
    if (status / 100 == 2) {
      done(hookhost::ok());
    } else if (status == 0 || status == 429 || status >= 500) {
      done(hookhost::unavailable("the CRM is down").after(std::chrono::seconds(30)));  // everything waits, no attempt is used up
    } else {
      done(hookhost::reject("the CRM refused the event: " + std::to_string(status)));
    }
    drop(easy);
    running_.erase(easy);
  }
  void drop(CURL* easy) {
    curl_multi_remove_handle(multi_, easy);
    curl_easy_cleanup(easy);
  }

  const std::string url_;
  CURLM* const multi_;
  std::mutex mutex_;
  std::deque<Post> waiting_;
  bool stops_ = false;
  std::map<CURL*, Post> running_;  // of the thread
  std::thread thread_;             // the last member: it uses the others
};

class CrmPush {
 public:
  static constexpr hookhost::Info info{.id = "com.example.crm_push",
                                       .version = "1.0.0",
                                       .events = {"linkedin.message.*", "prospect.*"},
                                       .config_schema = R"({"type": "object", "required": ["url"], "properties": {"url": {"type": "string"}}})",
                                       .concurrent = true};

  CrmPush(hookhost::Host, const hookhost::Config& config) : url_(config.text("/url")) { curl_global_init(CURL_GLOBAL_DEFAULT); }

  void start(const hookhost::Resume&) { http_ = std::make_unique<Http>(url_); }
  void stop() { http_.reset(); }  // ends the thread, so that no completion comes any more

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    http_->post(std::string(event.body()), call.defer());
    return hookhost::deferred();
  }

 private:
  std::string url_;
  std::unique_ptr<Http> http_;
};

HOOKHOST_PLUGIN(CrmPush)
