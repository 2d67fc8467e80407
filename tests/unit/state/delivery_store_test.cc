#include "state/delivery_store.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>

#include "base/failpoint.h"
#include "state/position_code.h"
#include "state/registry.h"
#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::state {
namespace {

class DeliveryStoreTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    store_.reset();
    auto opened = DeliveryStore::open(directory_ / "delivery.db");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened.value());
  }

  static SubscriberRow row(std::uint64_t frontier = 0) {
    SubscriberRow out;
    out.id = SubscriberId{"crm"};
    out.kind = "plugin";
    out.position = {Offset{frontier}, {}};
    out.created_at = out.changed_at = from_unix_ns(1);
    return out;
  }
  static Batch batch() { return {.subscriber = SubscriberId{"crm"}}; }
  static ParkedRow letter(std::uint64_t offset, std::uint32_t run) {
    return {.offset = Offset{offset}, .id = EventId{"evt"}, .type = "push", .reason = "exhausted", .attempts = 3, .last_error = "no", .run = run, .event = "copy"};
  }
  void commit(Batch one) {
    const auto done = store_->commit_now(std::move(one));
    ASSERT_TRUE(done) << done.error().message;
  }
  Loaded load() { return store_->load(SubscriberId{"crm"}).value().value(); }

  test::TempDir directory_;
  std::unique_ptr<DeliveryStore> store_;
};

TEST(PositionCode, RoundTrips) {
  const std::vector<Offset> offsets{Offset{0}, Offset{1}, Offset{127}, Offset{128}, Offset{70000}, Offset{UINT64_MAX}};
  EXPECT_EQ(decode_offsets(encode_offsets(offsets)), offsets);
  EXPECT_EQ(decode_offsets(""), std::vector<Offset>{});
  EXPECT_FALSE(decode_offsets("\x80"));
}

TEST_F(DeliveryStoreTest, KeepsEveryRowOverARestart) {
  EXPECT_TRUE(store_->created());
  Batch one = batch();
  one.row = row(5);
  one.row->condition = Condition::paused;
  one.row->plan = std::string("\0plan", 5);
  one.position = Position{Offset{7}, {Offset{9}, Offset{12}}};
  one.token = 42;
  one.prepared = std::string("\x00\xff", 2);
  one.lanes = {{.lane = "a\0b", .head = Offset{3}, .attempts = 2, .crashes = 1, .due = from_unix_ns(9), .last_outcome = "retry", .last_error = "x", .first_skipped = Offset{4}},
               {.lane = "drain", .first_skipped = Offset{6}}};
  one.parked = {letter(1, 7)};
  one.kv = {{"k1", "v1"}, {"k2", std::string("\0v", 2)}, {"l", "w"}};
  one.attempts = {{.offset = Offset{1}, .id = EventId{"evt"}, .type = "push", .attempt = 1, .at = from_unix_ns(4), .took = Duration{5}, .outcome = "retry", .error = "no"}};
  one.replays = {{.id = 3, .subscriber = SubscriberId{"crm"}, .mode = "wait", .state = "running", .filter = "f", .from = Offset{1}, .until = Offset{9}, .rate = 2.5, .total = 8}};
  one.gaps = {{Offset{0}, Offset{1}, from_unix_ns(2), false}};
  store_->note_durable_end(Offset{77});
  commit(one);
  open();
  EXPECT_FALSE(store_->created());
  const Loaded loaded = load();
  EXPECT_EQ(loaded.row.condition, Condition::paused);
  EXPECT_EQ(loaded.row.plan, one.row->plan);
  EXPECT_EQ(loaded.row.position.frontier, Offset{7});
  EXPECT_EQ(loaded.row.position.done, one.position->done);
  EXPECT_EQ(loaded.row.token, 42U);
  EXPECT_EQ(loaded.prepared, *one.prepared);
  ASSERT_EQ(loaded.lanes.size(), 2U);
  EXPECT_EQ(loaded.lanes[0].head, Offset{3});
  EXPECT_EQ(loaded.lanes[0].first_skipped, Offset{4});
  EXPECT_FALSE(loaded.lanes[1].head);
  ASSERT_EQ(loaded.replays.size(), 1U);
  EXPECT_EQ(loaded.replays[0].rate, 2.5);
  EXPECT_EQ(store_->parked_one(SubscriberId{"crm"}, 0, Offset{1}).value()->event, "copy");
  EXPECT_EQ(store_->attempts(SubscriberId{"crm"}, Offset{1}, 10).value().size(), 1U);
  EXPECT_EQ(store_->gaps(SubscriberId{"crm"}).value().size(), 1U);
  EXPECT_EQ(store_->kv_get(SubscriberId{"crm"}, "k2").value(), one.kv[1].value);
  EXPECT_EQ(store_->kv_scan(SubscriberId{"crm"}, "k", "", 10).value().size(), 2U);
  EXPECT_EQ(store_->kv_scan(SubscriberId{"crm"}, "k", "k1", 10).value().size(), 1U);
  EXPECT_EQ(store_->durable_end_seen(), Offset{77});
  EXPECT_EQ(store_->next_replay_id().value(), 4U);
}

