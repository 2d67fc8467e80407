#include "http_client/transfers.h"

#include <algorithm>
#include <mutex>
#include <set>
#include <thread>
#include <unordered_map>

#include "base/thread_name.h"
#include "http_client/transfer_run.h"
#include "http_client/watch.h"

namespace hookhost::http_client {
namespace {

constexpr std::size_t kUneven = 16;
constexpr std::size_t kSpareHandles = 256;
constexpr long kKeptConnections = 1024;  // of a loop

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

}  // namespace

class Transfers::Loop {
 public:
  explicit Loop(std::size_t open_max) : multi_(curl_multi_init()) {
    HOOKHOST_ASSERT(multi_ != nullptr);
    const long connections_max = static_cast<long>(open_max + kUneven);  // so that no transfer waits for a connection of another
    curl_multi_setopt(multi_.get(), CURLMOPT_MAX_TOTAL_CONNECTIONS, connections_max);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, std::min(kKeptConnections, connections_max));
    watch_.attach(multi_.get());
    thread_ = std::thread([this] { run(); });
  }

  void send(Transfer transfer, Done done) {
    auto headers = HeaderList::of(transfer.headers);  // here, for the caller's thread has more time than the loop's
    if (!headers) return done(fail(headers.error()));
    {
      const std::scoped_lock lock(mutex_);
      if (!closing_) {
        ++open_;
        inbox_.push_back({std::move(transfer), std::move(headers.value()), std::move(done), system_clock().monotonic()});
        return wake();
      }
    }
    done(fail(ErrorCode::cancelled, "the host is stopping"));
  }

  [[nodiscard]] std::size_t open() const { return open_; }

  void cancel(std::uint64_t group) {
    const std::scoped_lock lock(mutex_);
    cancelled_.push_back(group);
    wake();
  }

  void close() {
    {
      const std::scoped_lock lock(mutex_);
      closing_ = true;
      wake();
    }
    if (thread_.joinable()) thread_.join();
  }

 private:
  struct Asked {
    Transfer transfer;
    HeaderList headers;
    Done done;
    MonotonicTime at;
  };

  void run() {
    name_this_thread("http client");
    for (;;) {
      if (!take_asked()) break;
      watch_.round(deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first));
      reap();
      end_what_is_overdue();
    }
    while (!runs_.empty()) end(runs_.begin()->first)->cancel();
    spare_.clear();
  }

  // Once for all that is asked until the loop looks. With the mutex.
  void wake() {
    if (!std::exchange(woken_, true)) watch_.wake();
  }

  // False: it is time to end.
  bool take_asked() {
    std::vector<Asked> asked;
    std::vector<std::uint64_t> cancelled;
    bool closing = false;
    {
      const std::scoped_lock lock(mutex_);
      asked.swap(inbox_);
      cancelled.swap(cancelled_);
      closing = closing_;
      woken_ = false;
    }
    for (Asked& one : asked) begin(std::move(one));
    for (const std::uint64_t group : cancelled) cancel_now(group);
    return !closing;
  }

  void cancel_now(std::uint64_t group) {
    std::vector<CURL*> handles;
    for (const auto& [handle, run] : runs_) {
      if (run->group() == group) handles.push_back(handle);
    }
    for (CURL* const handle : handles) end(handle)->cancel();
    if (const auto kept = spare_.find(group); kept != spare_.end()) {
      spare_count_ -= kept->second.size();
      spare_.erase(kept);
    }
  }

  void begin(Asked asked) {
    auto [easy, again] = handle_for(asked.transfer.group);
    auto run = std::make_unique<TransferRun>(std::move(easy), watch_, std::move(asked.transfer), std::move(asked.headers), std::move(asked.done), asked.at);
    run->prepare(again);
    CURL* const handle = run->handle();
    deadlines_.emplace(run->deadline(), handle);
    runs_.emplace(handle, std::move(run));
    curl_multi_add_handle(multi_.get(), handle);
  }

  // Takes it off libcurl. Precondition: it runs.
  std::unique_ptr<TransferRun> end(CURL* handle) {
    curl_multi_remove_handle(multi_.get(), handle);
    --open_;
    auto run = std::move(runs_.extract(handle).mapped());
    deadlines_.erase({run->deadline(), handle});
    return run;
  }

  void reap() {
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto run = end(message->easy_handle);  // Order: `message` is gone from here on
      run->finish(code);
      keep(run->group(), run->take_handle());
    }
  }

  void end_what_is_overdue() {
    while (!deadlines_.empty() && deadlines_.begin()->first <= system_clock().monotonic()) {
      const auto run = end(deadlines_.begin()->second);
      run->time_is_over();
      keep(run->group(), run->take_handle());
    }
  }

  // And whether it is set up for the group already.
  std::pair<EasyHandle, bool> handle_for(std::uint64_t group) {
    const auto kept = spare_.find(group);
    if (kept == spare_.end()) return {EasyHandle(curl_easy_init()), false};
    EasyHandle out = std::move(kept->second.back());
    kept->second.pop_back();
    --spare_count_;
    if (kept->second.empty()) spare_.erase(kept);
    return {std::move(out), group != 0};
  }
  void keep(std::uint64_t group, EasyHandle handle) {
    if (spare_count_ >= kSpareHandles) {  // one of somebody else
      const auto other = spare_.begin();
      other->second.pop_back();
      --spare_count_;
      if (other->second.empty()) spare_.erase(other);
    }
    spare_[group].push_back(std::move(handle));
    ++spare_count_;
  }

  Watch watch_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::mutex mutex_;
  std::vector<Asked> inbox_;
  std::vector<std::uint64_t> cancelled_;
  bool closing_ = false, woken_ = false;
  std::atomic<std::size_t> open_{0};  // asked for and not ended
  std::unordered_map<std::uint64_t, std::vector<EasyHandle>> spare_;  // by group; of the loop
  std::size_t spare_count_ = 0;
  std::unordered_map<CURL*, std::unique_ptr<TransferRun>> runs_;      // of the loop
  std::set<std::pair<MonotonicTime, CURL*>> deadlines_;               // of runs_
  std::thread thread_;
};

Transfers::Transfers(unsigned threads, std::size_t open_max) {
  const unsigned loops = std::max(1U, threads);
  for (unsigned n = 0; n < loops; ++n) loops_.push_back(std::make_unique<Loop>(open_max / loops + 1));
}
Transfers::~Transfers() { close(); }
void Transfers::send(Transfer transfer, Done done) {
  Loop& loop = loop_for(transfer.group);
  loop.send(std::move(transfer), std::move(done));
}
// A group stays with its loop, where its connections are kept, while no other one has much less to do.
Transfers::Loop& Transfers::loop_for(std::uint64_t group) {
  Loop& own = *loops_[group % loops_.size()];
  Loop& idlest = **std::ranges::min_element(loops_, {}, [](const auto& loop) { return loop->open(); });
  return own.open() > idlest.open() + kUneven ? idlest : own;
}
std::uint64_t Transfers::new_group() { return last_group_.fetch_add(1) + 1; }
void Transfers::cancel(std::uint64_t group) {
  for (const auto& loop : loops_) loop->cancel(group);
}
void Transfers::close() {
  for (const auto& loop : loops_) loop->close();
}

}  // namespace hookhost::http_client
