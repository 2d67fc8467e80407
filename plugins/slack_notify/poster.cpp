#include "poster.h"

#include <stdexcept>

namespace slack_notify {
namespace {

using hookhost::Outcome;

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr int kPollMs = 1000;

void start_curl_once() {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);
  if (started != CURLE_OK) throw std::runtime_error("libcurl does not start");
}

}  // namespace

Outcome verdict(CURLcode result, long status, std::chrono::seconds retry_after) {
  const auto later = [&](const std::string& why) {
    auto outcome = hookhost::unavailable(why);
    return retry_after.count() > 0 ? std::move(outcome).after(retry_after) : outcome;
  };
  // A status has been decided on, whatever became of the body behind it: a message that was taken must not be posted again.
  if (status < 200) return later(std::string("the receiver cannot be reached: ") + curl_easy_strerror(result));
  const std::string told = "the receiver answered " + std::to_string(status);
  if (status / 100 == 2) return hookhost::ok();
  if (status == 408 || status == 429 || status >= 500) return later(told);
  if (status / 100 == 3) return hookhost::reject(told + ", a redirect, which is not followed; put the final URL into the configuration");
  return hookhost::reject(told + (status == 403 || status == 404 || status == 410 ? "; the webhook may have been removed there" : ""));
}

bool is_url(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), curl_url_cleanup);
  return url && curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
}

Poster::Poster(Options options) : options_(std::move(options)) {
  start_curl_once();
  multi_.reset(curl_multi_init());
  headers_.reset(curl_slist_append(nullptr, "Content-Type: application/json"));
  if (!multi_ || !headers_) throw std::runtime_error("libcurl does not start");
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(options_.connections_max));
  thread_ = std::thread([this] { run(); });
}

Poster::~Poster() { stop(); }

void Poster::post(std::string body, hookhost::Completion done) {
  {
    const std::scoped_lock lock(mutex_);
    if (stopping_) return;  // dropped
    waiting_.push_back(std::make_unique<Post>(Post{std::move(body), std::move(done)}));
  }
  curl_multi_wakeup(multi_.get());
}

void Poster::stop() {
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  curl_multi_wakeup(multi_.get());
  if (thread_.joinable()) thread_.join();
}

void Poster::run() {
  for (;;) {
    begin_waiting();
    {
      const std::scoped_lock lock(mutex_);
      if (stopping_) break;
    }
    int active = 0, left = 0;
    curl_multi_perform(multi_.get(), &active);
    bool any = false;
    while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      finish(message->easy_handle, message->data.result);
      any = true;
    }
    if (!any) curl_multi_poll(multi_.get(), nullptr, 0, kPollMs, nullptr);
  }
  for (auto& [easy, post] : running_) {
    curl_multi_remove_handle(multi_.get(), easy);
    curl_easy_cleanup(easy);
  }
  running_.clear();
  const std::scoped_lock lock(mutex_);
  waiting_.clear();
}

// A post's time begins when it has a connection to go over, so that a queue does not time out.
void Poster::begin_waiting() {
  while (running_.size() < options_.connections_max) {
    std::unique_ptr<Post> next;
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.empty() || stopping_) return;
      next = std::move(waiting_.front());
      waiting_.pop_front();
    }
    begin(std::move(next));
  }
}

void Poster::begin(std::unique_ptr<Post> post) {
  CURL* easy = curl_easy_init();
  if (easy == nullptr) return post->done(hookhost::unavailable("out of memory"));
  curl_easy_setopt(easy, CURLOPT_URL, options_.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options_.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers_.get());
  curl_easy_setopt(easy, CURLOPT_USERAGENT, "hookhost-slack-notify/0.1");
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, post->body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post->body.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_answer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, post.get());
  if (curl_multi_add_handle(multi_.get(), easy) != CURLM_OK) {
    curl_easy_cleanup(easy);
    return post->done(hookhost::unavailable("out of memory"));
  }
  running_.emplace(easy, std::move(post));
}

void Poster::finish(CURL* easy, CURLcode result) {
  long status = 0;
  curl_off_t retry_after = 0, took_us = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &retry_after);
  curl_easy_getinfo(easy, CURLINFO_TOTAL_TIME_T, &took_us);
  const auto outcome = verdict(result, status, std::chrono::seconds(retry_after));
  count(outcome, static_cast<double>(took_us) / 1e6);
  const auto found = running_.find(easy);
  found->second->done(outcome);
  running_.erase(found);
  curl_multi_remove_handle(multi_.get(), easy);
  curl_easy_cleanup(easy);
}

void Poster::count(const Outcome& outcome, double seconds) const {
  const char* name = outcome.status() == HOOKHOST_OK ? "messages_sent" : outcome.status() == HOOKHOST_REJECT ? "messages_refused" : "messages_put_off";
  options_.host.count(name);
  options_.host.count("post_seconds", seconds);
}

std::size_t Poster::take_answer(char*, std::size_t size, std::size_t count, void* post) {
  auto& taken = static_cast<Post*>(post)->answer_bytes;
  taken += size * count;
  return taken > kAnswerBytesMax ? 0 : size * count;
}

}  // namespace slack_notify
