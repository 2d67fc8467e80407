// The disk fails under a running host: who waits is told, what was handled is committed, the supervisor gets its exit status in time, and
// nothing that was answered is missing afterwards.
#include <gmock/gmock.h>

#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

constexpr int kPoisoned = 70;
constexpr std::chrono::seconds kEndsWithin{10};

class Poison : public SystemTest {
 protected:
  // Sends until one is refused; false when that was not a 503 that says when to come back.
  testing::AssertionResult send_until_refused() {
    KakiyoSender sender(host.public_port());
    for (int n = 1; n < 100; ++n) {
      refused_ = message("chat_" + std::to_string(n % 3), n);
      const std::string id = sender.send(refused_);
      refused_at_ = Clock::now();
      if (!id.empty()) {
        answered_[id] = refused_;
        continue;
      }
      const RawAnswer& answer = sender.last();
      if (answer.status != 503) return testing::AssertionFailure() << answer.status << " " << answer.body;
      EXPECT_EQ(json::parse(answer.body).at("error").as_string(), "unavailable");
      EXPECT_FALSE(answer.header("Retry-After").empty());
      return testing::AssertionSuccess();
    }
    return testing::AssertionFailure() << "nothing was refused";
  }

  void ends_with_70_in_time() {
    EXPECT_EQ(host.process().wait(kEndsWithin + std::chrono::seconds{5}), kPoisoned) << host.diagnostics();
    EXPECT_LT(Clock::now() - refused_at_, kEndsWithin);
    EXPECT_THAT(host.diagnostics(), HasSubstr("no more events are accepted until a restart"));
  }

  // On a disk that works again.
  void nothing_answered_is_missing() {
    ASSERT_TRUE(host.start());
    KakiyoSender sender(host.public_port());
    for (const auto& [id, body] : answered_) EXPECT_EQ(sender.send(body), id) << "still known as a duplicate";
    EXPECT_FALSE(sender.send(refused_).empty()) << "the sender tries again";
    std::map<std::string, int> times;
    for (const auto& event : host.events()) ++times[std::string(event.at("body").as_string())];
    EXPECT_EQ(times.size(), answered_.size() + 1);
    for (const auto& [body, count] : times) EXPECT_EQ(count, 1) << body;
  }

  static std::vector<std::string> failing_disk(const std::string& call, int at, const std::string& log) {
    const char* options = std::getenv("ASAN_OPTIONS");
    return {"LD_PRELOAD=" + paths::failing_disk(), "FAILING_DISK_CALL=" + call, "FAILING_DISK_AT=" + std::to_string(at), "FAILING_DISK_LOG=" + log,
            "ASAN_OPTIONS=" + (options == nullptr ? std::string() : std::string(options) + ":") + "verify_asan_link_order=0"};
  }

  std::map<std::string, std::string> answered_;  // id to body
  std::string refused_;
  Clock::time_point refused_at_;
};

TEST_F(Poison, WaitersGet503TheListenerClosesOutcomesAreCommittedAndItEndsWith70) {
  add_probe("probe", "", "work_us: 300000");
  ASSERT_TRUE(host.start({}, {"HOOKHOST_FAILPOINTS=event_log.sync_fails=error@5"}));
  ASSERT_TRUE(send_until_refused());
  EXPECT_FALSE(answered_.empty());
  EXPECT_TRUE(poll_until([&] { return !host.connect().is_connected(); }, kEndsWithin)) << "the listener closes";
  ends_with_70_in_time();
  const auto before = ends(journal("probe"));
  EXPECT_FALSE(before.empty()) << "the running call was waited for";
  ASSERT_NO_FATAL_FAILURE(nothing_answered_is_missing());
  ASSERT_TRUE(host.catches_up("probe"));
  const auto after = ends(journal("probe"));
  EXPECT_EQ(after.size(), answered_.size() + 1);
  for (const auto& [offset, times] : after) EXPECT_EQ(times, 1) << "offset " << offset << " was handled again: its outcome was not committed";
}

TEST_F(Poison, ACallThatHangsDoesNotKeepItFromItsSupervisor) {
  host.more = "drain_timeout: 60s\n";
  add_probe("probe");
  ASSERT_TRUE(host.start({}, {"HOOKHOST_FAILPOINTS=event_log.sync_fails=error@3"}));
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat_hang", 0, {{"do", "hang"}})).empty());
  ASSERT_TRUE(poll_until([&] { return !journal("probe").empty(); }));
  ASSERT_TRUE(send_until_refused());
  ends_with_70_in_time();
}

TEST_F(Poison, AFileWhoseWriteOrSyncFailedIsNotTouchedAgain) {
  for (const char* call : {"fdatasync", "pwrite"}) {
    SCOPED_TRACE(call);
    answered_.clear();
    std::filesystem::remove_all(host.data_dir());
    const std::string log = host.path(std::string(call) + ".log");
    ASSERT_TRUE(host.start({}, failing_disk(call, 7, log)));
    ASSERT_TRUE(send_until_refused());
    EXPECT_FALSE(answered_.empty());
    ends_with_70_in_time();
    EXPECT_THAT(lines_of(contents(log)), ElementsAre("failed"));
    EXPECT_THAT(host.diagnostics(), HasSubstr("Input/output error"));
    ASSERT_NO_FATAL_FAILURE(nothing_answered_is_missing());
    ASSERT_EQ(host.terminate(), 0);
  }
}

}  // namespace
}  // namespace hookhost::test
