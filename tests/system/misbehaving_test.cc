// Handlers that misbehave, in a real host: what they harm, what becomes of their events, and how the operator gets everything delivered.
#include <numeric>

#include "system/journal.h"

namespace hookhost::test {
namespace {

class Misbehaving : public SystemTest {
 protected:
  testing::AssertionResult ended(const std::string& name, std::size_t events, const std::string& outcome = "0") {
    if (poll_until([&] { return ends(journal(name), outcome).size() >= events; })) return testing::AssertionSuccess();
    return testing::AssertionFailure() << ends(journal(name), outcome).size() << " of " << events << " ended with " << outcome << "\n" << host.diagnostics();
  }
  std::vector<json::object> dead_letters() {
    const Ran ran = host.run({"dead-letters", "list", "--json"});
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.objects();
  }
  // Attempt numbers of that offset, in the order of the calls.
  std::vector<std::uint32_t> attempts(const std::string& name, std::uint64_t offset) {
    std::vector<std::uint32_t> out;
    for (const auto& line : journal(name)) {
      if (line.is_begin && line.offset == offset) out.push_back(line.attempt);
    }
    return out;
  }
};

TEST_F(Misbehaving, ThrowingGarbageAndNeverCompletingAreRetriedAndHoldBackOnlyTheirKey) {
  add_probe("probe", "concurrency: 4, timeout: 300ms, retry: [20ms, 20ms, 20ms], ", "", "test_probe_concurrent");
  ASSERT_TRUE(host.start());
  const char* kinds[] = {"throw", "throw_int", "garbage", "defer_never"};
  for (const char* kind : kinds) send(std::string("chat_") + kind, {{"do", kind}, {"times", 2}});
  for (const char* kind : kinds) send(std::string("chat_") + kind);
  for (int i = 0; i < 20; ++i) send("chat_good");
  ASSERT_TRUE(host.catches_up("probe"));
  const auto lines = journal("probe");
  EXPECT_EQ(ends(lines).size(), 28U);
  for (const auto& [offset, times] : ends(lines)) EXPECT_EQ(times, 1) << offset;
  EXPECT_TRUE(in_order_per_key(lines));
  for (std::uint64_t offset = 0; offset < 4; ++offset) EXPECT_EQ(attempts("probe", offset), (std::vector<std::uint32_t>{1, 2, 3})) << kinds[offset];
  EXPECT_TRUE(dead_letters().empty());
  EXPECT_GE(host.subscriber("probe").at("outcomes").at("misbehaved").to_number<int>(), 2) << "garbage is reported";
}

TEST_F(Misbehaving, ItsOwnDelayIsKeptAndTheOperatorMayShortenIt) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  send("chat_1", {{"do", "own_delay"}, {"times", 1}});
  send("chat_1");
  send("chat_2");
  ASSERT_TRUE(ended("probe", 1));
  ASSERT_TRUE(poll_until([&] { return host.subscriber("probe").at("blocked_keys").to_number<int>() == 1; }));
  const Ran blocked = host.run({"deliveries", "list", "--subscriber", "probe", "--state", "blocked", "--json"});
  ASSERT_EQ(blocked.status, 0) << blocked;
  ASSERT_EQ(blocked.objects().size(), 1U) << blocked;
  EXPECT_EQ(blocked.objects()[0].at("attempts").to_number<int>(), 1);
  EXPECT_EQ(ends(journal("probe")).count(1), 0U) << "its key waits for an hour";
  const Ran now = host.run({"deliveries", "retry-now", "--subscriber", "probe", "--event", "0"});
  ASSERT_EQ(now.status, 0) << now;
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")).size(), 3U);
  EXPECT_TRUE(in_order_per_key(journal("probe")));
}

TEST_F(Misbehaving, AHangOfAConcurrentPluginDelaysOnlyItsKeyOfASerialOneOnlyItself) {
  add_probe("hanging", "concurrency: 4, timeout: 200ms, retry: [20ms, 20ms], ", "", "test_probe_concurrent");
  add_probe("serial", "timeout: 200ms, retry: [20ms, 20ms], ");
  // For this one nothing hangs: what it waits for is there.
  host.plugins["healthy"] = "{library: \"" + library("test_probe") + "\", config: {journal: \"" + host.path("healthy.journal") + "\", release: \"" + host.path("healthy.journal") + "\"}}";
  ASSERT_TRUE(host.start());
  send("chat_1", {{"do", "hang"}});
  send("chat_1");
  for (int i = 0; i < 50; ++i) send("chat_" + std::to_string(2 + i % 5));
  ASSERT_TRUE(ended("healthy", 52));
  ASSERT_TRUE(ended("hanging", 50));
  EXPECT_TRUE(ends(journal("serial")).empty()) << "one call at a time: it waits for itself";
  write_text(host.path("hanging.release"), "");
  write_text(host.path("serial.release"), "");
  ASSERT_TRUE(host.catches_up("hanging"));
  ASSERT_TRUE(host.catches_up("serial"));
  for (const char* name : {"hanging", "serial"}) {
    EXPECT_EQ(ends(journal(name)).size(), 52U) << name;
    EXPECT_TRUE(never_two_calls_of_one_key(journal(name))) << name;
  }
}

TEST_F(Misbehaving, AHangDoesNotKeepTheHostFromStopping) {
  add_probe("probe", "timeout: 100ms, ");
  host.more = "drain_timeout: 1s\n";
  ASSERT_TRUE(host.start());
  send("chat_1", {{"do", "hang"}});
  ASSERT_TRUE(poll_until([&] { return !journal("probe").empty(); }));
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
  write_text(host.path("probe.release"), "");
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")).at(0), 1);
}

TEST_F(Misbehaving, AnOrderlyEndAmidRetriesKeepsAttemptsAndDueTimes) {
  constexpr int kChats = 8;
  add_probe("waiting", "retry: [10ms, 10ms, 1h], ");
  std::string often = "250ms";
  for (int i = 1; i < 100; ++i) often += ", 250ms";
  add_probe("busy", "concurrency: 4, retry: [" + often + "], ", "", "test_probe_concurrent");
  set_mode("busy", "retry");
  ASSERT_TRUE(host.start());
  for (int i = 0; i < kChats; ++i) send("chat_" + std::to_string(i), {{"do", "throw"}, {"times", 3}});
  for (int i = 0; i < kChats; ++i) send("chat_" + std::to_string(i));
  const auto blocked = [&] {
    std::map<std::uint64_t, std::string> out;
    for (const auto& one : host.run({"deliveries", "list", "--subscriber", "waiting", "--state", "blocked", "--json"}).objects()) {
      if (one.at("attempts").to_number<int>() == 3) out[one.at("offset").to_number<std::uint64_t>()] = json::serialize(one);
    }
    return out;
  };
  ASSERT_TRUE(poll_until([&] { return blocked().size() == kChats; }));
  ASSERT_TRUE(poll_until([&] { return attempts("busy", kChats - 1).size() > 3; }));
  const auto before = blocked();
  ASSERT_EQ(host.terminate(), 0) << host.diagnostics();
  std::map<std::uint64_t, std::size_t> had;
  for (std::uint64_t offset = 0; offset < kChats; ++offset) had[offset] = attempts("busy", offset).size();

  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return blocked().size() == kChats; }));
  EXPECT_EQ(blocked(), before) << "attempts, due times and the last errors";
  for (std::uint64_t offset = 0; offset < kChats; ++offset) {
    ASSERT_TRUE(poll_until([&] { return attempts("busy", offset).size() > had[offset] + 1; }));
  }
  set_mode("busy", "well");
  for (const auto& [offset, as_before] : before) ASSERT_EQ(host.run({"deliveries", "retry-now", "--subscriber", "waiting", "--event", std::to_string(offset)}).status, 0);
  for (const char* name : {"waiting", "busy"}) {
    ASSERT_TRUE(host.catches_up(name));
    EXPECT_EQ(ends(journal(name)).size(), 2U * kChats) << name;
    for (const auto& [offset, times] : ends(journal(name))) EXPECT_EQ(times, 1) << name << " " << offset;
    EXPECT_TRUE(in_order_per_key(journal(name))) << name;
    for (std::uint64_t offset = 0; offset < kChats; ++offset) {
      std::vector<std::uint32_t> one_after_the_other(attempts(name, offset).size());
      std::iota(one_after_the_other.begin(), one_after_the_other.end(), 1U);
      EXPECT_EQ(attempts(name, offset), one_after_the_other) << name << ": the count goes on where it was";
    }
  }
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(Misbehaving, UnavailableCostsNoAttempt) {
  add_probe("probe", "retry: [10ms], ");
  set_mode("probe", "unavailable");
  ASSERT_TRUE(host.start());
  for (int i = 0; i < 30; ++i) send("chat_" + std::to_string(i % 3));
  ASSERT_TRUE(is("probe", "waiting"));
  ASSERT_TRUE(poll_until([&] { return attempts("probe", 0).size() > 20; })) << "it probes";
  set_mode("probe", "");
  ASSERT_TRUE(host.catches_up("probe"));
  const auto lines = journal("probe");
  EXPECT_EQ(ends(lines).size(), 30U);
  for (const auto& line : lines) {
    if (line.is_begin) { EXPECT_EQ(line.attempt, 1U); }
  }
  EXPECT_TRUE(dead_letters().empty());
}

