#include "state/delivery_store.h"

#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/thread_name.h"
#include "state/attempts.h"
#include "state/group_commit.h"
#include "state/reads.h"
#include "state/schema.h"

namespace hookhost::state {
namespace {

// No more patient batches wait for others: a transaction writes whole pages, of which some are every batch's and some those of neighbours.
constexpr std::size_t kGathered = 64;

// One writer thread with its own connection; reads share another one under a mutex.
class SqliteStore final : public DeliveryStore {
 public:
  // `positions`: what meta says of their loss.
  SqliteStore(Database writing, Database reading, std::uint64_t positions, Offset durable_end, std::uint64_t highest_replay,
              std::chrono::milliseconds gathering)
      : writing_(std::move(writing)),
        reading_(std::move(reading)),
        group_(writing_, durable_end),
        positions_(positions),
        durable_end_(durable_end.value),
        next_replay_(highest_replay + 1),
        gathering_(gathering),
        thread_([this] { run(); }) {}

  ~SqliteStore() override {
    {
      const std::scoped_lock lock(queue_mutex_);
      stops_ = true;
    }
    filled_.notify_one();
    thread_.join();
  }

  bool positions_lost() const override { return positions_.load() == kPositionsLost; }
  std::optional<WallTime> positions_settled_at() const override {
    const std::uint64_t said = positions_.load();
    return said <= kPositionsLost ? std::nullopt : std::optional(WallTime{Duration{static_cast<std::int64_t>(said)}});
  }
  Result<> settle_positions(WallTime now) override {
    if (!positions_lost()) return success();
    HOOKHOST_CHECK(enqueue_and_wait({{}, {}, std::nullopt, now}));
    positions_.store(static_cast<std::uint64_t>(to_unix_ns(now)));
    return success();
  }

  void commit(Batch batch, std::function<void(Result<>)> done) override {
    // What lies before a position was durable.
    if (batch.row) see_durable_end(batch.row->position.frontier);
    if (batch.position) see_durable_end(batch.position->frontier);
    enqueue({std::move(batch), std::move(done), {}});
  }

  Result<std::vector<SubscriberRow>> subscribers() override {
    return read([](Database& database) { return reads::subscribers(database); });
  }
  Result<std::optional<Loaded>> load(const SubscriberId& subscriber) override {
    return read([&](Database& database) { return reads::load(database, subscriber); });
  }
  Result<std::vector<std::pair<SubscriberId, ParkedRow>>> parked(const ParkedQuery& query) override {
    return read([&](Database& database) { return reads::parked(database, query); });
  }
  Result<std::optional<ParkedRow>> parked_one(const SubscriberId& subscriber, StreamId stream, Offset offset) override {
    return read([&](Database& database) { return reads::parked_one(database, subscriber, stream, offset); });
  }
  Result<std::uint64_t> count_parked(const SubscriberId& subscriber, ParkedRow::Kind kind) override {
    return read([&](Database& database) { return reads::count_parked(database, subscriber, kind); });
  }
  Result<std::vector<AttemptRow>> attempts(const SubscriberId& subscriber, const AttemptQuery& query) override {
    return read([&](Database& database) { return read_attempts(database, subscriber.value, query); });
  }
  Result<std::vector<ReplayRow>> replays(std::optional<SubscriberId> subscriber) override {
    return read([&](Database& database) { return reads::replays(database, subscriber); });
  }
  Result<std::vector<GapRow>> gaps(const SubscriberId& subscriber) override {
    return read([&](Database& database) { return reads::gaps(database, subscriber); });
  }
  Result<StreamId> next_replay_id() override { return next_replay_.fetch_add(1); }
  Result<std::optional<std::string>> kv_get(const SubscriberId& subscriber, std::string_view key) override {
    return read([&](Database& database) { return reads::kv_get(database, subscriber, key); });
  }
  Result<std::vector<std::pair<std::string, std::string>>> kv_scan(const SubscriberId& subscriber, std::string_view prefix,
                                                                   std::string_view after, std::size_t limit) override {
    return read([&](Database& database) { return reads::kv_scan(database, subscriber, prefix, after, limit); });
  }

  void note_durable_end(Offset end) override {
    see_durable_end(end);
    if (durable_end_seen() <= group_.written_end()) return;
    {
      const std::scoped_lock lock(queue_mutex_);
      end_waits_ = true;
    }
    filled_.notify_one();
  }
  Offset durable_end_seen() override { return Offset{durable_end_.load()}; }

