#include "state/delivery_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <thread>

#include "base/failpoint.h"
#include "state/position_code.h"
#include "support/poll.h"
#include "unit/state/store_fixture.h"

namespace hookhost::state {
namespace {

TEST(PositionCode, RoundTrips) {
  const std::vector<Offset> offsets{Offset{0}, Offset{1}, Offset{127}, Offset{128}, Offset{70000}, Offset{UINT64_MAX}};
  EXPECT_EQ(decode_offsets(encode_offsets(offsets)), offsets);
  EXPECT_EQ(decode_offsets(""), std::vector<Offset>{});
  EXPECT_FALSE(decode_offsets("\x80"));
}

TEST(PositionCode, RefusesWhatItNeverWrote) {
  EXPECT_FALSE(decode_offsets(std::string(11, '\x80') + "\x01"));          // more than 64 bits
  EXPECT_FALSE(decode_offsets(std::string(9, '\xff') + "\x7f"));           // bits above the 64th
  EXPECT_FALSE(decode_offsets(encode_offsets({Offset{UINT64_MAX}}) + "\x01"));  // a sum above the highest offset
}

TEST(PositionCode, RoundTripsRandomOffsets) {
  std::mt19937_64 random(test::seed());
  for (int round = 0; round < 200; ++round) {
    std::vector<Offset> offsets;
    std::uint64_t at = random() % 1000;
    for (std::uint64_t i = 0; i < random() % 50; ++i) offsets.emplace_back(at += 1 + (random() >> (random() % 60)) % (UINT64_MAX / 64));
    EXPECT_EQ(decode_offsets(encode_offsets(offsets)), offsets);
  }
}

TEST_F(DeliveryStoreTest, KeepsASubscriberOverARestart) {
  Batch one = batch();
  one.row = row(5);
  one.row->condition = Condition::paused;
  one.row->reason = "by ops";
  one.row->plan = std::string("\0plan", 5);
  one.row->reset_pending = one.row->handled_any = true;
  one.row->failed_run = 3;
  one.row->changed_at = from_unix_ns(1'700'000'000'123'456'789);
  one.position = Position{Offset{7}, {Offset{9}, Offset{12}}};
  one.token = UINT64_MAX;
  one.prepared = std::string("\x00\xff", 2);
  store_->note_durable_end(Offset{77});
  commit(one);
  open();
  const Loaded loaded = load();
  EXPECT_EQ(loaded.row.id, one.subscriber);
  EXPECT_EQ(loaded.row.kind, "plugin");
  EXPECT_EQ(loaded.row.condition, Condition::paused);
  EXPECT_EQ(loaded.row.reason, "by ops");
  EXPECT_EQ(loaded.row.plan, one.row->plan);
  EXPECT_TRUE(loaded.row.reset_pending);
  EXPECT_TRUE(loaded.row.handled_any);
  EXPECT_EQ(loaded.row.failed_run, 3U);
  EXPECT_EQ(loaded.row.created_at, one.row->created_at);
  EXPECT_EQ(loaded.row.changed_at, one.row->changed_at);
  EXPECT_EQ(loaded.row.position.frontier, Offset{7});
  EXPECT_EQ(loaded.row.position.done, one.position->done);
  EXPECT_EQ(loaded.row.token, UINT64_MAX);
  EXPECT_EQ(loaded.prepared, *one.prepared);
  EXPECT_EQ(store_->durable_end_seen(), Offset{77});
  EXPECT_EQ(store_->subscribers().value().size(), 1U);
}

// So that an event log that has vanished is missed although nobody came to note its end.
TEST_F(DeliveryStoreTest, APositionSaysThatWhatLiesBeforeItWasDurable) {
  Batch one = batch();
  one.position = Position{Offset{7}, {}};
  commit(one);
  open();
  EXPECT_EQ(store_->durable_end_seen(), Offset{7});
}

TEST_F(DeliveryStoreTest, KeepsLanesOverARestart) {
  Batch one = batch();
  one.row = row();
  one.lanes = {{.lane = std::string("a\0b", 3), .head = Offset{3}, .attempts = 2, .crashes = 1, .due = from_unix_ns(9), .last_outcome = "retry", .last_error = "x", .first_skipped = Offset{4}},
               {.stream = 6, .lane = "drain", .first_skipped = Offset{6}}};
  commit(one);
  open();
  const std::vector<LaneRow> lanes = load().lanes;
  ASSERT_EQ(lanes.size(), 2U);
  EXPECT_EQ(lanes[0].stream, kMainStream);
  EXPECT_EQ(lanes[0].lane, one.lanes[0].lane);
  EXPECT_EQ(lanes[0].head, Offset{3});
  EXPECT_EQ(lanes[0].attempts, 2U);
  EXPECT_EQ(lanes[0].crashes, 1U);
  EXPECT_EQ(lanes[0].due, from_unix_ns(9));
  EXPECT_EQ(lanes[0].last_outcome, "retry");
  EXPECT_EQ(lanes[0].last_error, "x");
  EXPECT_EQ(lanes[0].first_skipped, Offset{4});
  EXPECT_EQ(lanes[1].stream, 6U);
  EXPECT_FALSE(lanes[1].head);
  Batch two = batch();
  two.lanes_erased = {{kMainStream, "drain"}, {6, "drain"}};  // the first names none
  two.lanes = {{.lane = one.lanes[0].lane, .first_skipped = Offset{9}}};
  commit(two);
  ASSERT_EQ(load().lanes.size(), 1U);
  EXPECT_FALSE(load().lanes[0].head);
  EXPECT_EQ(load().lanes[0].first_skipped, Offset{9});
}

TEST_F(DeliveryStoreTest, KeepsCrashesUntilTheyAreErasedAndAResetClearsThem) {
  Batch one = batch();
  one.row = row();
  one.crashes = {{.stream = 6, .offset = Offset{3}, .attempt = 2, .crashes = 1, .cause = "SIGSEGV", .at = from_unix_ns(9), .life = ~0ULL},
                 {.offset = Offset{3}}};
  commit(one);
  open();
  const std::vector<CrashRow> crashes = load().crashes;
  ASSERT_EQ(crashes.size(), 2U);
  EXPECT_EQ(crashes[0].stream, kMainStream);
  EXPECT_EQ(crashes[1].stream, 6U);
  EXPECT_EQ(crashes[1].offset, Offset{3});
  EXPECT_EQ(crashes[1].attempt, 2U);
  EXPECT_EQ(crashes[1].crashes, 1U);
  EXPECT_EQ(crashes[1].cause, "SIGSEGV");
  EXPECT_EQ(crashes[1].at, from_unix_ns(9));
  EXPECT_EQ(crashes[1].life, ~0ULL);
  Batch two = batch();
  two.crashes_erased = {{6, Offset{3}}};
  commit(two);
  EXPECT_EQ(load().crashes.size(), 1U);
  Batch three = batch();
  three.reset = true;
  commit(three);
  EXPECT_TRUE(load().crashes.empty());
}

TEST_F(DeliveryStoreTest, KeepsDeadLettersWithTheirCopies) {
  Batch one = batch();
  one.row = row();
  one.parked = {letter(1, 7), letter(2, 7)};
  one.parked[0].event = std::string("co\0py", 5);
  one.parked[0].parked_at = from_unix_ns(50);
  one.parked[1].type = "issues.opened";
  one.parked[1].parked_at = from_unix_ns(60);
  commit(one);
  open();
  const ParkedRow kept = store_->parked_one(id_, kMainStream, Offset{1}).value().value();
  EXPECT_EQ(kept.id, EventId{"evt"});
  EXPECT_EQ(kept.type, "push");
  EXPECT_EQ(kept.reason, "exhausted");
  EXPECT_EQ(kept.attempts, 3U);
  EXPECT_EQ(kept.last_error, "no");
  EXPECT_EQ(kept.run, 7U);
  EXPECT_EQ(kept.parked_at, from_unix_ns(50));
  EXPECT_EQ(kept.event, one.parked[0].event);
  EXPECT_FALSE(store_->parked_one(id_, 5, Offset{1}).value());
  EXPECT_TRUE(store_->parked({}).value().at(0).second.event.empty()) << "a list leaves the copies out";
  EXPECT_EQ(store_->parked({.subscriber = SubscriberId{"other"}}).value().size(), 0U);
  EXPECT_EQ(store_->parked({.kind = ParkedRow::Kind::held}).value().size(), 0U);
  EXPECT_EQ(store_->parked({.type = "push"}).value().size(), 1U);
  EXPECT_EQ(store_->parked({.since = from_unix_ns(60)}).value().size(), 1U);
  ASSERT_EQ(store_->parked({.limit = 1}).value().size(), 1U);
  EXPECT_EQ(store_->parked({.limit = 1, .after = std::pair{id_, Offset{1}}}).value().at(0).second.offset, Offset{2});
  Batch erase = batch();
  erase.parked_erased = {{kMainStream, Offset{1}}};
  commit(erase);
  EXPECT_EQ(store_->count_parked(id_, ParkedRow::Kind::dead).value(), 1U);
}

TEST_F(DeliveryStoreTest, KeepsAttemptsReplaysAndGaps) {
  Batch one = batch();
  one.row = row();
  one.attempts = {{.stream = 3, .offset = Offset{1}, .id = EventId{"evt"}, .type = "push", .attempt = 2, .at = from_unix_ns(4), .took = Duration{5}, .outcome = "retry", .error = "no"},
                  {.offset = Offset{2}, .outcome = "ok"}};
  one.replays = {{.id = 3, .subscriber = id_, .mode = "continue", .state = "running", .filter = "f", .from = Offset{1}, .until = Offset{9}, .position = {Offset{4}, {Offset{6}}}, .rate = 2.5, .total = 8, .handled = 5, .failed = 1, .created_at = from_unix_ns(7)},
                 {.id = 4, .subscriber = id_, .mode = "wait", .state = "done", .finished_at = from_unix_ns(8)}};
  one.gaps = {{Offset{0}, Offset{1}, from_unix_ns(2), false}};
  commit(one);
  open();
  const AttemptRow attempt = store_->attempts(id_, {.offset = Offset{1}}).value().at(0);
  EXPECT_EQ(attempt.stream, 3U);
  EXPECT_EQ(attempt.id, EventId{"evt"});
  EXPECT_EQ(attempt.attempt, 2U);
  EXPECT_EQ(attempt.at, from_unix_ns(4));
  EXPECT_EQ(attempt.took, Duration{5});
  EXPECT_EQ(attempt.outcome, "retry");
  EXPECT_EQ(attempt.error, "no");
  EXPECT_EQ(store_->attempts(id_, {.limit = 1}).value().at(0).offset, Offset{2}) << "the newest first";
  EXPECT_EQ(store_->attempts(id_, {.id = EventId{"evt"}}).value().size(), 1U);
  EXPECT_TRUE(store_->attempts(id_, {.offset = Offset{2}, .id = EventId{"evt"}}).value().empty());
  ASSERT_EQ(load().replays.size(), 1U) << "running ones only";
  const ReplayRow replay = load().replays[0];
  EXPECT_EQ(replay.mode, "continue");
  EXPECT_EQ(replay.filter, "f");
  EXPECT_EQ(replay.from, Offset{1});
  EXPECT_EQ(replay.until, Offset{9});
  EXPECT_EQ(replay.position.frontier, Offset{4});
  EXPECT_EQ(replay.position.done, std::vector{Offset{6}});
  EXPECT_EQ(replay.rate, 2.5);
  EXPECT_EQ(replay.total, 8U);
  EXPECT_EQ(replay.handled, 5U);
  EXPECT_EQ(replay.failed, 1U);
  EXPECT_EQ(replay.created_at, from_unix_ns(7));
  EXPECT_EQ(store_->replays(std::nullopt).value().size(), 2U);
  EXPECT_EQ(store_->replays(SubscriberId{"other"}).value().size(), 0U);
  EXPECT_EQ(store_->next_replay_id().value(), 5U);
  Batch seen = batch();
  seen.gaps = {{Offset{0}, Offset{1}, from_unix_ns(2), true}};
  commit(seen);
  ASSERT_EQ(store_->gaps(id_).value().size(), 1U);
  EXPECT_TRUE(store_->gaps(id_).value()[0].acknowledged);
}

TEST_F(DeliveryStoreTest, KeepsKvAndScansItInOrder) {
  Batch one = batch();
  one.kv = {{"k2", std::string("\0v", 2)}, {"k1", "v1"}, {"l", ""}, {std::string("k\xff", 2), "high"}, {std::string("\xff\xff", 2), "top"}};
  commit(one);
  open();
  EXPECT_EQ(store_->kv_get(id_, "k2").value(), one.kv[0].value);
  EXPECT_EQ(store_->kv_get(id_, "l").value(), "") << "an empty value is a value";
  EXPECT_FALSE(store_->kv_get(id_, "m").value());
  EXPECT_FALSE(store_->kv_get(SubscriberId{"other"}, "k1").value());
  const auto keys = [&](std::string_view prefix, std::string_view after, std::size_t limit) {
    std::vector<std::string> out;
    const auto rows = store_->kv_scan(id_, prefix, after, limit).value();
    for (const auto& [key, value] : rows) out.push_back(key);
    return out;
  };
  EXPECT_THAT(keys("k", "", 10), testing::ElementsAre("k1", "k2", "k\xff"));
  EXPECT_THAT(keys("k", "k1", 1), testing::ElementsAre("k2"));
  EXPECT_THAT(keys("\xff", "", 10), testing::ElementsAre("\xff\xff"));
  EXPECT_EQ(keys("", "", 10).size(), 5U);
  Batch erase = batch();
  erase.kv = {{"k1", std::nullopt}, {"k2", "new"}};
  commit(erase);
  EXPECT_THAT(keys("k", "", 10), testing::ElementsAre("k2", "k\xff"));
  EXPECT_EQ(store_->kv_get(id_, "k2").value(), "new");
}

TEST_F(DeliveryStoreTest, RefusesKvAboveTheLimits) {
  Batch key = batch();
  key.kv = {{"fine", "v"}, {std::string(257, 'k'), "v"}};
  EXPECT_EQ(store_->commit_now(key).error().code, ErrorCode::usage);
  EXPECT_FALSE(store_->kv_get(id_, "fine").value()) << "none of the batch is applied";
  Batch value = batch();
  value.kv = {{"k", std::string(1024 * 1024 + 1, 'v')}};
  EXPECT_EQ(store_->commit_now(value).error().code, ErrorCode::usage);
  value.kv = {{std::string(256, 'k'), std::string(1024 * 1024, 'v')}};
  commit(value);
}

TEST_F(DeliveryStoreTest, TurnsTheLettersOfOneRunIntoHeldOnes) {
  Batch one = batch();
  one.row = row();
  one.parked = {letter(1, 1), letter(2, 2), letter(3, 2)};
  commit(one);
  Batch hold = batch();
  hold.run_to_held = 2;
  commit(hold);
  EXPECT_EQ(store_->count_parked(id_, ParkedRow::Kind::dead).value(), 1U);
  EXPECT_EQ(load().held.size(), 2U);
}

TEST_F(DeliveryStoreTest, ResetAndForgetClearWhatTheySay) {
  Batch one = batch();
  one.row = row(50);
  one.kv = {{"k", "v"}};
  one.lanes = {{.lane = "l", .head = Offset{1}}};
  one.parked = {letter(1, 1)};
  commit(one);
  Batch reset = batch();
  reset.reset = true;
  reset.row = row(0);
  reset.row->reset_pending = true;
  reset.kv = {{"new", "v"}};
  commit(reset);
  EXPECT_TRUE(load().lanes.empty());
  EXPECT_FALSE(store_->kv_get(id_, "k").value());
  EXPECT_TRUE(store_->kv_get(id_, "new").value());
  EXPECT_EQ(store_->count_parked(id_, ParkedRow::Kind::dead).value(), 1U);
  Batch forget = batch();
  forget.forget = true;
  commit(forget);
  EXPECT_FALSE(store_->load(id_).value());
  EXPECT_EQ(store_->count_parked(id_, ParkedRow::Kind::dead).value(), 0U);
}

TEST_F(DeliveryStoreTest, AFailedCommitAppliesNothing) {
  Batch one = batch();
  one.row = row(5);
  ASSERT_TRUE(arm_failpoints("state.commit=error@1"));
  EXPECT_FALSE(store_->commit_now(one));
  ASSERT_TRUE(arm_failpoints(""));
  EXPECT_FALSE(store_->load(id_).value());
  commit(one);
  EXPECT_EQ(load().row.position.frontier, Offset{5});
}

TEST_F(DeliveryStoreTest, CommitsInTheOrderOfTheCallsAndBeforeItCloses) {
  std::vector<int> order;
  for (int i = 0; i < 500; ++i) {
    Batch one = batch();
    one.row = row(static_cast<std::uint64_t>(i));
    one.durable = i % 50 == 0;
    one.kv = {{"n", std::to_string(i)}};
    store_->commit(std::move(one), [&order, i](Result<> done) {
      EXPECT_TRUE(done);
      order.push_back(i);
    });
  }
  store_.reset();  // the destructor commits what waits
  ASSERT_EQ(order.size(), 500U);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  open();
  EXPECT_EQ(load().row.position.frontier, Offset{499});
  EXPECT_EQ(store_->kv_get(id_, "n").value(), "499");
}

// A reader never sees half a batch: the two keys are always written together.
TEST_F(DeliveryStoreTest, ReadersSeeWholeBatchesWhileOthersWrite) {
  std::atomic<bool> ends{false};
  std::atomic<int> looked{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!ends.load()) {
        const auto rows = store_->kv_scan(id_, "pair", "", 2).value();
        if (rows.empty()) continue;
        ASSERT_EQ(rows.size(), 2U);
        ASSERT_EQ(rows[0].second, rows[1].second);
        ++looked;
      }
    });
  }
  for (int n = 0; n < 200 || looked.load() < 50; ++n) {
    Batch one = batch();
    one.kv = {{"pair.a", std::to_string(n)}, {"pair.b", std::to_string(n)}};
    commit(one);
  }
  ends = true;
  for (std::thread& reader : readers) reader.join();
}

TEST_F(DeliveryStoreTest, TwoThreadsCommitSideBySide) {
  const auto write = [&](const char* name) {
    for (int n = 1; n <= 100; ++n) {
      Batch one{.subscriber = SubscriberId{name}};
      one.row = row(static_cast<std::uint64_t>(n));
      one.row->id = one.subscriber;
      EXPECT_TRUE(store_->commit_now(std::move(one)));
    }
  };
  std::thread a(write, "a"), b(write, "b");
  a.join();
  b.join();
  const auto rows = store_->subscribers().value();
  ASSERT_EQ(rows.size(), 2U);
  for (const SubscriberRow& kept : rows) EXPECT_EQ(kept.position.frontier, Offset{100});
}

}  // namespace
}  // namespace hookhost::state