TEST_F(Misbehaving, RejectedAndExhaustedAreDeadLettersThatCanBeRetried) {
  add_probe("probe", "retry: [10ms, 10ms], ");
  ASSERT_TRUE(host.start());
  send("chat_1", {{"do", "reject"}, {"times", 1}});
  send("chat_1", {{"do", "throw"}, {"times", 3}});
  const std::string last = send("chat_1");
  ASSERT_TRUE(host.catches_up("probe"));
  const auto dead = dead_letters();
  ASSERT_EQ(dead.size(), 2U);
  EXPECT_EQ(dead[0].at("reason").as_string(), "rejected");
  EXPECT_EQ(dead[1].at("reason").as_string(), "exhausted");
  EXPECT_EQ(attempts("probe", 1).size(), 3U);
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{2, 1}})) << "the key goes on behind them";
}

TEST_F(Misbehaving, TwentyExhaustedInARowStopItAndAResumeAfterTheRepairDeliversAllOnce) {
  add_probe("probe", "retry: [5ms], stop_after: 20, ");
  ASSERT_TRUE(host.start());
  for (int i = 0; i < 5; ++i) send("chat_" + std::to_string(i));
  ASSERT_TRUE(host.catches_up("probe"));
  set_mode("probe", "retry");
  for (int i = 0; i < 40; ++i) send("chat_" + std::to_string(i % 5));
  ASSERT_TRUE(is("probe", "stopped")) << host.diagnostics();
  const auto status = host.subscriber("probe");
  EXPECT_NE(std::string(status.at("way_out").as_string()).find("plugin resume probe"), std::string::npos) << json::serialize(status);
  EXPECT_GE(status.at("held").to_number<int>(), 20) << "and what was on its way at that moment";
  for (const auto& letter : dead_letters()) EXPECT_EQ(letter.at("state").as_string(), "held") << "they are held instead";
  const Ran told = host.run({"events", "list", "--type", "hookhost.subscriber.stopped", "--json"});
  EXPECT_EQ(told.objects().size(), 1U) << told;
  EXPECT_NE(host.run({"status", "--check"}).status, 0) << "monitoring sees it";
  const Ran shown = host.run({"status"});
  EXPECT_NE(shown.out.find("plugin resume probe"), std::string::npos) << shown;

  host.kill_9();
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(is("probe", "stopped"));
  set_mode("probe", "");
  const Ran resumed = host.run({"plugin", "resume", "probe"});
  ASSERT_EQ(resumed.status, 0) << resumed;
  ASSERT_TRUE(host.catches_up("probe"));
  const auto lines = journal("probe");
  std::size_t handled = 0;
  for (const auto& [offset, times] : ends(lines)) {
    EXPECT_EQ(times, 1) << offset;
    ++handled;
  }
  EXPECT_EQ(handled, 45U);
  EXPECT_TRUE(in_order_per_key(lines)) << "the held ones first";
  EXPECT_EQ(host.subscriber("probe").at("held").to_number<int>(), 0);
}

