// What a host refuses to start on, what it says then, and what it knows again after a kill.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include "state/database_file.h"
#include "system/journal.h"
#include "system/lost_state.h"

namespace hookhost::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Start : public SystemTest {
 protected:
  void send(int events) {
    KakiyoSender sender(host.public_port());
    for (int i = 0; i < events; ++i) {
      ids.push_back(sender.send(message("chat_1", static_cast<std::int64_t>(ids.size()))));
      ASSERT_FALSE(ids.back().empty()) << sender.last().status;
    }
  }
  // Starts it, expects that it ends by itself; what it said.
  std::string refusal(const std::vector<std::string>& arguments = {}) {
    std::filesystem::remove(host.path("serve.err"));
    host.write_config();
    const int status = host.spawn(arguments).wait();
    EXPECT_GT(status, 0) << host.diagnostics();
    EXPECT_LT(status, 70) << "an orderly refusal\n" << host.diagnostics();
    return host.diagnostics();
  }
  [[nodiscard]] std::string segment(std::uint64_t first) const {
    char name[40];
    std::snprintf(name, sizeof name, "/events/%020llu.events", static_cast<unsigned long long>(first));
    return host.data_dir() + name;
  }
  // One byte in the body of that event.
  void rot(std::uint64_t first, std::uint64_t n) {
    std::string bytes = contents(segment(first));
    const auto at = bytes.find("message " + std::to_string(n) + "\"");
    ASSERT_NE(at, std::string::npos);
    bytes[at] ^= 1;
    write_text(segment(first), bytes);
  }
  static mode_t mode(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::lstat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }

  std::vector<std::string> ids;
};

TEST_F(Start, WithoutItsRegistryBesideAnEventLogIsRefused) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(3));
  ASSERT_EQ(host.terminate(), 0);
  std::filesystem::remove(host.data_dir() + "/registry.db");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("registry.db"), HasSubstr("serve --new-registry")));
  EXPECT_FALSE(std::filesystem::exists(host.data_dir() + "/registry.db")) << "refusing makes nothing";
  ASSERT_TRUE(host.start({"--new-registry"}));
  EXPECT_EQ(host.events().size(), 3U);
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_TRUE(host.start()) << "asked once";
}

TEST_F(Start, OnDamagedAnsweredEventsIsRefusedUntilTheLossIsAccepted) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(8));
  ASSERT_TRUE(host.catches_up("probe"));
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_NO_FATAL_FAILURE(rot(0, 3));
  ASSERT_NO_FATAL_FAILURE(rot(0, 4));
  EXPECT_THAT(refusal(), AllOf(HasSubstr("offsets 3-4"), HasSubstr("answered with 2xx"), HasSubstr("serve --accept-loss")));

  ASSERT_TRUE(host.start({"--accept-loss"}));
  EXPECT_THAT(host.diagnostics(), AllOf(HasSubstr("answered events are lost"), HasSubstr("from=3"), HasSubstr("until=5")));
  EXPECT_EQ(host.events().size(), 6U) << "all others are there";
  EXPECT_THAT(host.admin("GET", "/metrics").body, HasSubstr("hookhost_event_log_lost_events 2\n"));
  ASSERT_NO_FATAL_FAILURE(send(1));
  ASSERT_EQ(host.run({"replay", "probe", "--from", "beginning", "--yes"}).status, 0);
  EXPECT_EQ(ends(journal("probe"), "0").at(7), 2);
  EXPECT_EQ(ends(journal("probe"), "0").at(3), 1) << "what is lost is passed over";
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_TRUE(host.start()) << "a loss is accepted once\n" << host.diagnostics();
  EXPECT_EQ(host.run({"events", "verify"}).status, 1) << "and stays on view";
  EXPECT_THAT(host.admin("GET", "/metrics").body, HasSubstr("hookhost_event_log_lost_events 2\n"));
}

TEST_F(Start, WithoutAnEventLogThatDeliveryDbKnowsOfIsRefused) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(4));
  ASSERT_TRUE(host.catches_up("probe"));
  ASSERT_EQ(host.terminate(), 0);
  std::filesystem::remove_all(host.data_dir() + "/events");
  EXPECT_THAT(refusal(), AllOf(HasSubstr("offsets 0-3"), HasSubstr("serve --accept-loss")));
  ASSERT_TRUE(host.start({"--accept-loss"}));
  ASSERT_NO_FATAL_FAILURE(send(1));
  EXPECT_EQ(host.events().at(0).at("offset").to_number<int>(), 4) << "no offset is used twice";
  EXPECT_TRUE(host.catches_up("probe"));
}

