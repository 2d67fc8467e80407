#include "event_log/event_log.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "base/diagnostics.h"
#include "base/failpoint.h"
#include "base/thread_name.h"
#include "event_log/answer_queue.h"
#include "event_log/published_end.h"
#include "event_log/record.h"
#include "event_log/segment_writer.h"

namespace hookhost::event_log {
namespace {

using namespace std::chrono_literals;

constexpr Duration kMaintenance = 500ms; // how often free space is looked at
constexpr std::size_t kBatchBytesMax = 48ULL << 20;
constexpr double kCommitBounds[] = {0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5};
constexpr double kBatchBounds[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};

}  // namespace

Stats::Stats() : commit_seconds(kCommitBounds), batch_records(kBatchBounds) {}

class EventLog::Impl final : public SegmentView, public std::enable_shared_from_this<Impl> {
 public:
  Impl(os::FileSystem& files, Options options, const Clock& clock, Recovered recovered)
      : files_(files),
        options_(std::move(options)),
        clock_(clock),
        recovery_(std::move(recovered.report)),
        last_id_(std::move(recovered.last_id)),
        segments_(std::move(recovered.segments)),
        begin_(recovered.begin.value),
        end_(recovered.end.value),
        queue_(options_.waiting_records_max, options_.waiting_bytes_max),
        writer_(files, {.directory = options_.directory, .segment_bytes = options_.segment_bytes}, clock) {}

  Result<> start() {
    HOOKHOST_TRY(published_, PublishedEnd::create(files_, options_.directory));
    HOOKHOST_CHECK(published_->publish(durable_end()));
    look_at_space();
    commit_thread_ = std::thread([this] { commit_loop(); });
    maintenance_thread_ = std::thread([this] { maintenance_loop(); });
    return success();
  }

  void append(const Event& event, AppendDone done) {
    if (auto ready = accepting(); !ready) {
      if (ready.error().code == ErrorCode::no_space) stats_.refused_space.fetch_add(1, std::memory_order_relaxed);
      return done(fail(ready.error()));
    }
    PendingRecord pending{encode_record(event), event.received_at, std::move(done)};
    if (pending.record.size() > kRecordBytesMax) return pending.done(fail(ErrorCode::body_too_large, "the event is larger than the event log can hold"));
    if (!queue_.push(pending)) {
      stats_.refused_full.fetch_add(1, std::memory_order_relaxed);
      pending.done(fail(ErrorCode::unavailable, "too many events wait for the disk; try again"));
    }
  }

  Result<> accepting() const {
    if (poisoned_.load()) return fail(ErrorCode::poisoned, "writing the event log failed; the host must be restarted");
    if (closing_.load()) return fail(ErrorCode::unavailable, "the host is stopping");
    if (!space_.load()) return fail(ErrorCode::no_space, "the disk is nearly full; free some space or lower event_log.disk_free_min");
    return success();
  }

  Result<std::vector<SegmentPtr>> segments() const override {
    const std::scoped_lock lock(segments_mutex_);
    return segments_;
  }
  Result<SegmentAround> around(Offset offset) const override {
    const std::scoped_lock lock(segments_mutex_);
    return segment_around(segments_, offset);
  }
  Offset durable_end() const override { return Offset{end_.load(std::memory_order_acquire)}; }
  Offset begin() const { return Offset{begin_.load(std::memory_order_acquire)}; }

  void on_durable(std::function<void()> wake) {
    const std::scoped_lock lock(listeners_mutex_);
    durable_ = std::move(wake);
  }
  void on_poisoned(std::function<void()> wake) {
    const std::scoped_lock lock(listeners_mutex_);
    poison_ = std::move(wake);
  }

