// The bookkeeping alone: what a row says when the host dies there.
#include "delivery/stream.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace hookhost::delivery {
namespace {

class StreamTest : public ::testing::Test {
 protected:
  static event_log::EventPtr event(std::uint64_t offset) {
    auto out = std::make_shared<event_log::Event>();
    out->offset = Offset{offset};
    out->source = "orders";
    out->key = "k";
    out->body = "{}";
    return out;
  }
  PendingNumber take_next(Stream& from) {
    const auto work = from.take();
    EXPECT_TRUE(work);
    if (!work) return kNoPending;
    return work->pending == kNoPending ? from.fetched(*work, event(work->offset.value)) : work->pending;
  }
  void read_again(Stream& stream) {
    const auto again = stream.next_again();
    for (const Offset offset : again.offsets) stream.offer_again(event(offset.value));
    if (!again.offsets.empty()) { EXPECT_TRUE(stream.again_up_to(again.offsets.back().next()).empty()); }
  }
  // 0 was refused once, 1 was found again behind it and is through; 2 came when nothing stood between, 3 was skipped before its turn.
  void reach_what_was_found_again() {
    stream_.set_closed(closed_);
    stream_.set_now(now_);
    stream_.offer(event(0));
    stream_.block(take_next(stream_), Setback{.attempts = 1, .due_at = now_});
    stream_.offer(event(1));
    stream_.finish(take_next(stream_));
    read_again(stream_);
    stream_.offer(event(2));
    const LaneNumber lane = lane_number(order_, *event(0));
    closed_.insert(lane);
    stream_.offer(event(3));
    closed_.clear();
    stream_.poke(lane);
    stream_.finish(take_next(stream_));
  }
  // What the next life would be handed, from what was committed now.
  std::vector<std::uint64_t> after_a_kill(Stream& stream, std::uint64_t end) {
    stream.collect(rows_, erased_);
    for (const auto& [id, name] : erased_) std::erase_if(rows_, [&, name = name](const auto& row) { return row.lane == name; });
    PendingPool pool;
    Stream next(state::kMainStream, stream.position(), pool, order_, options_);
    next.set_now(now_);
    for (const auto& row : rows_) next.load(row, now_);
    for (std::uint64_t offset = stream.position().frontier.value; offset < end; ++offset) next.offer(event(offset));
    std::vector<std::uint64_t> out;
    for (int idle = 0; idle < 3; ++idle) {
      while (const auto pass = next.next_pass()) {
        for (Offset at = pass->from; at < pass->until; at = at.next()) next.offer_pass(event(at.value));
        next.passed_up_to(pass->until);
      }
      read_again(next);
      for (const auto& [due, lane] : next.take_dues()) next.poke(lane);
      while (const auto work = next.take()) {
        idle = 0;
        out.push_back(work->offset.value);
        next.finish(work->pending == kNoPending ? next.fetched(*work, event(work->offset.value)) : work->pending);
      }
    }
    return out;
  }

  const EngineOptions options_;
  const OrderBy order_;
  const MonotonicTime now_{std::chrono::seconds{100}};
  PendingPool pool_;
  std::unordered_set<LaneNumber> closed_;
  Stream stream_{state::kMainStream, {}, pool_, order_, options_};
  std::vector<state::LaneRow> rows_;
  std::vector<std::pair<state::StreamId, std::string>> erased_;
};

TEST_F(StreamTest, ARowNeverNamesWhatWasHandedOverAfterAllThatWasFoundAgain) {
  reach_what_was_found_again();
  stream_.finish(take_next(stream_));
  EXPECT_EQ(after_a_kill(stream_, 4), std::vector<std::uint64_t>{3});
}

TEST_F(StreamTest, ARowNeverNamesItsHeadAmongWhatItSkipped) {
  reach_what_was_found_again();
  stream_.block(take_next(stream_), Setback{.attempts = 1, .due_at = now_});
  EXPECT_EQ(after_a_kill(stream_, 4), (std::vector<std::uint64_t>{2, 3}));
}

}  // namespace
}  // namespace hookhost::delivery