// Nobody's position tells of those events.
TEST_F(Start, WithoutWhatWasAnsweredIsRefusedAlsoWhereNoSubscriberRuns) {
  for (const char* options : {"", "enabled: false, ", "start_at: hold, "}) {
    SCOPED_TRACE(options);
    host.plugins.clear();
    if (*options != '\0') add_probe("probe", options);
    ASSERT_TRUE(host.start());
    ASSERT_NO_FATAL_FAILURE(send(3));
    ASSERT_EQ(host.terminate(), 0);
    ASSERT_TRUE(host.start());
    ASSERT_NO_FATAL_FAILURE(send(2));
    ASSERT_EQ(host.terminate(), 0);
    const std::string kept = host.path("kept");
    std::filesystem::copy(host.data_dir(), kept, std::filesystem::copy_options::recursive);
    std::filesystem::remove(segment(3));
    EXPECT_THAT(refusal(), AllOf(HasSubstr("offsets 3-4"), HasSubstr("serve --accept-loss")));
    std::filesystem::remove_all(host.data_dir());
    std::filesystem::copy(kept, host.data_dir(), std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(host.data_dir() + "/events");
    EXPECT_THAT(refusal(), AllOf(HasSubstr("offsets 0-4"), HasSubstr("serve --accept-loss")));
    for (const std::string& used : {host.data_dir(), kept}) std::filesystem::remove_all(used);
    ids.clear();
  }
}

// As a crash leaves it: the maintenance round has written it.
TEST_F(Start, WithoutWhatWasAnsweredIsRefusedAlsoAfterAKill) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(3));
  const auto kept = [&] { return state::kept_in(host.data_dir() + "/delivery.db"); };
  ASSERT_TRUE(poll_until([&] { return kept() && kept().value().durable_end == Offset{3}; }));
  host.kill_9();
  std::filesystem::remove_all(host.data_dir() + "/events");
  EXPECT_THAT(refusal(), HasSubstr("offsets 0-2"));
}

TEST_F(Start, OfASecondHostOnOneDirectoryIsRefused) {
  ASSERT_TRUE(host.start());
  const Ran second = host.run({"serve"});
  EXPECT_GT(second.status, 0);
  EXPECT_THAT(second.err, AllOf(HasSubstr("another hookhost uses this data directory"), HasSubstr(host.data_dir() + "/LOCK"), HasSubstr("stop it first")));
  ASSERT_NO_FATAL_FAILURE(send(1));
}

TEST_F(Start, OnAPortThatIsTakenSaysWhichAndLeavesNothingBehind) {
  HostProcess other;
  ASSERT_TRUE(other.start());
  host.write_config();
  std::string config = contents(host.config_path());
  const std::string ours = std::to_string(host.public_port()), taken = std::to_string(other.public_port());
  config.replace(config.find(ours), ours.size(), taken);
  write_text(host.config_path(), config);
  const Ran ran = host.run({"serve"});
  EXPECT_GT(ran.status, 0);
  EXPECT_THAT(ran.err, HasSubstr("127.0.0.1:" + taken));
  EXPECT_TRUE(host.start()) << "on a free one it starts";
}

TEST_F(Start, LeavesWhatItKeepsToItsUserAlone) {
  const mode_t before = ::umask(0);
  add_probe("probe", "", "counts: \"" + host.path("counts") + "\"");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(3));
  ASSERT_TRUE(host.catches_up("probe"));
  host.kill_9();  // and what recovery makes
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(1));
  ::umask(before);
  EXPECT_EQ(mode(host.data_dir()), 0700U);
  std::set<std::string> seen;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(host.data_dir())) {
    EXPECT_EQ(mode(entry.path()), entry.is_directory() ? 0700U : 0600U) << entry.path();
    seen.insert(entry.path().filename());
  }
  for (const char* name : {"00000000000000000000.events", "END", "registry.db", "delivery.db", "admin.token", "LOCK", "plugins"}) {
    EXPECT_TRUE(seen.contains(name)) << name;
  }
}

TEST_F(Start, AfterAKillKnowsWhatWasAnswered) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(5));
  host.kill_9();
  ASSERT_TRUE(host.start());
  KakiyoSender sender(host.public_port());
  for (std::size_t n = 0; n < ids.size(); ++n) {
    EXPECT_EQ(sender.send(message("chat_1", static_cast<std::int64_t>(n))), ids[n]);
    EXPECT_EQ(json::parse(sender.last().body).at("status").as_string(), "duplicate");
  }
  const std::string next = sender.send(message("chat_1", 99));
  EXPECT_GT(next, ids.back()) << "ids never go back";
  EXPECT_EQ(host.events().size(), 6U);
}

