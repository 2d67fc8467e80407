// One event's whole way, with the commands that a person would use.
#include "system/journal.h"

namespace hookhost::test {
namespace {

using Smoke = SystemTest;

TEST_F(Smoke, AnEventIsKeptHandledReplayedAndTheHostStopsInOrder) {
  add_probe("probe");
  ASSERT_TRUE(host.start());

  KakiyoSender sender(host.public_port());
  const std::string body = message("chat_1", 1);
  const std::string id = sender.send(body);
  ASSERT_TRUE(id.starts_with("evt_"));
  EXPECT_EQ(sender.send(body), id) << "the same webhook again is a duplicate";

  const auto events = host.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].at("id").as_string(), id);
  EXPECT_EQ(events[0].at("offset").to_number<int>(), 0);
  EXPECT_EQ(events[0].at("type").as_string(), "linkedin.message.received");
  EXPECT_EQ(events[0].at("key").as_string(), "chat_1");
  EXPECT_EQ(events[0].at("team").as_string(), "team_1");
  EXPECT_TRUE(events[0].at("verified").as_bool());
  EXPECT_EQ(events[0].at("body").as_string(), body) << "the bytes as received";

  ASSERT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}}));

  const Ran replay = host.run({"replay", "probe", "--from", "beginning", "--yes", "--json"});
  ASSERT_EQ(replay.status, 0) << replay;
  const auto progress = replay.objects().back();
  EXPECT_EQ(progress.at("state").as_string(), "done");
  EXPECT_EQ(progress.at("handled").to_number<int>(), 1);
  const auto lines = journal("probe");
  EXPECT_EQ(ends(lines), (std::map<std::uint64_t, int>{{0, 2}}));
  EXPECT_TRUE(lines[2].is_replay);

  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
  EXPECT_EQ(host.events().size(), 1U) << "events are read without a host, too";
}

TEST_F(Smoke, AWrongSignatureIsRefusedAndKeepsNothing) {
  ASSERT_TRUE(host.start());
  RawClient client = host.connect();
  std::string request = signed_post(message("chat_1", 1));
  request.back() = ' ';  // one byte of the body
  client.send(request);
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(json::parse(answer.body).at("error").as_string(), "invalid_signature");
  client.send(post(message("chat_1", 1), "", "/in/kakiyo"));
  EXPECT_EQ(json::parse(client.read_answer().body).at("error").as_string(), "missing_signature");
  EXPECT_EQ(host.events().size(), 0U);
}

TEST_F(Smoke, AReloadWithAnInvalidFileChangesNothingAndNamesThePlace) {
  add_probe("probe");
  ASSERT_TRUE(host.start());
  host.more = "drain_timeot: 1s\n";
  add_probe("second");
  host.write_config();
  const Ran refused = host.run({"reload"});
  EXPECT_NE(refused.status, 0);
  EXPECT_NE(refused.err.find("hookhost.yaml:5:1"), std::string::npos) << refused;
  EXPECT_NE(refused.err.find("drain_timeout"), std::string::npos) << "a suggestion: " << refused;
  EXPECT_TRUE(host.subscriber("second").empty());
  EXPECT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", 1)).empty());
  EXPECT_TRUE(host.catches_up("probe"));

  host.more.clear();
  host.write_config();
  const Ran dry = host.run({"reload", "--dry-run"});
  EXPECT_EQ(dry.status, 0) << dry;
  EXPECT_NE(dry.out.find("second"), std::string::npos) << dry;
  EXPECT_TRUE(host.subscriber("second").empty());
  const Ran applied = host.run({"reload"});
  EXPECT_EQ(applied.status, 0) << applied;
  EXPECT_EQ(applied.out, dry.out);
  EXPECT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", 2)).empty());
  EXPECT_TRUE(host.catches_up("second"));
  EXPECT_EQ(ends(journal("second")), (std::map<std::uint64_t, int>{{1, 1}})) << "it begins with what comes after it was accepted";
}

TEST_F(Smoke, SighupReloads) {
  ASSERT_TRUE(host.start());
  add_probe("probe");
  host.write_config();
  host.process().signal(SIGHUP);
  EXPECT_TRUE(poll_until([&] { return !host.subscriber("probe").empty(); })) << host.diagnostics();
}

TEST_F(Smoke, SigtermWaitsForTheRunningCall) {
  add_probe("probe", "", "work_us: 300000");
  ASSERT_TRUE(host.start());
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", 1)).empty());
  ASSERT_TRUE(poll_until([&] { return !journal("probe").empty(); }));
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
  EXPECT_EQ(ends(journal("probe")), (std::map<std::uint64_t, int>{{0, 1}}));
  ASSERT_TRUE(host.start());
  EXPECT_TRUE(host.catches_up("probe"));
  EXPECT_EQ(journal("probe").size(), 2U) << "its outcome was committed: it does not run again";
}

}  // namespace
}  // namespace hookhost::test