  Result<Offset> apply_retention(Duration age, std::uint64_t bytes, Offset keep_from) {
    const WallTime oldest = clock_.wall() - age;
    for (;;) {
      SegmentPtr first;
      {
        const std::scoped_lock lock(segments_mutex_);
        std::uint64_t sum = 0;
        for (const SegmentPtr& segment : segments_) sum += segment->record_bytes();
        // The last segment stays: it is being written, or tells where the offsets go on.
        if (segments_.size() < 2) break;
        first = segments_.front();
        const bool due = first->last_received_at() < oldest || sum > bytes;
        if (!due || segments_[1]->first_offset() > keep_from) break;
        segments_.erase(segments_.begin());
        begin_.store(segments_.front()->first_offset().value, std::memory_order_release);
      }
      HOOKHOST_CHECK(files_.remove(first->path()));
      HOOKHOST_CHECK(remove_broken(os::file_name(first->path())));
      HOOKHOST_CHECK(files_.sync_directory(options_.directory));
    }
    return begin();
  }

  Sizes sizes() const {
    Sizes out;
    const std::scoped_lock lock(segments_mutex_);
    for (const SegmentPtr& segment : segments_) {
      ++out.segments;
      out.record_bytes += segment->record_bytes();
    }
    out.free_bytes = free_bytes_.load();
    return out;
  }

  void close() {
    if (closing_.exchange(true)) return;
    queue_.close();
    if (commit_thread_.joinable()) commit_thread_.join();
    answers_.close();
    {
      const std::scoped_lock lock(maintenance_mutex_);
      maintenance_stops_ = true;
    }
    maintenance_wakes_.notify_one();
    if (maintenance_thread_.joinable()) maintenance_thread_.join();
    if (spare_) {
      spare_.reset();
      static_cast<void>(files_.remove(os::join(options_.directory, kSpareName)));
    }
  }

  os::FileSystem& files() const { return files_; }
  const RecoveryReport& recovery() const { return recovery_; }
  const EventId& last_id() const { return last_id_; }
  bool is_poisoned() const { return poisoned_.load(); }
  const Stats& stats() const { return stats_; }

 private:
  // What recovery once cut from a segment goes with it: retention is a promise about old events, too.
  Result<> remove_broken(const std::string& segment) {
    HOOKHOST_TRY(const auto names, files_.list(options_.directory));
    for (const std::string& name : names) {
      if (name.starts_with(segment + ".") && name.ends_with(kBrokenSuffix)) HOOKHOST_CHECK(files_.remove(os::join(options_.directory, name)));
    }
    return success();
  }

  void commit_loop() {
    name_this_thread("commit");
    std::vector<PendingRecord> batch;
    bool marked = true;
    for (;;) {
      const bool open = queue_.take(batch, marked ? Duration{1h} : options_.idle_mark);
      if (!batch.empty()) {
        commit(batch);
        marked = false;
        continue;
      }
      if (!marked && !poisoned_.load()) marked = mark_end();
      if (!open) break;
    }
    if (!poisoned_.load() && writer_.has_segment()) {
      if (auto sealed = writer_.seal(); !sealed) static_cast<void>(poison(sealed.error()));
    }
  }

  // Writes the batch in as many pieces as segments and the size bound ask for; one sync each.
  void commit(std::vector<PendingRecord>& batch) {
    const auto begun = clock_.monotonic();
    for (std::size_t from = 0; from < batch.size();) {
      std::size_t until = from, bytes = 0;
      while (until < batch.size() && (until == from || bytes + batch[until].record.size() <= kBatchBytesMax)) bytes += batch[until++].record.size();
      const auto done = poisoned_.load() ? Result<Offset>(fail(ErrorCode::poisoned, "writing the event log failed")) : write(batch, from, until, bytes);
      std::vector<AppendDone> answers;
      answers.reserve(until - from);
      for (std::size_t i = from; i < until; ++i) answers.push_back(std::move(batch[i].done));
      if (done) move_end(done.value().plus(until - from));
      answers_.give(std::move(answers), done);
      if (done) tell_durable();
      from = until;
    }
    stats_.commit_seconds.observe(std::chrono::duration<double>(clock_.monotonic() - begun).count());
    stats_.batch_records.observe(static_cast<double>(batch.size()));
    stats_.batches.fetch_add(1, std::memory_order_relaxed);
  }

