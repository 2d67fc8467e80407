// `hookhost replay` and `replays` as people use them: what is refused and with which way out, projections rebuilt, watching and Ctrl-C.
#include <gmock/gmock.h>

#include "support/terminal.h"
#include "system/journal.h"

namespace hookhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class ReplayCommands : public SystemTest {
 protected:
  void send_many(int events) {
    for (int i = 0; i < events; ++i) send("chat_" + std::to_string(i % 3));
  }
  Ran replay(const std::vector<std::string>& options) {
    std::vector<std::string> line{"replay", "probe", "--from", "beginning"};
    line.insert(line.end(), options.begin(), options.end());
    return host.run(line);
  }
  // What is committed in the probe's kv, told by the instance of the next start.
  std::map<std::string, int> counts_after_a_restart() {
    EXPECT_EQ(host.terminate(), 0);
    EXPECT_TRUE(host.start());
    EXPECT_TRUE(host.catches_up("probe"));
    return counts(host.path("counts"));
  }
  [[nodiscard]] std::string with_counts() const { return "counts: \"" + host.path("counts") + "\""; }
  // A replay of some seconds, and a subscriber that it finds fresh.
  void prepare_a_slow_one() {
    ASSERT_TRUE(host.start());
    ASSERT_NO_FATAL_FAILURE(send_many(60));
    add_probe("probe", "start_at: hold, ", "work_us: 40000");
    ASSERT_NO_FATAL_FAILURE(reload());
  }
  [[nodiscard]] std::vector<std::string> command(const std::vector<std::string>& words) const {
    std::vector<std::string> line{paths::host()};
    line.insert(line.end(), words.begin(), words.end());
    line.insert(line.end(), {"-c", host.config_path()});
    return line;
  }
  [[nodiscard]] Spawn aside(const std::vector<std::string>& words) const { return {command(words), {}, host.path(""), host.path("aside.out"), host.path("aside.err")}; }
  void every_event_was_handled_once() {
    const Ran watched = host.run({"replays", "watch", "1"});
    EXPECT_EQ(watched.status, 0) << watched;
    EXPECT_THAT(watched.out, HasSubstr("replay 1: done, 60 of 60 handled, 0 failed"));
    const auto handled = ends(journal("probe"));
    EXPECT_EQ(handled.size(), 60U);
    for (const auto& [offset, times] : handled) EXPECT_EQ(times, 1) << offset;
  }
};

TEST_F(ReplayCommands, AResetOnlyPluginIsRefusedWithoutItUnlessItHasHandledNothing) {
  ASSERT_TRUE(host.start());
  send_many(6);
  add_probe("probe", "start_at: hold, ", "", "test_probe_reset_only");
  ASSERT_NO_FATAL_FAILURE(reload());
  const Ran fresh = replay({});
  EXPECT_EQ(fresh.status, 0) << fresh;
  EXPECT_EQ(ends(journal("probe")).size(), 6U);

  const Ran refused = replay({});
  EXPECT_EQ(refused.status, 2) << refused;
  EXPECT_THAT(refused.err, HasSubstr("--reset"));
  const Ran dry = replay({"--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry;
  EXPECT_THAT(dry.out, AllOf(HasSubstr("6 events"), HasSubstr("it would be refused"), HasSubstr("--reset")));
  EXPECT_EQ(replay({"--reset", "--live", "continue"}).status, 2);
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}, {1, 1}, {2, 1}, {3, 1}, {4, 1}, {5, 1}})) << "nothing of it ran";
  EXPECT_EQ(replay({"--reset"}).status, 0);
  for (const auto& [offset, times] : ends(journal("probe"))) EXPECT_EQ(times, 2) << offset;
}

