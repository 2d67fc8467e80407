// How commands find the host that runs: by the lock of the data directory, in which it says where it listens.
#include <gmock/gmock.h>
#include <sys/file.h>

#include "system/command_line.h"

namespace hookhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class HostAddress : public CommandTest {
 protected:
  // Replaces a text of the written configuration.
  void change_config(const std::string& what, const std::string& with) {
    std::string config = contents(host.config_path());
    ASSERT_NE(config.find(what), std::string::npos);
    write_text(host.config_path(), config.replace(config.find(what), what.size(), with));
  }
  [[nodiscard]] std::string admin_port() const { return std::to_string(host.admin_port()); }
  // The lock as some process holds it, with what it has said.
  void hold_the_lock(const std::string& word) {
    std::filesystem::create_directories(host.data_dir());
    write_text(host.data_dir() + "/LOCK", word);
    held_ = ::open((host.data_dir() + "/LOCK").c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_EQ(::flock(held_, LOCK_EX), 0);
  }
  void TearDown() override {
    if (held_ >= 0) ::close(held_);
  }

 private:
  int held_ = -1;
};

TEST_F(HostAddress, ReloadReachesTheRunningHostThoughItsAdminAddressWasChanged) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  host.sources["added"] = "{unsigned: true}";
  host.write_config();
  const std::string next = std::to_string(free_port());
  ASSERT_NO_FATAL_FAILURE(change_config(admin_port(), next));
  const Ran dry = host.run({"reload", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry;
  const Ran reloaded = host.run({"reload"});
  EXPECT_EQ(reloaded.status, 0) << reloaded;
  EXPECT_EQ(reloaded.out, "source added: added\nadmin: changed, needs restart\n");
  for (const auto& line : std::vector<std::vector<std::string>>{{"status"}, {"plugin", "pause", "probe"}, {"deliveries", "list"}, {"replays", "list"}}) {
    EXPECT_EQ(host.run(line).status, 0) << testing::PrintToString(line);
  }
  EXPECT_EQ(text(host.subscriber("probe"), "state"), "paused") << "the running one was asked";
}

TEST_F(HostAddress, ASecondHostNeverSharesTheDirectory) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(change_config(admin_port(), std::to_string(free_port())));
  const Ran second = host.run({"serve"});
  EXPECT_EQ(second.status, 1) << second;
  EXPECT_EQ(host.run({"events", "list"}).status, 0);
  EXPECT_THAT(host.run({"status"}).out, HasSubstr("host: running")) << "and changed nothing of where the first is found";
}

TEST_F(HostAddress, AnyFreePortDoes) {
  host.write_config();
  ASSERT_NO_FATAL_FAILURE(change_config(admin_port(), "0"));
  host.spawn();
  EXPECT_TRUE(poll_until([&] { return host.diagnostics().find("is ready") != std::string::npos; })) << host.diagnostics();
  const Ran status = host.run({"status"});
  EXPECT_EQ(status.status, 0) << status;
  EXPECT_THAT(status.out, HasSubstr("host: running"));
}

TEST_F(HostAddress, AChangedTokenIsSaidToNeedARestart) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(change_config(admin_port() + "\"", admin_port() + "\", token: another-token"));
  const Ran reload = host.run({"reload"});
  EXPECT_EQ(reload.status, 1) << reload;
  EXPECT_THAT(reload.err, AllOf(HasSubstr("token"), HasSubstr("restarted")));
}

TEST_F(HostAddress, WhatAKilledHostSaidMisleadsNobody) {
  ASSERT_TRUE(host.start());
  host.kill_9();
  EXPECT_THAT(contents(host.data_dir() + "/LOCK"), HasSubstr(admin_port()));
  const Ran status = host.run({"status"});
  EXPECT_EQ(status.status, 0) << status;
  EXPECT_THAT(status.out, HasSubstr("host: not running"));
  EXPECT_EQ(host.run({"reload"}).status, 4);
}

TEST_F(HostAddress, TheHostOfAnotherDirectoryAtTheSameAddressIsNotMistakenForIt) {
  ASSERT_TRUE(host.start());
  std::string config = contents(host.config_path());
  write_text(host.path("conf/other.yaml"), config.replace(config.find("../data"), 7, "../other"));
  const Ran status = plain({"status", "-c", host.path("conf/other.yaml")});
  EXPECT_EQ(status.status, 3) << status;
  EXPECT_THAT(status.err, HasSubstr("other is no data directory"));
}

TEST_F(HostAddress, OneThatDoesNotAnswerIsFourAndIsNamedWithItsPlace) {
  host.write_config();
  const std::string nobody = "127.0.0.1:" + std::to_string(free_port());
  ASSERT_NO_FATAL_FAILURE(hold_the_lock(nobody + "\n"));
  const Ran status = host.run({"status"});
  EXPECT_EQ(status.status, 4) << status;
  EXPECT_THAT(status.err, AllOf(HasSubstr(host.data_dir()), HasSubstr("does not answer at " + nobody)));
}

TEST_F(HostAddress, OneThatHasNotSaidWhereIsLookedForAtTheConfiguredAddress) {
  host.write_config();
  ASSERT_NO_FATAL_FAILURE(hold_the_lock(""));
  const Ran status = host.run({"status"});
  EXPECT_EQ(status.status, 4) << status;
  EXPECT_THAT(status.err, HasSubstr("does not answer at 127.0.0.1:" + admin_port()));
}

}  // namespace
}  // namespace hookhost::test
