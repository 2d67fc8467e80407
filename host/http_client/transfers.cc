#include "http_client/transfers.h"

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <list>
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
constexpr std::size_t kKept = 1024;  // connections of a loop, and as many handles, of which each takes some KiB

// Those that are answered at once leave their connection to the next ones: few connections at work are faster than many, and what is slow holds up
// nobody for longer than a round.
constexpr std::size_t kBegunARound = 16;

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
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, std::min(static_cast<long>(kKept), connections_max));
    watch_.attach(multi_.get());
    thread_ = std::thread([this] { run(); });
  }

  void send(Transfer transfer) {
    if (!transfer.headers.are_lines()) return refuse(transfer, not_lines());
    {
      const std::scoped_lock lock(mutex_);
      if (!closing_) {
        ++open_;
        inbox_.push_back({std::move(transfer), system_clock().monotonic()});
        return wake();
      }
    }
    refuse(transfer, {ErrorCode::cancelled, kStopping});
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
    MonotonicTime at;
  };

  static void refuse(const Transfer& transfer, Error error) {
    std::vector<Ended> ended;
    ended.push_back({transfer.id, fail(std::move(error)), {}, false});
    transfer.listener->ended(std::move(ended));
  }

  void run() {
    name_this_thread("http client");
    for (;;) {
      const bool goes_on = take_asked();
      tell();
      if (!goes_on) break;
      begin_some();
      watch_.round(next_look());
      reap();
      end_what_is_overdue();
      tell();
    }
    for (const Asked& one : waiting_) drop(one);
    waiting_.clear();
    while (!deadlines_.empty()) cancel_now(deadlines_.begin()->second);
    tell();
    runs_.clear();
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
    std::ranges::move(asked, std::back_inserter(waiting_));
    for (const std::uint64_t group : cancelled) cancel_all_of(group);
    return !closing;
  }

  void cancel_all_of(std::uint64_t group) {
    std::vector<TransferRun*> running;
    for (const auto& [handle, run] : runs_) {
      if (run->runs() && run->group() == group) running.push_back(run.get());
    }
    for (TransferRun* const run : running) cancel_now(run);
    const auto theirs = std::ranges::stable_partition(waiting_, [&](const Asked& one) { return one.transfer.route->group != group; });
    for (const Asked& one : theirs) drop(one);
    waiting_.erase(theirs.begin(), theirs.end());
    while (spare_.contains(group)) runs_.erase(take_spare(group)->handle());
  }

  void cancel_now(TransferRun* run) {
    take(run);
    note(run, run->cancel());
  }
  // One that was not begun.
  void drop(const Asked& asked) {
    --open_;
    telling_.push_back({asked.transfer.listener, {asked.transfer.id, fail(ErrorCode::cancelled, kStopping), system_clock().monotonic() - asked.at, false}});
  }

  void begin_some() {
    for (std::size_t n = 0; n < kBegunARound && !waiting_.empty(); ++n) {
      begin(std::move(waiting_.front()));
      waiting_.pop_front();
    }
  }
  [[nodiscard]] std::optional<MonotonicTime> next_look() const {
    if (!waiting_.empty()) return system_clock().monotonic();
    return deadlines_.empty() ? std::nullopt : std::optional(deadlines_.begin()->first);
  }

  void begin(Asked asked) {
    TransferRun* const run = run_for(asked.transfer.route->group);
    run->begin(std::move(asked.transfer), asked.at);
    deadlines_.emplace(run->deadline(), run);
    curl_multi_add_handle(multi_.get(), run->handle());
  }

  // Takes it off libcurl. Precondition: it runs.
  void take(TransferRun* run) {
    curl_multi_remove_handle(multi_.get(), run->handle());
    --open_;
    deadlines_.erase({run->deadline(), run});
  }

  void reap() {
    int left = 0;
    while (CURLMsg* const message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      TransferRun* const run = runs_.at(message->easy_handle).get();
      if (run->wants_another(code)) {
        curl_multi_remove_handle(multi_.get(), run->handle());  // Order: `message` is gone from here on
        run->begin_anew();
        curl_multi_add_handle(multi_.get(), run->handle());
        continue;
      }
      take(run);
      note(run, run->finish(code));
    }
  }

  void end_what_is_overdue() {
    while (!deadlines_.empty() && deadlines_.begin()->first <= system_clock().monotonic()) {
      TransferRun* const run = deadlines_.begin()->second;
      take(run);
      note(run, run->time_is_over());
    }
  }

  void note(TransferRun* run, Telling what) {
    telling_.push_back(std::move(what));
    keep(run);
  }

  // Those of one listener together.
  void tell() {
    if (telling_.empty()) return;
    std::ranges::stable_sort(telling_, std::less<>{}, [](const Telling& one) { return one.listener.get(); });
    for (auto from = telling_.begin(); from != telling_.end();) {
      const auto until = std::find_if(from, telling_.end(), [&](const Telling& one) { return one.listener != from->listener; });
      std::vector<Ended> ended;
      ended.reserve(static_cast<std::size_t>(until - from));
      const auto listener = from->listener;
      for (; from != until; ++from) ended.push_back(std::move(from->ended));
      listener->ended(std::move(ended));
    }
    telling_.clear();
  }

  // One that is set up for the group already, or a new one.
  TransferRun* run_for(std::uint64_t group) {
    if (spare_.contains(group)) return take_spare(group);
    auto made = std::make_unique<TransferRun>(watch_);
    TransferRun* const out = made.get();
    runs_.emplace(out->handle(), std::move(made));
    return out;
  }
  // The one that was kept last: its connection is the likeliest to be there. Precondition: there is one.
  TransferRun* take_spare(std::uint64_t group) {
    const auto kept = spare_.find(group);
    const auto place = kept->second.back();
    kept->second.pop_back();
    if (kept->second.empty()) spare_.erase(kept);
    TransferRun* const out = *place;
    kept_.erase(place);
    return out;
  }
  void keep(TransferRun* run) {
    if (kept_.size() >= kKept) drop_oldest();
    kept_.push_back(run);
    spare_[run->group()].push_back(std::prev(kept_.end()));
  }
  void drop_oldest() {
    TransferRun* const oldest = kept_.front();
    const auto kept = spare_.find(oldest->group());
    kept->second.erase(kept->second.begin());  // each group's are in the order of all
    if (kept->second.empty()) spare_.erase(kept);
    kept_.pop_front();
    runs_.erase(oldest->handle());
  }

  Watch watch_;
  std::unique_ptr<CURLM, FreeMulti> multi_;
  std::mutex mutex_;
  std::vector<Asked> inbox_;
  std::vector<std::uint64_t> cancelled_;
  bool closing_ = false, woken_ = false;
  std::atomic<std::size_t> open_{0};  // asked for and not ended
  // Of the loop:
  std::deque<Asked> waiting_;
  std::unordered_map<CURL*, std::unique_ptr<TransferRun>> runs_;  // those that run and those that are kept for the next
  std::set<std::pair<MonotonicTime, TransferRun*>> deadlines_;    // of the former
  using Kept = std::list<TransferRun*>;
  Kept kept_;                                                             // the latter, the oldest first
  std::unordered_map<std::uint64_t, std::vector<Kept::iterator>> spare_;  // and by group
  std::vector<Telling> telling_;
  std::thread thread_;
};

Transfers::Transfers(unsigned threads, std::size_t open_max) {
  const unsigned loops = std::max(1U, threads);
  for (unsigned n = 0; n < loops; ++n) loops_.push_back(std::make_unique<Loop>(open_max / loops + 1));
}
Transfers::~Transfers() { close(); }
void Transfers::send(Transfer transfer) {
  Loop& loop = loop_for(transfer.route->group);
  loop.send(std::move(transfer));
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
