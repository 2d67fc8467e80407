// delivery.db in memory, with a writer thread of its own. It outlives the engines of a test as the file would; cut() is the moment of a
// kill -9: nothing that is committed later is applied, until mend().
#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "state/delivery_store.h"

namespace hookhost::test {

class FakeDeliveryStore final : public state::DeliveryStore {
 public:
  FakeDeliveryStore() : writer_([this] { write(); }) {}
  ~FakeDeliveryStore() override {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    writer_.join();
  }

  void cut() {
    const std::lock_guard lock(mutex_);
    cut_ = true;
  }
  void mend() {
    const std::lock_guard lock(mutex_);
    cut_ = false;
  }
  // Commits wait until it is over.
  void stall(bool stalled) {
    {
      const std::lock_guard lock(mutex_);
      stalled_ = stalled;
    }
    changed_.notify_all();
  }
  void fail_commits(int count) {
    const std::lock_guard lock(mutex_);
    failing_ = count;
  }
  // While it is on, only those that delete every trace of a subscriber.
  void fail_commits_of_forgetting(bool fails) {
    const std::lock_guard lock(mutex_);
    forgetting_fails_ = fails;
  }
  [[nodiscard]] std::uint64_t commits() const {
    const std::lock_guard lock(mutex_);
    return commits_;
  }
  [[nodiscard]] std::map<std::string, std::string> kv(const SubscriberId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(id);
    return found == all_.end() ? std::map<std::string, std::string>{} : found->second.kv;
  }
  [[nodiscard]] std::size_t lane_rows(const SubscriberId& id) const {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(id);
    return found == all_.end() ? 0 : found->second.lanes.size();
  }

  [[nodiscard]] bool positions_lost() const override { return false; }
  [[nodiscard]] Result<> settle_positions(WallTime) override { return success(); }
  [[nodiscard]] std::optional<WallTime> positions_settled_at() const override { return std::nullopt; }
  void commit(state::Batch batch, std::function<void(Result<>)> done) override {
    {
      const std::lock_guard lock(mutex_);
      queue_.emplace_back(std::move(batch), std::move(done));
    }
    changed_.notify_all();
  }
  [[nodiscard]] Result<std::vector<state::SubscriberRow>> subscribers() override {
    const std::lock_guard lock(mutex_);
    std::vector<state::SubscriberRow> out;
    for (const auto& [id, one] : all_) out.push_back(one.row);
    return out;
  }
  [[nodiscard]] Result<std::optional<state::Loaded>> load(const SubscriberId& id) override {
    const std::lock_guard lock(mutex_);
    const auto found = all_.find(id);
    if (found == all_.end()) return std::optional<state::Loaded>{};
    state::Loaded out;
    out.row = found->second.row;
    out.prepared = found->second.prepared;
    for (const auto& [key, lane] : found->second.lanes) out.lanes.push_back(lane);
    for (const auto& [key, row] : found->second.parked) {
      if (row.kind == state::ParkedRow::Kind::held) out.held.push_back(row);
    }
    for (const auto& [key, row] : found->second.crashes) out.crashes.push_back(row);
    for (const auto& [key, row] : found->second.replays) {
      if (row.state == "running") out.replays.push_back(row);
    }
    return std::optional(std::move(out));
  }
  [[nodiscard]] Result<std::vector<std::pair<SubscriberId, state::ParkedRow>>> parked(const state::ParkedQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<SubscriberId, state::ParkedRow>> out;
    for (const auto& [id, one] : all_) {
      if (query.subscriber && *query.subscriber != id) continue;
      for (const auto& [key, row] : one.parked) {
        if (!query.kind || *query.kind == row.kind) out.emplace_back(id, row);
      }
    }
    return out;
  }
  [[nodiscard]] Result<std::optional<state::ParkedRow>> parked_one(const SubscriberId& id, state::StreamId stream, Offset offset) override {
    const std::lock_guard lock(mutex_);
    const auto& parked = all_[id].parked;
    const auto found = parked.find({stream, offset});
    return found == parked.end() ? std::optional<state::ParkedRow>{} : std::optional(found->second);
  }
  [[nodiscard]] Result<std::uint64_t> count_parked(const SubscriberId& id, state::ParkedRow::Kind kind) override {
    const std::lock_guard lock(mutex_);
    const auto& parked = all_[id].parked;
    return static_cast<std::uint64_t>(std::count_if(parked.begin(), parked.end(), [&](const auto& row) { return row.second.kind == kind; }));
  }
  [[nodiscard]] Result<std::vector<state::AttemptRow>> attempts(const SubscriberId& id, const state::AttemptQuery& query) override {
    const std::lock_guard lock(mutex_);
    std::vector<state::AttemptRow> out;
    for (const auto& row : all_[id].attempts) {
      if (query.offset.value_or(row.offset) == row.offset && query.id.value_or(row.id) == row.id) out.push_back(row);
    }
    return out;
  }
  [[nodiscard]] Result<std::vector<state::ReplayRow>> replays(std::optional<SubscriberId> id) override {
    const std::lock_guard lock(mutex_);
    std::vector<state::ReplayRow> out;
    for (const auto& [name, one] : all_) {
      if (id && *id != name) continue;
      for (const auto& [key, row] : one.replays) out.push_back(row);
    }
    return out;
  }
  [[nodiscard]] Result<std::vector<state::GapRow>> gaps(const SubscriberId& id) override {
    const std::lock_guard lock(mutex_);
    return all_.contains(id) ? all_[id].gaps : std::vector<state::GapRow>{};
  }
  [[nodiscard]] Result<state::StreamId> next_replay_id() override {
    const std::lock_guard lock(mutex_);
    return ++replay_id_;
  }
  [[nodiscard]] Result<std::optional<std::string>> kv_get(const SubscriberId& id, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    const auto& kv = all_[id].kv;
    const auto found = kv.find(std::string(key));
    return found == kv.end() ? std::optional<std::string>{} : std::optional(found->second);
  }
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> kv_scan(const SubscriberId& id, std::string_view prefix,
                                                                                std::string_view after, std::size_t limit) override {
    const std::lock_guard lock(mutex_);
    std::vector<std::pair<std::string, std::string>> out;
    for (const auto& [key, value] : all_[id].kv) {
      if (key.starts_with(prefix) && (after.empty() || key > after) && out.size() < limit) out.emplace_back(key, value);
    }
    return out;
  }
  void note_durable_end(Offset end) override {
    const std::lock_guard lock(mutex_);
    end_ = end;
  }
  [[nodiscard]] Offset durable_end_seen() override {
    const std::lock_guard lock(mutex_);
    return end_;
  }
  [[nodiscard]] Result<bool> prune_attempts(WallTime) override { return false; }

