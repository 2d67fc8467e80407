// Plugins that end the process of a real host; the test is the supervisor that starts it again.
#include "system/journal.h"

namespace hookhost::test {
namespace {

class Crashing : public SystemTest {
 protected:
  void send(const std::string& chat, const json::object& what = {}) {
    EXPECT_FALSE(KakiyoSender(host.public_port()).send(message(chat, ++sent_, what)).empty()) << host.diagnostics();
  }
  // The host ends by itself.
  int ended() {
    const int status = host.process().wait();
    EXPECT_NE(status, -1) << "the host does not end\n" << host.diagnostics();
    return status;
  }
  // Until the plugin has ended it so often; then it stays.
  void supervise(int crashes) {
    for (int crash = 1; crash <= crashes; ++crash) {
      EXPECT_NE(ended(), 0) << "a supervisor that restarts on failure must do so";
      host.spawn();  // it may end before it is ready
    }
    ASSERT_TRUE(poll_until([&] { return host.process().ended() || host.is_ready(); }, std::chrono::seconds{120}));
    ASSERT_FALSE(host.process().ended()) << host.diagnostics();
  }
  std::vector<json::object> dead_letters() {
    const Ran ran = host.run({"dead-letters", "list", "--json"});
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.objects();
  }
  std::int64_t sent_ = 0;
};

TEST_F(Crashing, ThreeTimesOnOneEventMakesItADeadLetterAndEverythingElseFlows) {
  add_probe("probe", "concurrency: 4, retry: [20ms, 20ms, 20ms, 20ms], ", "", "test_probe_concurrent");
  ASSERT_TRUE(host.start());
  for (int i = 0; i < 6; ++i) send("chat_" + std::to_string(i));
  ASSERT_TRUE(host.catches_up("probe"));
  send("chat_bad", {{"do", "segfault"}});
  supervise(3);
  send("chat_bad");
  for (int i = 0; i < 6; ++i) send("chat_" + std::to_string(i));
  ASSERT_TRUE(host.catches_up("probe"));
  const auto dead = dead_letters();
  ASSERT_EQ(dead.size(), 1U);
  EXPECT_EQ(dead[0].at("offset").to_number<int>(), 6);
  EXPECT_EQ(dead[0].at("reason").as_string(), "crashed");
  EXPECT_EQ(dead[0].at("attempts").to_number<int>(), 3);
  const auto lines = journal("probe");
  const auto done = ends(lines);
  EXPECT_EQ(done.size(), 13U) << "everything but the one";
  EXPECT_TRUE(in_order_per_key(lines));
  std::vector<std::uint32_t> attempts;
  for (const auto& line : lines) {
    if (line.is_begin && line.offset == 6) attempts.push_back(line.attempt);
  }
  EXPECT_EQ(attempts, (std::vector<std::uint32_t>{1, 2, 3})) << "a crash uses up an attempt";
  for (const char* said : {"the last run ended inside plugin probe, event 6 (SIGSEGV), crash 1 of 3", "crash 2 of 3", "crash 3 of 3: the event becomes a dead letter"}) {
    EXPECT_NE(host.diagnostics().find(said), std::string::npos) << said << "\n" << host.diagnostics();
  }
  EXPECT_EQ(host.terminate(), 0);
}

TEST_F(Crashing, ByAbortAndByExitCountsTooAndAKill9DoesNot) {
  add_probe("probe", "retry: [20ms, 20ms, 20ms], ");
  ASSERT_TRUE(host.start());
  send("chat_a", {{"do", "abort"}, {"times", 1}});
  supervise(1);
  ASSERT_TRUE(host.catches_up("probe"));
  send("chat_b", {{"do", "exit"}, {"times", 1}});
  supervise(1);
  ASSERT_TRUE(host.catches_up("probe"));
  send("chat_c", {{"do", "hang"}, {"times", 1}});
  ASSERT_TRUE(poll_until([&] { return !journal("probe").empty() && journal("probe").back().offset == 2; }));
  host.kill_9();
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return journal("probe").back().offset == 2 && journal("probe").back().is_begin; }));
  write_text(host.path("probe.release"), "");
  ASSERT_TRUE(host.catches_up("probe"));
  for (const auto& line : journal("probe")) {
    if (line.offset == 2 && line.is_begin) {
      EXPECT_EQ(line.attempt, 1U) << "nobody is blamed for a kill";
    }
  }
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_NE(host.diagnostics().find("event 0 (SIGABRT), crash 1 of 3"), std::string::npos) << host.diagnostics();
  EXPECT_NE(host.diagnostics().find("event 1 (exit()), crash 1 of 3"), std::string::npos) << host.diagnostics();
  EXPECT_EQ(host.diagnostics().find("event 2 ("), std::string::npos) << host.diagnostics();
}

TEST_F(Crashing, OutsideOfHandleThreeRunsInARowIsNotStartedUntilAReload) {
  add_probe("probe");
  add_probe("other");
  ASSERT_TRUE(host.start());
  send("chat_a");
  ASSERT_TRUE(host.catches_up("probe"));
  write_text(host.path("probe.mode"), "crash_in_create");
  ASSERT_EQ(host.terminate(), 0);
  host.spawn();
  supervise(3);
  send("chat_a");
  ASSERT_TRUE(host.catches_up("other")) << "it goes on without the one";
  const Ran listed = host.run({"plugin", "list"});
  EXPECT_NE(listed.out.find("its last 3 runs ended the host (SIGABRT in create); it is not started. Correct or replace it, then: hookhost reload"),
            std::string::npos)
      << listed;
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_TRUE(host.start()) << "held back over an orderly restart, too: " << host.diagnostics();
  EXPECT_EQ(host.subscriber("probe").at("state").as_string(), "failed") << "as plugin list says";
  std::filesystem::remove(host.path("probe.mode"));
  ASSERT_EQ(host.run({"reload"}).status, 0);
  ASSERT_TRUE(host.catches_up("probe")) << host.diagnostics();
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}, {1, 1}})) << "nothing was lost";
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_TRUE(host.start());
  send("chat_a");
  ASSERT_TRUE(host.catches_up("probe")) << "started as usual";
}

TEST_F(Crashing, ARequiredPluginThatIsNotStartedRefusesTheStartOnce) {
  add_probe("probe", "required: true, ");
  write_text(host.path("probe.mode"), "crash_in_start");
  host.write_config();
  host.spawn();
  for (int life = 1; life <= 3; ++life) {
    EXPECT_NE(ended(), 0);
    host.spawn();
  }
  EXPECT_EQ(ended(), 1) << host.diagnostics();
  EXPECT_NE(host.diagnostics().find("its last 3 runs ended the host (SIGABRT in start); it is not started. Correct or replace it, then: start again"), std::string::npos)
      << host.diagnostics();
  std::filesystem::remove(host.path("probe.mode"));
  ASSERT_TRUE(host.start()) << host.diagnostics();
}

}  // namespace
}  // namespace hookhost::test