TEST_F(ReplayCommands, WithNothingLeftButBlockedKeysItIsNotDone) {
  ASSERT_TRUE(host.start());
  send("chat_1");
  send("chat_2", {{"do", "own_delay"}, {"times", 1}});
  add_probe("probe", "start_at: hold, ");
  ASSERT_NO_FATAL_FAILURE(reload());
  const Ran blocked = replay({});
  EXPECT_EQ(blocked.status, 1) << blocked;
  EXPECT_THAT(blocked.err, AllOf(HasSubstr("not done: 1 keys wait"), HasSubstr("hookhost replays watch 1")));
  EXPECT_EQ(host.run({"replays", "watch", "1"}).status, 1);
  ASSERT_EQ(host.run({"deliveries", "retry-now", "--subscriber", "probe", "--event", "1"}).status, 0);
  ASSERT_TRUE(poll_until([&] { return host.get("/api/replays/1").at("state").as_string() == "done"; }));
  EXPECT_EQ(host.run({"replays", "watch", "1"}).status, 0);
}

TEST_F(ReplayCommands, AProjectionInKvRebuiltByResetIsThatOfLiveHandling) {
  add_probe("probe", "retry: [1ms, 1ms, 1ms], ", with_counts());
  ASSERT_TRUE(host.start());
  send_many(12);
  for (int i = 0; i < 3; ++i) send("chat_" + std::to_string(i), {{"do", "throw"}, {"times", 2}});
  ASSERT_TRUE(host.catches_up("probe"));
  const auto live = counts_after_a_restart();
  EXPECT_EQ(live.size(), 15U);
  const Ran rebuilt = replay({"--reset"});
  ASSERT_EQ(rebuilt.status, 0) << rebuilt;
  EXPECT_EQ(counts_after_a_restart(), live) << "cleared, then built from the same events";
  ASSERT_EQ(replay({"--reset", "--no-watch"}).status, 0);
  send_many(5);
  ASSERT_TRUE(host.catches_up("probe"));
  const auto with_more = counts_after_a_restart();
  EXPECT_EQ(with_more.size(), 20U);
  for (const auto& [id, count] : with_more) EXPECT_EQ(count, 1) << id << ": once, though live events arrived meanwhile";
}

TEST_F(ReplayCommands, BesideLiveAPluginThatKeepsKvIsToldToResetAndLiveGoesOn) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  send_many(6);
  ASSERT_TRUE(host.catches_up("probe"));
  add_probe("probe", "", with_counts());  // from now on it keeps kv; there is none yet by which the host could know
  ASSERT_NO_FATAL_FAILURE(reload());
  ASSERT_TRUE(is("probe", "live"));
  const Ran failed = replay({"--live", "continue"});
  EXPECT_EQ(failed.status, 1) << failed;
  EXPECT_THAT(failed.err, AllOf(HasSubstr("the replay ended"), HasSubstr("kv"), HasSubstr("--reset")));
  EXPECT_THAT(failed.out, HasSubstr("replay 1: failed"));
  EXPECT_EQ(host.run({"replays", "list", "--json"}).objects().at(0).at("state").as_string(), "failed");
  EXPECT_EQ(host.run({"replays", "watch", "1"}).status, 1);
  send_many(4);
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(host.subscriber("probe").at("dead_letters").to_number<int>(), 0);

  const Ran refused = replay({"--live", "continue"});
  EXPECT_EQ(refused.status, 2) << "now it has kv: known before anything runs\n" << refused;
  EXPECT_THAT(refused.err, HasSubstr("--reset"));
  EXPECT_EQ(counts_after_a_restart().size(), 4U) << "what was handled live";
}

TEST_F(ReplayCommands, APluginThatWantsAConfirmationIsNotReplayedWithoutOne) {
  add_probe("probe", "", "", "test_probe_ask");
  ASSERT_TRUE(host.start());
  send_many(3);
  ASSERT_TRUE(host.catches_up("probe"));
  const Ran nobody = replay({});
  EXPECT_EQ(nobody.status, 2) << nobody;
  EXPECT_THAT(nobody.err, HasSubstr("--yes"));
  const auto asked = command({"replay", "probe", "--from", "beginning"});
  Terminal no(asked), yes(asked);
  ASSERT_TRUE(no.shows("Go on? [y/N]")) << no.shown();
  EXPECT_THAT(no.shown(), HasSubstr("3 events, offsets 0 to 3"));
  no.type("n\n");
  EXPECT_EQ(no.wait(), 2) << no.shown();
  EXPECT_EQ(ends(journal("probe")).at(0), 1);
  ASSERT_TRUE(yes.shows("Go on? [y/N]")) << yes.shown();
  yes.type("y\n");
  EXPECT_EQ(yes.wait(), 0) << yes.shown();
  EXPECT_EQ(ends(journal("probe")).at(0), 2);
}