TEST_F(DeliveryStoreTest, TurnsTheLettersOfOneRunIntoHeldOnes) {
  Batch one = batch();
  one.row = row();
  one.parked = {letter(1, 1), letter(2, 2), letter(3, 2)};
  commit(one);
  Batch hold = batch();
  hold.run_to_held = 2;
  commit(hold);
  EXPECT_EQ(store_->count_parked(SubscriberId{"crm"}, ParkedRow::Kind::dead).value(), 1U);
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
  EXPECT_FALSE(store_->kv_get(SubscriberId{"crm"}, "k").value());
  EXPECT_TRUE(store_->kv_get(SubscriberId{"crm"}, "new").value());
  EXPECT_EQ(store_->count_parked(SubscriberId{"crm"}, ParkedRow::Kind::dead).value(), 1U);
  Batch forget = batch();
  forget.forget = true;
  commit(forget);
  EXPECT_FALSE(store_->load(SubscriberId{"crm"}).value());
  EXPECT_EQ(store_->count_parked(SubscriberId{"crm"}, ParkedRow::Kind::dead).value(), 0U);
}

TEST_F(DeliveryStoreTest, AFailedCommitAppliesNothing) {
  Batch one = batch();
  one.row = row(5);
  ASSERT_TRUE(arm_failpoints("state.commit=error@1"));
  EXPECT_FALSE(store_->commit_now(one));
  ASSERT_TRUE(arm_failpoints(""));
  EXPECT_FALSE(store_->load(SubscriberId{"crm"}).value());
  commit(one);
  EXPECT_EQ(load().row.position.frontier, Offset{5});
}

TEST_F(DeliveryStoreTest, PrunesOldAttempts) {
  Batch one = batch();
  one.row = row();
  for (int i = 0; i < 10; ++i) one.attempts.push_back({.offset = Offset{1}, .at = from_unix_ns(i), .outcome = "retry"});
  commit(one);
  ASSERT_TRUE(store_->prune_attempts(from_unix_ns(6)));
  EXPECT_EQ(store_->attempts(SubscriberId{"crm"}, std::nullopt, 0).value().size(), 4U);
}

// The position and the kv that belongs to it are one: whatever the moment of the kill, the file holds both or neither.
TEST_F(DeliveryStoreTest, AKillLeavesWholeBatches) {
  const std::string path = directory_ / "killed.db";
  for (int round = 0; round < 5; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto opened = DeliveryStore::open(path);
      if (!opened) ::_exit(1);
      for (std::uint64_t n = 1;; ++n) {
        Batch one = batch();
        one.row = row(n);
        one.kv = {{"n", std::to_string(n)}};
        static_cast<void>(opened.value()->commit_now(one));
        if (n == 5 && ::write(ready[1], "x", 1) != 1) ::_exit(1);
      }
    }
    char byte = 0;
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ::close(ready[0]);
    ::close(ready[1]);
    auto opened = DeliveryStore::open(path);
    ASSERT_TRUE(opened) << opened.error().message;
    const auto loaded = opened.value()->load(SubscriberId{"crm"}).value().value();
    EXPECT_GE(loaded.row.position.frontier, Offset{5});
    EXPECT_EQ(opened.value()->kv_get(SubscriberId{"crm"}, "n").value(), std::to_string(loaded.row.position.frontier.value));
  }
}

TEST_F(DeliveryStoreTest, SaysWhenTheFileIsNoDatabase) {
  const std::string path = directory_ / "rubbish.db";
  std::ofstream(path) << std::string(8192, 'x');
  const auto opened = DeliveryStore::open(path);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
}

TEST(RegistryTest, IsMadeOnceAndMissedAfterwards) {
  test::TempDir directory;
  EXPECT_EQ(Registry::open(directory / "registry.db", false).error().code, ErrorCode::not_found);
  EXPECT_TRUE(Registry::open(directory / "registry.db", true).value()->created());
  EXPECT_FALSE(Registry::open(directory / "registry.db", false).value()->created());
}

}  // namespace
}  // namespace hookhost::state