// Positions, kv and dead letters are lost, never events: who was here before may have missed any of those that are kept.
TEST_F(Start, WithoutDeliveryDbEverySubscriberGetsTheKeptEventsAgain) {
  host.sources["kakiyo"] = R"({scheme: kakiyo, secrets: ["system-test-secret"]})";
  add_probe("now");
  add_probe("young", "start_at: 1h, ");
  add_probe("held", "start_at: hold, ");
  add_probe("off", "enabled: false, ");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(3));
  add_probe("third", "start_at: 2, ");
  ASSERT_NO_FATAL_FAILURE(reload());
  for (const char* name : {"now", "third", "young"}) ASSERT_TRUE(host.catches_up(name));
  ASSERT_EQ(host.terminate(), 0);
  remove_delivery_db(host);
  ASSERT_EQ(host.run({"status"}).status, 0) << "a command that makes the file anew settles nothing";
  ASSERT_TRUE(host.start());
  EXPECT_THAT(host.diagnostics(), AllOf(HasSubstr("delivery.db was missing"), HasSubstr("from=0"), HasSubstr("end=3")));
  for (const char* name : {"now", "third", "young"}) ASSERT_TRUE(host.catches_up(name));
  EXPECT_EQ(ends(journal("now")), (std::map<std::uint64_t, int>{{0, 2}, {1, 2}, {2, 2}}));
  EXPECT_EQ(ends(journal("third")), (std::map<std::uint64_t, int>{{2, 2}})) << "more was never owed to it";
  EXPECT_EQ(ends(journal("young")), (std::map<std::uint64_t, int>{{0, 2}, {1, 2}, {2, 2}}));
  EXPECT_EQ(host.subscriber("held").at("state").as_string(), "held");
  EXPECT_THAT(journal("held"), testing::IsEmpty());
  EXPECT_EQ(host.subscriber("off").at("position").to_number<int>(), 0);

  add_probe("off");
  ASSERT_NO_FATAL_FAILURE(reload());
  ASSERT_EQ(host.run({"plugin", "resume", "held"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(1));
  for (const char* name : {"off", "held"}) ASSERT_TRUE(host.catches_up(name));
  EXPECT_THAT(ends(journal("off")), testing::SizeIs(4));
  EXPECT_THAT(ends(journal("held")), testing::SizeIs(4)) << "nothing was passed over";
}

TEST_F(Start, AfterTheLossOfDeliveryDbOneThatIsNamedLaterIsHeldWhereNothingIsPassedOver) {
  for (const char* name : {"away", "other"}) add_probe(name);
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(2));
  ASSERT_TRUE(host.catches_up("away"));
  const std::string away = host.plugins["away"];
  host.plugins.erase("away");
  ASSERT_NO_FATAL_FAILURE(reload());
  ASSERT_NO_FATAL_FAILURE(send(1));
  ASSERT_EQ(host.terminate(), 0);
  remove_delivery_db(host);
  ASSERT_TRUE(host.start()) << "it is out of the configuration when the positions are lost";
  ASSERT_EQ(host.terminate(), 0);
  ASSERT_TRUE(host.start());
  host.plugins["away"] = away;
  add_probe("new");
  add_probe("asks_to_wait", "start_at: hold, ");
  add_probe("told", "start_at: 2, ");
  host.write_config();
  const Ran ran = host.run({"reload"});
  EXPECT_EQ(ran.status, 1) << ran;
  for (const char* name : {"away", "new", "asks_to_wait"}) {
    EXPECT_THAT(ran.err, HasSubstr("plugins." + std::string(name) + ": is held: delivery.db was lost"));
    EXPECT_EQ(host.subscriber(name).at("state").as_string(), "held");
    EXPECT_EQ(host.subscriber(name).at("position").to_number<int>(), 0);
  }
  EXPECT_THAT(ran.err, Not(HasSubstr("plugins.told")));
  EXPECT_EQ(host.run({"reload"}).status, 0) << "it is told once, then it is a state";
  ASSERT_EQ(host.run({"plugin", "resume", "away"}).status, 0);
  ASSERT_EQ(host.run({"replay", "new", "--from", "now", "--yes"}).status, 0);
  ASSERT_NO_FATAL_FAILURE(send(1));
  for (const char* name : {"away", "new", "told"}) ASSERT_TRUE(host.catches_up(name));
  EXPECT_EQ(ends(journal("away")), (std::map<std::uint64_t, int>{{0, 2}, {1, 2}, {2, 1}, {3, 1}}));
  EXPECT_EQ(ends(journal("new")), (std::map<std::uint64_t, int>{{3, 1}}));
  EXPECT_EQ(ends(journal("told")), (std::map<std::uint64_t, int>{{2, 1}, {3, 1}}));
}