  // The offset of the first record.
  Result<Offset> write(const std::vector<PendingRecord>& batch, std::size_t from, std::size_t until, std::size_t bytes) {
    const Offset first = durable_end();
    if (writer_.wants_roll(bytes)) {
      if (auto rolled = roll(first, bytes); !rolled) {
        // Nothing of this batch was written: a full disk is no reason to stop for good.
        if (rolled.error().code == ErrorCode::no_space && !writer_.has_segment()) return fail(rolled.error());
        return poison(rolled.error());
      }
    }
    records_.clear();
    WallTime last_at = batch[from].received_at;
    for (std::size_t i = from; i < until; ++i) {
      records_ += batch[i].record;
      last_at = std::max(last_at, batch[i].received_at);
    }
    const auto count = static_cast<std::uint32_t>(until - from);
    auto place = writer_.append(records_, count, first, first, batch[from].received_at);
    if (!place) return poison(place.error());
    if (auto synced = writer_.sync(); !synced) return poison(synced.error());
    active_->add_batch(place.value(), first.plus(count), bytes, last_at);
    stats_.records.fetch_add(count, std::memory_order_relaxed);
    stats_.bytes.fetch_add(bytes, std::memory_order_relaxed);
    return first;
  }

  Result<> roll(Offset first, std::size_t bytes) {
    std::optional<Spare> spare;
    {
      const std::scoped_lock lock(maintenance_mutex_);
      spare = std::exchange(spare_, std::nullopt);
      spare_wanted_ = false;
    }
    auto rolled = writer_.roll(first, bytes, std::move(spare));
    {
      // Order: the next spare is made under the name that the roll has just renamed away.
      const std::scoped_lock lock(maintenance_mutex_);
      spare_wanted_ = options_.make_ahead;
    }
    maintenance_wakes_.notify_one();
    if (!rolled) return fail(rolled.error());
    active_ = std::move(rolled.value());
    const std::scoped_lock lock(segments_mutex_);
    if (!segments_.empty() && segments_.back()->first_offset() == first) segments_.pop_back();  // an empty one, whose name it took
    segments_.push_back(active_);
    return success();
  }

  // An empty batch, once, so that the last events have a successor that says they were durable. A footer says it as well.
  bool mark_end() {
    if (!writer_.has_segment()) return true;
    const Offset end = durable_end();
    if (writer_.wants_roll(0)) {
      if (auto sealed = writer_.seal(); !sealed) static_cast<void>(poison(sealed.error()));
    } else if (auto place = writer_.append({}, 0, end, end, clock_.wall()); !place) {
      static_cast<void>(poison(place.error()));
    } else if (auto synced = writer_.sync(); !synced) {
      static_cast<void>(poison(synced.error()));
    }
    return true;
  }

  void move_end(Offset end) {
    end_.store(end.value, std::memory_order_release);
    static_cast<void>(published_->publish(end));  // readers beside the host see it later; nothing depends on it
  }

  void tell_durable() {
    const std::scoped_lock lock(listeners_mutex_);
    if (durable_) durable_();
  }

  Result<Offset> poison(const Error& error) {
    if (!poisoned_.exchange(true)) {
      diagnose(Level::error, "event_log", "writing failed; no more events are accepted until a restart", {{"error", error.text()}});
      const std::scoped_lock lock(listeners_mutex_);
      if (poison_) poison_();
    }
    return fail(ErrorCode::poisoned, "writing the event log failed");
  }

  void maintenance_loop() {
    name_this_thread("segments");
    std::unique_lock lock(maintenance_mutex_);
    while (!maintenance_stops_) {
      // Invariant: while spare_ holds one, or a roll has taken it and not yet renamed it, nobody makes another under its name.
      const bool make = std::exchange(spare_wanted_, false) && !spare_;
      lock.unlock();
      look_at_space();
      std::optional<Spare> made;
      if (make && has_space_for(options_.segment_bytes)) {
        if (auto spare = make_spare(files_, os::join(options_.directory, kSpareName), options_.segment_bytes)) made = std::move(spare.value());
      }
      lock.lock();
      if (made) spare_ = std::move(made);
      maintenance_wakes_.wait_for(lock, kMaintenance, [&] { return maintenance_stops_ || spare_wanted_; });
    }
  }

