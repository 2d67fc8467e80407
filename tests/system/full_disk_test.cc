// A disk that becomes full under a running host: intake says so and comes back by itself, delivery goes on.
#include <gmock/gmock.h>

#include "support/small_disk.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;

class FullDisk : public SystemTest {
 protected:
  void SetUp() override {
    if (!disk.is_there()) GTEST_SKIP() << "a small disk can only be mounted by root";
    host.event_log = "{segment_bytes: 64KiB, disk_free_min: 4MiB}";
    add_probe("probe", "", "counts: \"" + host.path("counts") + "\"");
  }

  void send(int events) {
    KakiyoSender sender(host.public_port());
    for (const int until = sent + events; sent < until; ++sent) {
      ASSERT_FALSE(sender.send(message("chat_" + std::to_string(sent % 3), sent)).empty()) << sender.last().status;
    }
  }
  [[nodiscard]] bool has_reserve() const { return std::filesystem::exists(host.data_dir() + "/reserve"); }
  void becomes_full() {
    disk.fill();
    ASSERT_TRUE(poll_until([&] { return !host.is_ready(); }));
    ASSERT_TRUE(poll_until([&] { return !has_reserve(); })) << "the reserve is freed";
  }
  void has_handled_all_once() {
    ASSERT_TRUE(host.catches_up("probe"));
    const auto handled = ends(journal("probe"));
    EXPECT_EQ(handled.size(), static_cast<std::size_t>(sent));
    for (const auto& [offset, times] : handled) EXPECT_EQ(times, 1) << offset;
  }

  const SmallDisk disk{host.data_dir(), "24m"};
  int sent = 0;
};

TEST_F(FullDisk, IntakeIsRefusedWhileDeliveryGoesOnAndResumesByItself) {
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return has_reserve(); }));
  ASSERT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(50));
  ASSERT_NO_FATAL_FAILURE(becomes_full());

  const RawAnswer not_ready = host.admin("GET", "/readyz");
  EXPECT_EQ(not_ready.status, 503);
  EXPECT_THAT(not_ready.body, HasSubstr("disk is nearly full"));
  EXPECT_EQ(host.admin("GET", "/healthz").status, 200);
  KakiyoSender sender(host.public_port());
  EXPECT_EQ(sender.send(message("chat_1", sent)), "");
  EXPECT_EQ(sender.last().status, 503);
  EXPECT_EQ(json::parse(sender.last().body).at("error").as_string(), "unavailable");
  EXPECT_FALSE(sender.last().header("Retry-After").empty());

  ASSERT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(has_handled_all_once());
  EXPECT_FALSE(host.is_ready()) << "the freed reserve is not for new events";

  disk.make_space();
  ASSERT_TRUE(poll_until([&] { return host.is_ready(); }));
  ASSERT_NO_FATAL_FAILURE(send(5));
  ASSERT_NO_FATAL_FAILURE(has_handled_all_once());
  EXPECT_TRUE(poll_until([&] { return has_reserve(); })) << "it is made again";
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
}

TEST_F(FullDisk, AnOrderThatCannotBeKeptNamesTheDisk) {
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return has_reserve(); }));
  ASSERT_NO_FATAL_FAILURE(becomes_full());
  Ran refused;
  const std::vector<std::vector<std::string>> orders{{"plugin", "pause", "probe"}, {"plugin", "resume", "probe"}};
  for (int n = 0; n < 200 && refused.status != 1; ++n) {  // what the reserve left, and the database has at hand, is used up first
    disk.fill();
    refused = host.run(orders[n % 2]);
  }
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_THAT(refused.err, HasSubstr("disk of data_dir is full: free some space"));
  EXPECT_THAT(refused.err, testing::Not(HasSubstr(host.data_dir())));
  disk.make_space();
  ASSERT_TRUE(poll_until([&] { return host.is_ready(); }));
  EXPECT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  EXPECT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(1));
  ASSERT_NO_FATAL_FAILURE(has_handled_all_once());
}

TEST_F(FullDisk, AHostThatWasKilledWhenNothingWasLeftSaysWhatToDoAndComesBackOnceThereIsSpace) {
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return has_reserve(); }));
  ASSERT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(20));
  ASSERT_NO_FATAL_FAILURE(becomes_full());
  host.kill_9();
  for (const char* database : {"registry", "delivery"}) std::filesystem::remove(host.data_dir() + "/" + database + ".db-shm");  // SQLite wants space at once
  disk.fill();                                                                                                             // the reserve's, too
  ASSERT_EQ(disk.free_bytes(), 0U);
  EXPECT_EQ(host.spawn().wait(), 1) << host.diagnostics();
  EXPECT_THAT(host.diagnostics(), HasSubstr("is full: free some space, then start again"));
  const Ran status = host.run({"status"});
  EXPECT_EQ(status.status, 1) << status;
  EXPECT_THAT(status.err, HasSubstr("free some space"));
  disk.make_space();
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(1));
  ASSERT_NO_FATAL_FAILURE(has_handled_all_once());
  EXPECT_TRUE(poll_until([&] { return has_reserve(); }));
}

TEST_F(FullDisk, AHostThatWasKilledOnItComesBackAndDelivers) {
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return has_reserve(); }));
  ASSERT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(20));
  host.kill_9();
  disk.fill();
  host.spawn();
  ASSERT_TRUE(poll_until([&] { return host.process().ended() || host.admin("GET", "/healthz").status == 200; }));
  ASSERT_FALSE(host.process().ended()) << host.diagnostics();
  EXPECT_FALSE(host.is_ready());
  ASSERT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(has_handled_all_once());
  disk.make_space();
  ASSERT_TRUE(poll_until([&] { return host.is_ready(); }));
  ASSERT_NO_FATAL_FAILURE(send(1));
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
}

}  // namespace
}  // namespace hookhost::test
