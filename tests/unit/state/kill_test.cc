#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <random>

#include "base/failpoint.h"
#include "state/delivery_store.h"
#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::state {
namespace {

// The position and the kv that belongs to it are one: whatever the moment of the kill, the file holds both or neither, and never less than
// what was answered. No thread may live in the parent when it forks.
class KillTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(answers_), 0); }
  void TearDown() override { ::close(answers_[0]); }

  // Commits until it is killed, and says after each commit that it was answered.
  [[noreturn]] void commit_forever(const std::string& failpoints, std::uint64_t from) {
    auto opened = DeliveryStore::open(path_);
    if (!opened || !arm_failpoints(failpoints)) ::_exit(1);
    for (std::uint64_t n = from;; ++n) {
      Batch one{.subscriber = id_};
      one.row = SubscriberRow{.id = id_, .kind = "plugin", .position = {Offset{n}, {}}};
      one.kv = {{"n", std::to_string(n)}, {"other", std::string(n % 5000, 'x')}};
      if (!opened.value()->commit_now(std::move(one)) || ::write(answers_[1], "x", 1) != 1) ::_exit(1);
    }
  }

  // How many commits were answered before the kill: after `commits` of them, or where a failpoint ends the process.
  std::uint64_t live_and_die(std::uint64_t from, std::uint64_t commits, const std::string& failpoints) {
    const pid_t child = ::fork();
    if (child == 0) commit_forever(failpoints, from);
    ::close(answers_[1]);
    std::uint64_t answered = 0;
    for (char byte = 0; ::read(answers_[0], &byte, 1) == 1;) {
      if (++answered == commits) ::kill(child, SIGKILL);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
    ::close(answers_[0]);
    EXPECT_EQ(::pipe(answers_), 0);
    return answered;
  }

  // The highest number in the file; its parts agree.
  std::uint64_t survivor() {
    auto store = DeliveryStore::open(path_).value();
    const auto loaded = store->load(id_).value();
    if (!loaded) return 0;
    const std::uint64_t n = loaded->row.position.frontier.value;
    EXPECT_EQ(store->kv_get(id_, "n").value(), std::to_string(n));
    EXPECT_EQ(store->kv_get(id_, "other").value()->size(), n % 5000);
    return n;
  }

  const SubscriberId id_{"crm"};
  test::TempDir directory_;
  const std::string path_ = directory_ / "delivery.db";
  int answers_[2] = {-1, -1};
};

TEST_F(KillTest, AtRandomMomentsLeavesWholeBatches) {
  std::mt19937_64 random(test::seed());
  std::uint64_t highest = 0;
  for (int round = 0; round < (test::quick() ? 5 : 25); ++round) {
    const std::uint64_t answered = live_and_die(highest + 1, 1 + random() % 200, "");
    const std::uint64_t found = survivor();
    EXPECT_GE(found, highest + answered);
    EXPECT_LE(found, highest + answered + 1) << "at most the one that was in the air";
    highest = found;
  }
}

TEST_F(KillTest, BeforeTheCommitLosesOnlyTheUnanswered) {
  EXPECT_EQ(live_and_die(1, 0, "state.before_commit=kill@4"), 3U);
  EXPECT_EQ(survivor(), 3U);
}

TEST_F(KillTest, AfterTheCommitKeepsTheUnansweredToo) {
  EXPECT_EQ(live_and_die(1, 0, "state.after_commit=kill@4"), 3U);
  EXPECT_EQ(survivor(), 4U);
}

}  // namespace
}  // namespace hookhost::state