TEST_F(Start, WithoutDeliveryDbAndEventsThereIsNothingToTell) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_EQ(host.terminate(), 0);
  remove_delivery_db(host);
  ASSERT_TRUE(host.start());
  EXPECT_THAT(host.diagnostics(), Not(HasSubstr("delivery.db")));
}

// As one that was copied from elsewhere.
TEST_F(Start, OfAnEventLogInAFreshDirectoryIsOneWhosePositionsAreLost) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(3));
  ASSERT_EQ(host.terminate(), 0);
  for (const auto& entry : std::filesystem::directory_iterator(host.data_dir())) {
    if (entry.path().filename() != "events") std::filesystem::remove_all(entry.path());
  }
  std::filesystem::remove(host.path("probe.journal"));
  EXPECT_THAT(refusal(), HasSubstr("serve --new-registry"));
  ASSERT_TRUE(host.start({"--new-registry"}));
  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}, {1, 1}, {2, 1}}));
}

TEST_F(Start, OnADiskThatIsTooSmallForItsFloorSaysThatEventsAreRefused) {
  host.event_log = "{disk_free_min: 900TiB}";
  host.write_config();
  host.spawn();
  ASSERT_TRUE(poll_until([&] { return host.diagnostics().find("runs, but refuses events") != std::string::npos; })) << host.diagnostics();
  EXPECT_THAT(host.diagnostics(), AllOf(HasSubstr("lower event_log.disk_free_min"), Not(HasSubstr("is ready"))));
  EXPECT_EQ(host.admin("GET", "/readyz").status, 503);
  EXPECT_EQ(host.terminate(), 0);
}

TEST_F(Start, OfARequiredPluginThatTakesLongDoesNotKeepAStopWaiting) {
  host.more = "drain_timeout: 300ms\n";
  add_probe("slow", "required: true, ");
  set_mode("slow", "hang_in_start");
  host.write_config();
  host.spawn();
  ASSERT_TRUE(poll_until([&] { return std::filesystem::exists(host.path("slow.journal")); })) << host.diagnostics();
  EXPECT_EQ(host.terminate(), 0) << "an orderly stop, and the start still runs\n" << host.diagnostics();
  EXPECT_THAT(host.diagnostics(), AllOf(HasSubstr("stopped"), Not(HasSubstr("a required plugin failed"))));
  set_mode("slow", "");
  EXPECT_TRUE(host.start());
}

TEST_F(Start, OfARequiredPluginThatTakesLongIsFollowedByTheReloadThatWasAskedForMeanwhile) {
  add_probe("slow", "required: true, ");
  set_mode("slow", "hang_in_start");
  host.write_config();
  host.spawn();
  ASSERT_TRUE(poll_until([&] { return std::filesystem::exists(host.path("slow.journal")); })) << host.diagnostics();
  add_probe("added");
  host.write_config();
  host.process().signal(SIGHUP);
  write_text(host.path("slow.release"), "");
  ASSERT_TRUE(poll_until([&] { return host.is_ready(); })) << host.diagnostics();
  ASSERT_TRUE(poll_until([&] { return !host.subscriber("added").empty(); })) << host.diagnostics();
  EXPECT_TRUE(host.catches_up("added"));
}

TEST_F(Start, OneEarlierEventIsToldInTheSingular) {
  ASSERT_TRUE(host.start());
  ASSERT_NO_FATAL_FAILURE(send(1));
  add_probe("probe");
  ASSERT_NO_FATAL_FAILURE(reload());
  EXPECT_TRUE(poll_until([&] { return host.diagnostics().find("1 earlier event matches: hookhost replay probe --from beginning would handle it") != std::string::npos; }));
}

TEST_F(Start, NamesFilesWithoutDetours) {
  ASSERT_TRUE(host.start());
  const Ran second = host.run({"serve"});
  EXPECT_THAT(second.err, Not(HasSubstr("..")));
}

}  // namespace
}  // namespace hookhost::test