TEST_F(ReplayCommands, CtrlCOnATerminalStopsWatchingAndNotTheReplay) {
  ASSERT_NO_FATAL_FAILURE(prepare_a_slow_one());
  Terminal terminal(command({"replay", "probe", "--from", "beginning"}));
  ASSERT_TRUE(terminal.shows("[#")) << "a progress bar\n" << terminal.shown();
  terminal.type(kCtrlC);
  EXPECT_EQ(terminal.wait(), 0) << terminal.shown();
  EXPECT_THAT(terminal.shown(), AllOf(HasSubstr("the replay goes on; `hookhost replays watch 1` shows it"), HasSubstr("replay 1: running")));
  EXPECT_LT(ends(journal("probe")).size(), 60U);
  every_event_was_handled_once();
}

TEST_F(ReplayCommands, SigintWithoutATerminalDoesTheSame) {
  ASSERT_NO_FATAL_FAILURE(prepare_a_slow_one());
  ChildProcess watching(aside({"replay", "probe", "--from", "beginning", "--json"}));
  ASSERT_TRUE(poll_until([&] { return !ends(journal("probe")).empty(); })) << host.diagnostics();
  watching.signal(SIGINT);
  EXPECT_EQ(watching.wait(), 0);
  EXPECT_THAT(contents(host.path("aside.err")), AllOf(HasSubstr("`hookhost replays watch 1` shows it"), Not(HasSubstr("[#"))));
  EXPECT_EQ(json::parse(contents(host.path("aside.out"))).at("state").as_string(), "running");
  every_event_was_handled_once();
}

TEST_F(ReplayCommands, WatchersAreToldOfACancelAndOfTheHostsEndAndNeverKeepItFromStarting) {
  ASSERT_NO_FATAL_FAILURE(prepare_a_slow_one());
  ASSERT_EQ(replay({"--no-watch"}).status, 0);
  {
    Terminal watching(command({"replays", "watch", "1"}));
    ASSERT_TRUE(watching.shows("/60  ")) << watching.shown();
    host.kill_9();
    EXPECT_EQ(watching.wait(), 4);
    EXPECT_THAT(watching.shown(), HasSubstr("the replay goes on when it is back: hookhost replays watch 1"));
  }
  const Ran without = host.run({"replays", "watch", "1"});
  EXPECT_EQ(without.status, 4) << without;
  EXPECT_THAT(without.err, HasSubstr("replay 1 goes on when one is started"));
  EXPECT_EQ(replay({}).status, 4);
  EXPECT_THAT(replay({"--dry-run"}).out, HasSubstr("no host runs"));
  ASSERT_TRUE(host.start());
  EXPECT_EQ(replay({}).status, 2) << "one runs";
  ChildProcess watching(aside({"replays", "watch", "1"}));
  ASSERT_EQ(host.run({"replays", "cancel", "1"}).status, 0);
  EXPECT_EQ(watching.wait(), 1);
  EXPECT_THAT(contents(host.path("aside.err")), HasSubstr("hookhost replays resume 1"));
  EXPECT_EQ(host.run({"replays", "cancel", "1"}).status, 2) << "it is cancelled already";
  ASSERT_EQ(host.run({"replays", "resume", "1"}).status, 0);
  EXPECT_EQ(host.run({"replays", "resume", "1"}).status, 2) << "it runs";
  EXPECT_EQ(host.run({"replays", "watch", "1"}).status, 0);
  EXPECT_EQ(host.run({"replays", "list", "--json"}).objects().at(0).at("state").as_string(), "done");
}

}  // namespace
}  // namespace hookhost::test