 private:
  struct One {
    state::SubscriberRow row;
    std::map<std::pair<state::StreamId, std::string>, state::LaneRow> lanes;
    std::map<std::pair<state::StreamId, Offset>, state::ParkedRow> parked;
    std::map<std::pair<state::StreamId, Offset>, state::CrashRow> crashes;
    std::map<state::StreamId, state::ReplayRow> replays;
    std::map<std::string, std::string> kv;
    std::vector<state::AttemptRow> attempts;
    std::vector<state::GapRow> gaps;
    std::string prepared;
  };

  void write() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return ending_ || (!stalled_ && !queue_.empty()); });
      if (queue_.empty()) return;
      auto [batch, done] = std::move(queue_.front());
      queue_.pop_front();
      Result<> result = success();
      if (cut_) {
        result = fail(ErrorCode::io_error, "the power is off");
      } else if (failing_ > 0 || (forgetting_fails_ && batch.forget)) {
        failing_ = std::max(0, failing_ - 1);
        result = fail(ErrorCode::io_error, "told to fail");
      } else {
        apply(batch);
        ++commits_;
      }
      lock.unlock();
      done(std::move(result));
      done = nullptr;
      lock.lock();
    }
  }

  void apply(const state::Batch& batch) {
    if (batch.forget) {
      all_.erase(batch.subscriber);
      return;
    }
    One& one = all_[batch.subscriber];
    if (batch.reset) one.kv.clear();
    if (batch.reset || batch.skip) {
      one.lanes.clear();
      one.crashes.clear();
      std::erase_if(one.parked, [](const auto& row) { return row.second.kind == state::ParkedRow::Kind::held; });
      one.prepared.clear();
    }
    if (batch.row) {
      const state::Tally tally = one.row.tally;
      one.row = *batch.row;
      one.row.tally = tally;
    }
    if (batch.tally) one.row.tally = *batch.tally;
    if (batch.condition) {
      one.row.condition = batch.condition->condition;
      one.row.reason = batch.condition->reason;
      one.row.changed_at = batch.condition->changed_at;
      one.row.failed_run = batch.condition->failed_run.value_or(one.row.failed_run);
    }
    if (batch.plan) one.row.plan = *batch.plan;
    if (batch.position) one.row.position = *batch.position;
    if (batch.token) one.row.token = *batch.token;
    for (const auto& key : batch.lanes_erased) one.lanes.erase(key);
    for (const auto& lane : batch.lanes) one.lanes[{lane.stream, lane.lane}] = lane;
    for (const auto& key : batch.parked_erased) one.parked.erase(key);
    for (const auto& row : batch.parked) one.parked[{row.stream, row.offset}] = row;
    if (batch.run_to_held) {
      for (auto& [key, row] : one.parked) {
        if (row.run == *batch.run_to_held) row.kind = state::ParkedRow::Kind::held;
      }
    }
    for (const auto& write : batch.kv) {
      if (write.value) {
        one.kv[write.key] = *write.value;
      } else {
        one.kv.erase(write.key);
      }
    }
    one.attempts.insert(one.attempts.end(), batch.attempts.begin(), batch.attempts.end());
    for (const auto& key : batch.crashes_erased) one.crashes.erase(key);
    for (const auto& row : batch.crashes) one.crashes[{row.stream, row.offset}] = row;
    for (const auto& row : batch.replays) one.replays[row.id] = row;
    for (const auto& gap : batch.gaps) {
      std::erase_if(one.gaps, [&](const auto& known) { return known.from == gap.from; });
      one.gaps.push_back(gap);
    }
    if (batch.prepared) one.prepared = *batch.prepared;
  }

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::pair<state::Batch, std::function<void(Result<>)>>> queue_;
  std::map<SubscriberId, One> all_;
  state::StreamId replay_id_ = 0;
  Offset end_;
  int failing_ = 0;
  bool forgetting_fails_ = false;
  bool stalled_ = false;
  bool cut_ = false;
  bool ending_ = false;
  std::uint64_t commits_ = 0;
  std::thread writer_;
};

}  // namespace hookhost::test
