#include "state/group_commit.h"

#include <gtest/gtest.h>

#include "base/failpoint.h"
#include "state/reads.h"
#include "state/schema.h"
#include "support/temp_dir.h"

namespace hookhost::state {
namespace {

class GroupCommitTest : public testing::Test {
 protected:
  GroupCommitTest() : database_(Database::open(directory_ / "delivery.db", Database::Mode::read_write).value()) {
    EXPECT_TRUE(migrate_delivery(database_).value());
  }

  static Waiting write(const char* subscriber, const char* key, std::size_t bytes = 1) {
    Waiting out;
    out.batch.subscriber = SubscriberId{subscriber};
    out.batch.kv = {{"before", "v"}, {key, std::string(bytes, 'v')}};
    return out;
  }
  // Every write of the key "bad" fails, as a damaged row would.
  void let_bad_fail() {
    ASSERT_TRUE(database_.execute("CREATE TEMP TRIGGER bad BEFORE INSERT ON kv WHEN NEW.key = x'626164' BEGIN SELECT RAISE(ABORT, 'bad'); END"));
  }
  bool has(const char* subscriber, const char* key) { return reads::kv_get(database_, SubscriberId{subscriber}, key).value().has_value(); }

  test::TempDir directory_;
  Database database_;
  GroupCommit group_{database_, Offset{0}};
};

TEST_F(GroupCommitTest, ABatchThatFailsTakesOnlyItselfBack) {
  let_bad_fail();
  const auto results = group_.commit({write("a", "k"), write("b", "bad"), write("c", "k")}, Offset{9});
  ASSERT_EQ(results.size(), 3U);
  EXPECT_TRUE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_TRUE(results[2]);
  EXPECT_TRUE(has("a", "k"));
  EXPECT_FALSE(has("b", "before")) << "all of the batch or nothing";
  EXPECT_TRUE(has("c", "k"));
  EXPECT_EQ(reads::meta(database_, kDurableEndName).value(), 9U);
}

TEST_F(GroupCommitTest, WhatWasMadeOnTopOfAFailedBatchFailsToo) {
  let_bad_fail();
  const auto results = group_.commit({write("a", "bad"), write("a", "k"), write("b", "k")}, Offset{0});
  EXPECT_FALSE(results[0]);
  EXPECT_FALSE(results[1]);
  EXPECT_TRUE(results[2]);
  EXPECT_FALSE(has("a", "k"));
  EXPECT_TRUE(group_.commit({write("a", "k")}, Offset{0})[0]) << "the next transaction begins anew";
}

// SQLite takes the whole transaction back when the disk is full. What came before and after in the group must not be called done.
TEST_F(GroupCommitTest, AFullDiskFailsTheWholeGroupAndLeavesNothing) {
  ASSERT_TRUE(group_.commit({write("old", "k")}, Offset{5})[0]);
  ASSERT_TRUE(database_.execute("PRAGMA max_page_count=60"));
  const auto results = group_.commit({write("a", "k"), write("b", "big", 1024 * 1024), write("c", "k")}, Offset{50});
  for (const Result<>& one : results) {
    ASSERT_FALSE(one);
    EXPECT_EQ(one.error().code, ErrorCode::no_space) << one.error().message;
  }
  EXPECT_FALSE(has("a", "k"));
  EXPECT_FALSE(has("c", "before"));
  EXPECT_TRUE(has("old", "k"));
  EXPECT_FALSE(database_.in_transaction());
  EXPECT_EQ(reads::meta(database_, kDurableEndName).value(), 5U);
  ASSERT_TRUE(database_.execute("PRAGMA max_page_count=100000"));
  EXPECT_TRUE(group_.commit({write("c", "k")}, Offset{50})[0]) << "space came back";
  EXPECT_EQ(reads::meta(database_, kDurableEndName).value(), 50U);
}

TEST_F(GroupCommitTest, WithoutABatchWritesADurableEndThatIsNewAndElseNothing) {
  const auto written = [&] { return std::pair(reads::meta(database_, kDurableEndName).value(), group_.written_end().value); };
  EXPECT_TRUE(group_.commit({}, Offset{4}).empty());
  EXPECT_EQ(written(), std::pair(4UL, 4UL));
  ASSERT_TRUE(arm_failpoints("state.commit=error@1"));
  EXPECT_TRUE(group_.commit({}, Offset{4}).empty()) << "no transaction, which would fail";
  EXPECT_TRUE(group_.commit({}, Offset{5}).empty());
  EXPECT_EQ(written(), std::pair(4UL, 4UL)) << "it failed";
  ASSERT_TRUE(arm_failpoints(""));
  EXPECT_TRUE(group_.commit({}, Offset{5}).empty());
  EXPECT_EQ(written(), std::pair(5UL, 5UL));
}

TEST_F(GroupCommitTest, IsFullySynchronousForDurableBatchesOnly) {
  const auto synchronous = [&] {
    auto ask = database_.prepare("PRAGMA synchronous").value();
    EXPECT_TRUE(ask.row().value());
    return ask.integer(0);
  };
  EXPECT_EQ(synchronous(), 1);
  Waiting durable = write("a", "k");
  durable.batch.durable = true;
  EXPECT_TRUE(group_.commit({write("b", "k"), durable}, Offset{0})[1]);
  EXPECT_EQ(synchronous(), 2);
  EXPECT_TRUE(group_.commit({write("b", "k")}, Offset{0})[0]);
  EXPECT_EQ(synchronous(), 1);
}

}  // namespace
}  // namespace hookhost::state
