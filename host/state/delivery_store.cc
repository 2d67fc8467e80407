#include "state/delivery_store.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>

#include "base/failpoint.h"
#include "state/batch_writer.h"
#include "state/reads.h"
#include "state/schema.h"

namespace hookhost::state {
namespace {

constexpr std::string_view kDurableEnd = "durable_end";

// One writer thread with its own connection; reads share another one under a mutex.
class SqliteStore final : public DeliveryStore {
 public:
  SqliteStore(Database writing, Database reading, bool created, Offset durable_end, std::uint64_t highest_replay)
      : writing_(std::move(writing)),
        reading_(std::move(reading)),
        writer_(writing_),
        created_(created),
        durable_end_(durable_end.value),
        written_durable_end_(durable_end.value),
        next_replay_(highest_replay + 1),
        thread_([this] { run(); }) {}

  ~SqliteStore() override {
    {
      const std::scoped_lock lock(queue_mutex_);
      stops_ = true;
    }
    filled_.notify_one();
    thread_.join();
  }

  bool created() const override { return created_; }

  void commit(Batch batch, std::function<void(Result<>)> done) override {
    {
      const std::scoped_lock lock(queue_mutex_);
      queue_.push_back({std::move(batch), std::move(done)});
    }
    filled_.notify_one();
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
  Result<std::vector<AttemptRow>> attempts(const SubscriberId& subscriber, std::optional<Offset> offset, std::size_t limit) override {
    return read([&](Database& database) { return reads::attempts(database, subscriber, offset, limit); });
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
    std::uint64_t seen = durable_end_.load();
    while (seen < end.value && !durable_end_.compare_exchange_weak(seen, end.value)) {
    }
  }
  Offset durable_end_seen() override { return Offset{durable_end_.load()}; }

  Result<> prune_attempts(WallTime before) override {
    auto promise = std::make_shared<std::promise<Result<>>>();
    auto future = promise->get_future();
    {
      const std::scoped_lock lock(queue_mutex_);
      queue_.push_back({{}, [promise](Result<> done) { promise->set_value(std::move(done)); }, before});
    }
    filled_.notify_one();
    return future.get();
  }

 private:
  struct Waiting {
    Batch batch;
    std::function<void(Result<>)> done;
    std::optional<WallTime> prune_before;
  };

  template <class Question>
  auto read(Question question) -> decltype(question(std::declval<Database&>())) {
    const std::scoped_lock lock(read_mutex_);
    return question(reading_);
  }

  void run() {
    std::vector<Waiting> taken;
    for (;;) {
      {
        std::unique_lock lock(queue_mutex_);
        filled_.wait(lock, [&] { return stops_ || !queue_.empty(); });
        if (queue_.empty()) return;
        taken.swap(queue_);
      }
      const std::vector<Result<>> results = transact(taken);
      for (std::size_t i = 0; i < taken.size(); ++i) {
        if (taken[i].done) taken[i].done(results[i]);
      }
      taken.clear();
    }
  }

  // One transaction for all that waited. A batch that fails takes only itself back.
  std::vector<Result<>> transact(const std::vector<Waiting>& taken) {
    const bool durable = std::any_of(taken.begin(), taken.end(), [](const Waiting& one) { return one.batch.durable; });
    const auto all_failed = [&](const Error& error) { return std::vector<Result<>>(taken.size(), Result<>(fail(error))); };
    if (failpoint_error("state.commit")) return all_failed({ErrorCode::io_error, "cannot commit (failpoint)"});
    if (durable != full_) {
      if (auto set = writing_.execute(durable ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=NORMAL"); !set) return all_failed(set.error());
      full_ = durable;
    }
    if (auto begun = writing_.execute("BEGIN IMMEDIATE"); !begun) return all_failed(begun.error());
    std::vector<Result<>> results;
    results.reserve(taken.size());
    for (const Waiting& one : taken) results.push_back(one.prune_before ? prune(*one.prune_before) : writer_.apply(one.batch));
    const std::uint64_t end = durable_end_.load();
    if (end > written_durable_end_ && writer_.set_meta(kDurableEnd, end)) written_durable_end_ = end;
    HOOKHOST_FAILPOINT("state.before_commit");
    if (auto committed = writing_.execute("COMMIT"); !committed) {
      static_cast<void>(writing_.execute("ROLLBACK"));
      written_durable_end_ = 0;
      return all_failed(committed.error());
    }
    HOOKHOST_FAILPOINT("state.after_commit");
    return results;
  }

  Result<> prune(WallTime before) {
    HOOKHOST_TRY(auto erase, writing_.prepare("DELETE FROM attempt WHERE at<?1"));
    return erase.bind(1, to_unix_ns(before)).run();
  }

  Database writing_;
  Database reading_;
  std::mutex read_mutex_;
  BatchWriter writer_;  // of the writer thread
  bool full_ = false;   // of the writer thread: synchronous=FULL is set
  const bool created_;
  std::atomic<std::uint64_t> durable_end_;
  std::uint64_t written_durable_end_;  // of the writer thread
  std::atomic<StreamId> next_replay_;
  std::mutex queue_mutex_;
  std::condition_variable filled_;
  std::vector<Waiting> queue_;
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

Result<std::unique_ptr<DeliveryStore>> DeliveryStore::open(const std::string& path) {
  HOOKHOST_TRY(auto writing, Database::open(path, Database::Mode::read_write));
  HOOKHOST_TRY(const bool created, migrate_delivery(writing));
  HOOKHOST_TRY(auto reading, Database::open(path, Database::Mode::read_only));
  HOOKHOST_TRY(const auto end, reads::meta(reading, kDurableEnd));
  HOOKHOST_TRY(const auto highest, reads::highest_replay(reading));
  return std::unique_ptr<DeliveryStore>(std::make_unique<SqliteStore>(std::move(writing), std::move(reading), created, Offset{end}, highest));
}

Result<> DeliveryStore::commit_now(Batch batch) {
  std::promise<Result<>> promise;
  auto future = promise.get_future();
  commit(std::move(batch), [&promise](Result<> done) { promise.set_value(std::move(done)); });
  return future.get();
}

}  // namespace hookhost::state