  Result<bool> prune_attempts(WallTime before) override {
    HOOKHOST_TRY(const bool some, read([&](Database& database) { return are_attempts_before(database, before); }));
    if (!some) return false;
    HOOKHOST_CHECK(enqueue_and_wait({{}, {}, before}));
    return true;  // whether there are more is what the next call asks
  }

 private:
  void see_durable_end(Offset end) {
    std::uint64_t seen = durable_end_.load();
    while (seen < end.value && !durable_end_.compare_exchange_weak(seen, end.value)) {
    }
  }

  void enqueue(Waiting waiting) {
    bool tell = false;
    {
      const std::scoped_lock lock(queue_mutex_);
      if (!waiting.batch.patient) hurries_ = true;
      queue_.push_back(std::move(waiting));
      tell = hurries_ || queue_.size() == 1 || queue_.size() == kGathered;
    }
    if (tell) filled_.notify_one();
  }

  Result<> enqueue_and_wait(Waiting waiting) {
    std::promise<Result<>> promise;
    auto future = promise.get_future();
    waiting.done = [&promise](Result<> done) { promise.set_value(std::move(done)); };
    enqueue(std::move(waiting));
    return future.get();
  }

  template <class Question>
  auto read(Question question) -> decltype(question(std::declval<Database&>())) {
    const std::scoped_lock lock(read_mutex_);
    return question(reading_);
  }

  void run() {
    name_this_thread("delivery.db");
    std::vector<Waiting> taken;
    for (;;) {
      {
        std::unique_lock lock(queue_mutex_);
        filled_.wait(lock, [&] { return stops_ || end_waits_ || !queue_.empty(); });
        if (!end_waits_ && queue_.empty()) return;
        filled_.wait_for(lock, gathering_, [&] { return stops_ || hurries_ || queue_.size() >= kGathered; });
        hurries_ = false;
        end_waits_ = false;
        taken.swap(queue_);
      }
      const std::vector<Result<>> results = group_.commit(taken, Offset{durable_end_.load()});
      for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i].done) taken[i].done(results[i]);
      }
      taken.clear();
    }
  }

  Database writing_;
  Database reading_;
  std::mutex read_mutex_;
  GroupCommit group_;  // of the writer thread
  std::atomic<std::uint64_t> positions_;
  std::atomic<std::uint64_t> durable_end_;
  std::atomic<StreamId> next_replay_;
  const std::chrono::milliseconds gathering_;
  std::mutex queue_mutex_;
  std::condition_variable filled_;
  std::vector<Waiting> queue_;
  bool end_waits_ = false;  // the durable end, for a transaction even where no batch waits
  bool hurries_ = false;    // one of the queue is not patient
  bool stops_ = false;
  std::thread thread_;  // last: it starts when everything else is there
};

}  // namespace

std::string_view to_string(Condition condition) {
  switch (condition) {
    case Condition::live: return "live";
    case Condition::held: return "held";
    case Condition::paused: return "paused";
    case Condition::stopped: return "stopped";
    case Condition::detached: return "detached";
  }
  return "unknown";
}

Result<std::unique_ptr<DeliveryStore>> DeliveryStore::open(const std::string& path, bool beside_events, std::chrono::milliseconds gathering) {
  HOOKHOST_TRY(auto writing, Database::open(path, Database::Mode::read_write));
  const std::string lost = "INSERT INTO meta VALUES ('" + std::string(kPositionsLostName) + "', " + std::to_string(kPositionsLost) + ")";
  HOOKHOST_CHECK(migrate_delivery(writing, beside_events ? lost.c_str() : ""));
  HOOKHOST_TRY(auto reading, Database::open(path, Database::Mode::read_only));
  HOOKHOST_TRY(const auto end, reads::meta(reading, kDurableEndName));
  HOOKHOST_TRY(const auto positions, reads::meta(reading, kPositionsLostName));
  HOOKHOST_TRY(const auto highest, reads::highest_replay(reading));
  return std::unique_ptr<DeliveryStore>(std::make_unique<SqliteStore>(std::move(writing), std::move(reading), positions, Offset{end}, highest, gathering));
}

Result<> DeliveryStore::commit_now(Batch batch) {
  std::promise<Result<>> promise;
  auto future = promise.get_future();
  commit(std::move(batch), [&promise](Result<> done) { promise.set_value(std::move(done)); });
  return future.get();
}

}  // namespace hookhost::state