TEST_F(Misbehaving, AnIllPluginIsShownAsDegradedAndGoesOnWorking) {
  add_probe("ill");
  add_probe("well");
  set_mode("ill", "ill");
  ASSERT_TRUE(host.start());
  const auto shown = [&](const std::string& name) {
    for (const auto& plugin : host.run({"plugin", "list", "--json"}).objects()) {
      if (plugin.at("name").as_string() == name) return json::serialize(plugin.at("state")) + json::serialize(plugin.at("error"));
    }
    return std::string();
  };
  ASSERT_TRUE(poll_until([&] { return shown("ill") == R"("degraded""told to be ill")"; })) << shown("ill");
  EXPECT_EQ(shown("well"), R"("loaded"null)");
  EXPECT_EQ(host.run({"status", "--check"}).status, 1);
  send("chat_1");
  ASSERT_TRUE(host.catches_up("ill"));
  EXPECT_EQ(ends(journal("ill")).size(), 1U);
}

TEST_F(Misbehaving, PausedDisabledAndDetachedLoseNothing) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  const auto reload = [&](const std::string& options) {
    host.plugins.clear();
    if (options != "gone") add_probe("probe", options);
    host.write_config();
    const Ran ran = host.run({"reload"});
    EXPECT_EQ(ran.status, 0) << ran;
  };
  send("chat_1");
  ASSERT_EQ(host.run({"plugin", "pause", "probe"}).status, 0);
  send("chat_1");
  ASSERT_TRUE(is("probe", "paused"));
  ASSERT_EQ(host.run({"plugin", "resume", "probe"}).status, 0);
  ASSERT_TRUE(host.catches_up("probe"));
  reload("enabled: false, ");
  send("chat_1");
  ASSERT_TRUE(is("probe", "disabled"));
  reload("gone");
  send("chat_1");
  ASSERT_TRUE(is("probe", "detached"));
  reload("");
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}, {1, 1}, {2, 1}, {3, 1}}));
  EXPECT_TRUE(in_order_per_key(journal("probe")));
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 2) << "not while it is configured";
  reload("gone");
  EXPECT_EQ(host.run({"plugin", "forget", "probe"}).status, 0);
  EXPECT_EQ(host.run({"status", "probe"}).status, 3);
}

}  // namespace
}  // namespace hookhost::test