  // A segment made ahead must not take the free space below the floor; without one, a roll makes a small one.
  bool has_space_for(std::uint64_t bytes) const {
    const std::uint64_t free = free_bytes_.load();
    return free >= bytes && free - bytes >= options_.disk_free_min;
  }

  void look_at_space() {
    const auto free = files_.free_bytes(options_.directory);
    if (!free) return;
    free_bytes_.store(free.value());
    const bool enough = free.value() >= options_.disk_free_min;
    if (enough != space_.exchange(enough)) {
      diagnose(enough ? Level::info : Level::error, "event_log",
               enough ? "there is space again; events are accepted" : "the disk is nearly full; events are refused with 503 until there is space",
               {{"free_bytes", free.value()}, {"disk_free_min", options_.disk_free_min}});
    }
  }

  os::FileSystem& files_;
  const Options options_;
  const Clock& clock_;
  const RecoveryReport recovery_;
  const EventId last_id_;
  mutable std::mutex segments_mutex_;
  std::vector<SegmentPtr> segments_;
  std::atomic<std::uint64_t> begin_, end_;
  std::unique_ptr<PublishedEnd> published_;
  CommitQueue queue_;
  AnswerQueue answers_;
  SegmentWriter writer_;  // of the commit thread
  SegmentPtr active_;     // of the commit thread
  std::string records_;   // of the commit thread
  Stats stats_;
  std::mutex listeners_mutex_;
  std::function<void()> durable_, poison_;
  std::atomic<bool> poisoned_{false}, closing_{false}, space_{true};
  std::atomic<std::uint64_t> free_bytes_{0};
  std::mutex maintenance_mutex_;
  std::condition_variable maintenance_wakes_;
  std::optional<Spare> spare_;
  bool spare_wanted_ = false, maintenance_stops_ = false;
  std::thread commit_thread_, maintenance_thread_;
};

Result<std::unique_ptr<EventLog>> EventLog::open(os::FileSystem& files, Options options, const Clock& clock) {
  HOOKHOST_CHECK(files.make_directories(options.directory));
  HOOKHOST_TRY(auto recovered, recover(files,
                                       {.directory = options.directory, .known_durable = options.known_durable, .accept_loss = options.accept_loss},
                                       clock));
  auto impl = std::make_shared<Impl>(files, std::move(options), clock, std::move(recovered));
  HOOKHOST_CHECK(impl->start());
  return std::unique_ptr<EventLog>(new EventLog(std::move(impl)));
}

EventLog::EventLog(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
EventLog::~EventLog() { close(); }
const RecoveryReport& EventLog::recovery() const { return impl_->recovery(); }
EventId EventLog::last_id_found() const { return impl_->last_id(); }
void EventLog::append(const Event& event, AppendDone done) { impl_->append(event, std::move(done)); }
Offset EventLog::begin() const { return impl_->begin(); }
Offset EventLog::durable_end() const { return impl_->durable_end(); }
void EventLog::on_durable(std::function<void()> wake) { impl_->on_durable(std::move(wake)); }
void EventLog::on_poisoned(std::function<void()> wake) { impl_->on_poisoned(std::move(wake)); }
bool EventLog::is_poisoned() const { return impl_->is_poisoned(); }
Result<> EventLog::accepting() const { return impl_->accepting(); }
Reader EventLog::reader() const { return {impl_->files(), impl_}; }
Result<Offset> EventLog::apply_retention(Duration age, std::uint64_t bytes, Offset keep_from) { return impl_->apply_retention(age, bytes, keep_from); }
const Stats& EventLog::stats() const { return impl_->stats(); }
Sizes EventLog::sizes() const { return impl_->sizes(); }
void EventLog::close() { impl_->close(); }

Result<Offset> EventLog::append_now(const Event& event) {
  std::promise<Result<Offset>> promise;
  auto future = promise.get_future();
  append(event, [&promise](Result<Offset> done) { promise.set_value(std::move(done)); });
  return future.get();
}

}  // namespace hookhost::event_log
