// The operator's orders while a call hangs, within its timeout and past it: they are answered in bounded time, the other subscribers go on, and
// nothing is lost.
#include "system/journal.h"

namespace hookhost::test {
namespace {

constexpr const char* kHanging[] = {"serial", "concurrent", "checkpointing"};
constexpr auto kAnswerMax = std::chrono::seconds{30};  // generous: drain_timeout is far below, and a hang has no end

class Hang : public SystemTest, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    host.more = "drain_timeout: 300ms\n";
    configure();
    add_probe("healthy");
    host.plugins["healthy"] = "{library: \"" + library("test_probe") + "\", config: {journal: \"" + host.path("healthy.journal") + "\", release: \"" + host.path("healthy.journal") + "\"}}";
    ASSERT_TRUE(host.start());
    send("chat_before");
    for (const char* name : kHanging) ASSERT_TRUE(host.catches_up(name));
    hanging_ = send("chat_hangs", {{"do", "hang"}});
    for (const char* name : kHanging) ASSERT_TRUE(poll_until([&] { return begins(name, hanging_) == 1; })) << name;
    if (is_past_its_timeout()) { ASSERT_TRUE(poll_until([&] { return host.diagnostics().find("a call is past its timeout") != std::string::npos; })); }
    send("chat_hangs");
    send("chat_other");
  }
  [[nodiscard]] bool is_past_its_timeout() const { return GetParam() != std::string("within"); }

  void configure(const std::string& options = "") {
    const std::string all = std::string("retry: [10ms, 10ms], timeout: ") + (is_past_its_timeout() ? "50ms, " : "1h, ") + options;
    add_probe("serial", all);
    add_probe("concurrent", "concurrency: 3, " + all, "", "test_probe_concurrent");
    add_probe("checkpointing", all, "", "test_probe_checkpoint");
  }
  std::uint64_t send(const std::string& chat, const json::object& what = {}) {
    EXPECT_FALSE(KakiyoSender(host.public_port()).send(message(chat, static_cast<std::int64_t>(sent_), what)).empty()) << host.diagnostics();
    return sent_++;
  }
  std::size_t begins(const std::string& name, std::uint64_t offset) {
    const auto lines = journal(name);
    return static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), [&](const auto& line) { return line.is_begin && line.offset == offset; }));
  }
  void is_answered(const std::vector<std::string>& command) {
    const auto began = std::chrono::steady_clock::now();
    const Ran ran = host.run(command);
    EXPECT_EQ(ran.status, 0) << ran << host.diagnostics();
    EXPECT_LT(std::chrono::steady_clock::now() - began, kAnswerMax);
  }
  void reload(const std::string& options) {
    configure(options);
    host.write_config();
    is_answered({"reload"});
  }
  void are(const std::string& state) {
    for (const char* name : kHanging) {
      EXPECT_TRUE(poll_until([&] { return host.subscriber(name).at("state").as_string() == state; })) << name << " " << json::serialize(host.subscriber(name));
    }
  }
  // Nobody else is held up: neither intake nor the healthy one.
  void others_go_on() {
    send("chat_other");
    send("chat_hangs");
    ASSERT_TRUE(host.catches_up("healthy"));
    EXPECT_EQ(ends(journal("healthy")).size(), sent_);
  }
  // A new instance handles the other keys though the old one's call still hangs; its key is not called a second time beside that call.
  void new_instances_handle_the_other_keys() {
    const std::uint64_t after = send("chat_after");
    for (const char* name : kHanging) {
      EXPECT_TRUE(poll_until([&] { return ends(journal(name)).contains(after); })) << name << " " << json::serialize(host.subscriber(name)) << host.diagnostics();
      EXPECT_EQ(begins(name, hanging_), 1U) << name;
    }
  }
  void everything_is_handled_once_the_hang_ends() {
    for (const char* name : kHanging) write_text(host.path(std::string(name) + ".release"), "");
    for (const char* name : kHanging) {
      SCOPED_TRACE(name);
      ASSERT_TRUE(host.catches_up(name));
      const auto lines = journal(name);
      const auto handled = ends(lines);
      EXPECT_EQ(handled.size(), sent_);
      for (const auto& [offset, times] : handled) {
        // What was ok before the hang, and waited for a checkpoint that the hang kept from coming, is handled again by the next instance.
        const bool may_come_again = offset == hanging_ || (offset < hanging_ && name == std::string("checkpointing"));
        EXPECT_LE(times, may_come_again ? 2 : 1) << offset;
      }
      EXPECT_TRUE(never_two_calls_of_one_key(lines));
      EXPECT_TRUE(in_order_per_key(lines));
      EXPECT_EQ(host.subscriber(name).at("dead_letters").to_number<int>(), 0);
    }
  }

  std::uint64_t sent_ = 0, hanging_ = 0;
};

TEST_P(Hang, AChangedConfigurationIsAppliedByANewInstance) {
  ASSERT_NO_FATAL_FAILURE(reload("stop_after: 7, "));
  others_go_on();
  new_instances_handle_the_other_keys();
  everything_is_handled_once_the_hang_ends();
}

TEST_P(Hang, DisabledAndEnabledAgain) {
  ASSERT_NO_FATAL_FAILURE(reload("enabled: false, "));
  are("disabled");
  others_go_on();
  ASSERT_NO_FATAL_FAILURE(reload(""));
  new_instances_handle_the_other_keys();
  everything_is_handled_once_the_hang_ends();
}

TEST_P(Hang, RemovedAndPutBack) {
  const auto healthy = host.plugins.at("healthy");
  host.plugins = {{"healthy", healthy}};
  host.write_config();
  is_answered({"reload"});
  are("detached");
  others_go_on();
  ASSERT_NO_FATAL_FAILURE(reload(""));
  new_instances_handle_the_other_keys();
  everything_is_handled_once_the_hang_ends();
}

TEST_P(Hang, PausedAndResumed) {
  for (const char* name : kHanging) is_answered({"plugin", "pause", name});
  are("paused");
  others_go_on();
  for (const char* name : kHanging) EXPECT_FALSE(ends(journal(name)).contains(sent_ - 1)) << name << " is handed nothing";
  for (const char* name : kHanging) is_answered({"plugin", "resume", name});
  everything_is_handled_once_the_hang_ends();
}

INSTANTIATE_TEST_SUITE_P(ACall, Hang, testing::Values("within", "past"), [](const auto& what) { return std::string(what.param) + "ItsTimeout"; });

}  // namespace
}  // namespace hookhost::test
