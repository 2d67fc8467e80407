// A stream under a random schedule, without an engine: nothing is handed over twice but after a kill what was not committed, each key in order,
// and nothing is forgotten: neither in the end, nor for longer than its own key is blocked.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "delivery/stream.h"
#include "support/poll.h"

namespace hookhost::delivery {
namespace {

using namespace std::chrono_literals;

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed), keys_(1 + dice(12)) {
    options_.window_events_max = 8U << dice(5);
    options_.places_max = 4U << dice(8);
    options_.blocked_lanes_max = dice(4) == 0 ? 3 : 10'000;
    live();
  }

  void run(int steps) {
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) act();
    for (const LaneNumber lane : std::exchange(closed_, {})) stream_->poke(lane);
    ends_ = true;
    for (int idle = 0; idle < 5'000 && done_.size() < events_.size() && !testing::Test::HasFailure(); ++idle) {
      now_ += 20ms;
      stream_->set_now(now_);
      for (int n = 0; n < 20; ++n) act();
    }
    for (std::size_t n = 0; n < events_.size(); ++n) {
      if (!done_.contains(n)) { ADD_FAILURE() << "event " << n << " of key '" << events_[n]->key << "' is not done"; break; }
    }
    EXPECT_EQ(done_.size(), events_.size()) << "of those that were read to " << stream_->read().value << ", " << stream_->lanes().size() << " lanes are left";
  }

 private:
  std::uint64_t dice(std::uint64_t sides) { return random_() % sides; }

  void live() {
    running_.clear();
    dues_.clear();
    again_.reset();
    pass_.reset();
    closed_.clear();
    done_ = committed_.done;
    stream_.reset();
    pool_ = std::make_unique<PendingPool>();
    stream_ = std::make_unique<Stream>(state::kMainStream, committed_.position, *pool_, order_, options_);
    stream_->set_closed(closed_);
    stream_->set_now(now_);
    for (const auto& [name, row] : committed_.rows) stream_->load(row, now_ + std::chrono::milliseconds(dice(30)));
    last_.clear();
  }

  void act() {
    stream_->set_now(now_);
    switch (dice(ends_ ? 11 : 16)) {
      case 0:
      case 1:
      case 2: offer(); break;
      case 3:
      case 4: take(); break;
      case 5: settle(); break;
      case 6: now_ += std::chrono::milliseconds(dice(10)); break;
      case 7: ask(); break;
      case 8: answer_again(); break;
      case 9: answer_pass(); break;
      case 10: commit(); break;
      case 11: if (dice(20) == 0) live(); break;
      case 12: close_or_open(); break;
      case 13: if (dice(4) == 0 && !running_.empty()) stream_->demote_oldest({}); break;
      case 14: if (dice(30) == 0 && running_.empty()) spill(); break;
      case 15: more_events(); break;
    }
    for (const auto& due : stream_->take_dues()) dues_.insert(due);
    while (!dues_.empty() && dues_.begin()->first <= now_) {
      stream_->set_now(now_);
      stream_->poke(dues_.begin()->second);
      dues_.erase(dues_.begin());
    }
    if (ends_ && closed_.empty()) {
      ask();
      take();
    }
  }

  event_log::EventPtr at(Offset offset) const { return events_.at(offset.value); }
  void more_events() {
    for (auto n = dice(20); n > 0; --n) {
      auto event = std::make_shared<event_log::Event>();
      event->offset = Offset{events_.size()};
      event->source = "orders";
      if (const auto key = dice(keys_ + 1); key > 0) event->key = "k" + std::to_string(key);
      event->body = "{}";
      events_.push_back(std::move(event));
    }
  }
  void offer() {
    for (auto n = dice(10); n > 0 && stream_->room() > 0 && stream_->read().value < events_.size(); --n) stream_->offer(at(stream_->read()));
  }
  void take() {
    const auto work = stream_->take();
    if (!work) return;
    if (work->pending == kNoPending && !ends_ && dice(10) == 0) return stream_->abandon(*work);
    const PendingNumber number = work->pending == kNoPending ? stream_->fetched(*work, at(work->offset)) : work->pending;
    const auto offset = (*pool_)[number].offset.value;
    EXPECT_FALSE(done_.contains(offset)) << "event " << offset << " was handled";
    const std::string& key = events_[offset]->key;
    if (!key.empty()) {
      for (const auto& [other, of] : running_) { EXPECT_NE(events_[of]->key, key) << "two at once, event " << offset; }
    }
    running_.emplace_back(number, offset);
  }
  void settle() {
    if (running_.empty()) return;
    const auto place = running_.begin() + static_cast<std::ptrdiff_t>(dice(running_.size()));
    const auto [number, offset] = *place;
    running_.erase(place);
    const auto fate = ends_ ? 9 : dice(10);
    if (fate == 0) return stream_->requeue(number);
    if (fate < 4) {
      (void)stream_->block(number, Setback{.attempts = 1, .due_at = now_ + std::chrono::milliseconds(dice(5) == 0 ? 500 : dice(20))});
      return;
    }
    stream_->finish(number);
    done_.insert(offset);
    const std::string& key = events_[offset]->key;
    if (key.empty()) return;
    EXPECT_GE(offset, last_[key]) << "key " << key << " went back";
    last_[key] = offset;
  }
  void ask() {
    if (!again_) {
      again_ = stream_->next_again();
      if (again_->offsets.empty()) again_.reset();
    }
    if (!pass_) pass_ = stream_->next_pass();
  }
  void answer_again() {
    if (!again_) return;
    auto offsets = std::exchange(again_, std::nullopt)->offsets;
    offsets.resize(dice(offsets.size()) + (dice(3) == 0 ? 0 : 1));  // not always as far as it was asked for
    for (const Offset offset : offsets) stream_->offer_again(at(offset));
    EXPECT_TRUE(stream_->again_up_to(offsets.empty() ? Offset{} : offsets.back().next()).empty());
  }
  void answer_pass() {
    if (!pass_) return;
    const auto pass = *std::exchange(pass_, std::nullopt);
    Offset offset = pass.from;
    for (auto n = 1 + dice(200); n > 0 && offset < pass.until; --n, offset = offset.next()) {
      const auto event = at(offset);
      if (!event->key.empty() && pass.lanes->contains(lane_number(order_, *event))) stream_->offer_pass(event);
    }
    stream_->passed_up_to(offset);
  }
  void commit() {
    std::vector<state::LaneRow> rows;
    std::vector<std::pair<state::StreamId, std::string>> erased;
    stream_->collect(rows, erased);
    for (const auto& [id, name] : erased) committed_.rows.erase(name);
    for (auto& row : rows) committed_.rows[row.lane] = row;
    committed_.position = stream_->position();
    committed_.done = done_;
  }
  void close_or_open() {
    const auto lane = lane_number("orders", "", "k" + std::to_string(1 + dice(keys_)));
    if (closed_.erase(lane) > 0) return stream_->poke(lane);
    if (dice(3) == 0) closed_.insert(lane);
  }
  void spill() {
    stream_->spill();
    commit();
    EXPECT_EQ(committed_.position.frontier, stream_->read());
    live();
  }

  struct Committed {
    state::Position position;
    std::map<std::string, state::LaneRow> rows;
    std::set<std::uint64_t> done;
  };

  std::mt19937_64 random_;
  const std::uint64_t keys_;
  EngineOptions options_;
  OrderBy order_;
  MonotonicTime now_{100s};
  std::vector<event_log::EventPtr> events_;
  std::unique_ptr<PendingPool> pool_;
  std::unordered_set<LaneNumber> closed_;
  std::unique_ptr<Stream> stream_;
  std::vector<std::pair<PendingNumber, std::uint64_t>> running_;
  std::multiset<std::pair<MonotonicTime, LaneNumber>> dues_;
  std::optional<Stream::Again> again_;
  std::optional<Stream::Pass> pass_;
  std::set<std::uint64_t> done_;
  std::map<std::string, std::uint64_t> last_;
  Committed committed_;
  bool ends_ = false;
};

TEST(StreamModel, NothingIsForgottenDoubledOrOutOfOrder) {
  const std::uint64_t seed = test::seed();
  for (std::uint64_t n = 0; n < (test::quick() ? 50 : 300) && !testing::Test::HasFailure(); ++n) {
    SCOPED_TRACE("story " + std::to_string(seed + n));
    Story(seed + n).run(3'000);
  }
}

}  // namespace
}  // namespace hookhost::delivery
