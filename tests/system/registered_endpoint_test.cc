// Endpoints that are registered by commands and through /v1, the teams' keys, and `hookhost forward`.
#include <gmock/gmock.h>

#include "system/lost_state.h"
#include "system/v1_fixture.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class Registered : public V1Test {};

TEST_F(Registered, ByACommandItGetsItsEventsAlsoAfterARestartUntilItIsRemoved) {
  Receiver receiver;
  allow_loopback();
  ASSERT_TRUE(host.start());
  write_text(host.path("secret"), std::string(kEndpointSecret) + "\n");
  const std::string id = add(receiver, {"--event", "linkedin.message.*", "--secret-file", host.path("secret")});
  EXPECT_THAT(id, testing::StartsWith("webhook_"));
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
  EXPECT_TRUE(verifies(signing::Scheme::kakiyo, receiver, 0, {"X-Kakiyo-Signature"}, kEndpointSecret));
  host.kill_9();
  ASSERT_TRUE(host.start());
  send_messages(1, 2);
  EXPECT_TRUE(poll_until([&] { return receiver.messages() == numbers(0, 2); })) << "the first may come again after the kill";
  EXPECT_THAT(host.run({"endpoint", "list"}).out, HasSubstr(id));
  EXPECT_THAT(host.run({"endpoint", "list", "--json"}).out, Not(HasSubstr(kEndpointSecret)));
  EXPECT_THAT(host.run({"endpoint", "update", id, "--name", "crm"}).out, Not(HasSubstr("not signed")));
  EXPECT_THAT(host.run({"endpoint", "add", receiver.url(), "--no-secret"}).out, HasSubstr("its POSTs are not signed: hookhost endpoint update webhook_"));
  EXPECT_EQ(host.run({"endpoint", "remove", id}).status, 0);
  EXPECT_EQ(host.run({"endpoint", "remove", id}).status, 3);
  EXPECT_EQ(host.run({"status", id}).status, 3) << "no trace is left";
}

TEST_F(Registered, WithoutAHostItIsKnownAndServedFromTheNextStart) {
  Receiver receiver;
  allow_loopback();
  host.write_config();
  const std::string id = add(receiver);
  EXPECT_THAT(host.run({"endpoint", "list"}).out, HasSubstr(id));
  ASSERT_TRUE(host.start());
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
}

TEST_F(Registered, WithoutDeliveryDbItGetsAgainWhatItWasOwedAndNothingFromBefore) {
  Receiver from_now, from_beginning;
  allow_loopback();
  ASSERT_TRUE(host.start());
  send_messages(0, 2);
  add(from_now);
  add(from_beginning, {"--since", "beginning"});
  send_messages(2, 4);
  ASSERT_TRUE(reaches(from_now, 2));
  ASSERT_TRUE(reaches(from_beginning, 4));
  ASSERT_EQ(host.terminate(), 0);
  remove_delivery_db(host);
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(reaches(from_beginning, 8));
  ASSERT_TRUE(reaches(from_now, 4));
  EXPECT_EQ(from_now.messages(), numbers(2, 4));
  EXPECT_EQ(from_now.count(), 4U);
}

TEST_F(Registered, ThroughV1SwitchedOffItSkipsAndSwitchedOnItGoesOnFromNow) {
  Receiver receiver;
  allow_loopback();
  ASSERT_TRUE(host.start());
  const std::string key = key_of("team_1");
  EXPECT_EQ(key.size(), 40U);
  const RawAnswer made = v1(key, "POST", "/webhooks", R"({"name":"a","url":")" + receiver.url() + R"(","events":["linkedin.message.received"]})");
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string path = "/webhooks/" + text(json::parse(made.body).as_object(), "id");
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
  EXPECT_EQ(v1(key, "PUT", path, R"({"active":false})").status, 200);
  send_messages(1, 4);
  host.kill_9();
  ASSERT_TRUE(host.start());
  const RawAnswer on = v1(key, "PUT", path, R"({"active":true})");
  EXPECT_EQ(on.status, 200) << on.body;
  EXPECT_EQ(text(json::parse(on.body).as_object(), "skipped"), "3") << on.body;
  send_messages(4, 5);
  ASSERT_TRUE(reaches(receiver, 2));
  EXPECT_EQ(v1(key, "PUT", path, R"({"active":false})").status, 200);
  send_messages(5, 7);
  EXPECT_EQ(v1(key, "PUT", path, R"({"active":true,"resume":"backlog"})").status, 200);
  ASSERT_TRUE(reaches(receiver, 4));
  EXPECT_EQ(receiver.messages(), (std::vector<std::int64_t>{0, 4, 5, 6}));
}

TEST_F(Registered, AKeyIsShownOnceKeptAsAHashAndRevoked) {
  ASSERT_TRUE(host.start());
  const std::string team = "team_1234567890abcde";
  const std::string key = key_of(team);
  EXPECT_THAT(key, testing::StartsWith(team));
  EXPECT_EQ(v1(key, "GET", "/verify").status, 200);
  std::string wrong = key;
  wrong.back() = wrong.back() == 'a' ? 'b' : 'a';
  EXPECT_EQ(v1(wrong, "GET", "/verify").status, 401);
  EXPECT_THAT(host.run({"team", "list", "--json"}).out, Not(HasSubstr(key)));
  EXPECT_THAT(contents(host.data_dir() + "/registry.db") + contents(host.data_dir() + "/registry.db-wal"), Not(HasSubstr(key.substr(20))));
  const std::string id = text(host.run({"team", "key", "list", "--json"}).objects().at(0), "id");
  EXPECT_EQ(host.run({"team", "key", "revoke", id}).status, 0);
  EXPECT_EQ(v1(key, "GET", "/verify").status, 401);
  EXPECT_EQ(host.run({"team", "key", "revoke", "key_none"}).status, 3);
}

// Without the reload's words the operator would not know what he did.
TEST_F(Registered, ATeamTakenOutOfTheFileStandsStillUntilItIsBackAndTheReloadAndCheckSayIt) {
  Receiver receiver, other;
  allow_loopback();
  say("teams: {team_1: {}, team_2: {}}\n");
  host.sources = {{"kakiyo", R"({scheme: kakiyo, secrets: ["system-test-secret"], team: team_1})"}};
  ASSERT_TRUE(host.start());
  const std::string key = key_of("team_1"), id = made(key, receiver), other_key = key_of("team_2");
  made(other_key, other);
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
  const auto reload_with = [&](const std::string& teams, const std::string& pinned) {
    const auto at = host.more.find("teams: {");
    host.more.replace(at, host.more.find('\n', at) - at, teams);
    host.sources = {{"kakiyo", R"({scheme: kakiyo, secrets: ["system-test-secret"], team: )" + pinned + "}"}};
    host.write_config();
    return host.run({"reload"});
  };
  const Ran out = reload_with("teams: {team_2: {}}", "from_payload");
  EXPECT_EQ(out.status, 0) << out;
  EXPECT_THAT(out.out, HasSubstr("team team_1: removed; its keys are refused and its webhooks stand still"));
  EXPECT_EQ(v1(key, "GET", "/webhooks").status, 401);
  EXPECT_EQ(v1(other_key, "GET", "/webhooks").status, 200);
  EXPECT_EQ(state_of(id), "disabled");
  EXPECT_THAT(host.run({"endpoint", "list"}).out, HasSubstr("disabled"));
  EXPECT_THAT(host.run({"check"}).err, HasSubstr("warning: teams: 'team_1' has keys or webhooks"));
  EXPECT_EQ(text(host.run({"team", "key", "list", "--json"}).objects().at(0), "state"), "refused");
  EXPECT_THAT(host.run({"team", "key", "list"}).err, HasSubstr("add it there and reload, or revoke the key"));
  host.kill_9();
  ASSERT_TRUE(host.start());
  EXPECT_EQ(v1(key, "GET", "/webhooks").status, 401) << "and after a restart";
  EXPECT_EQ(state_of(id), "disabled");
  EXPECT_EQ(reload_with("", "from_payload").status, 0);
  EXPECT_EQ(v1(key, "GET", "/webhooks").status, 401) << "and when no team stands there any more";
  EXPECT_THAT(host.run({"check"}).err, HasSubstr("warning: teams: 'team_1' has keys or webhooks"));
  host.more += "teams: {\n";  // where reload_with() puts them
  EXPECT_EQ(reload_with("teams: {team_1: {}, team_2: {}}", "team_1").status, 0);
  EXPECT_THAT(host.run({"check"}).err, Not(HasSubstr("team_1")));
  EXPECT_EQ(v1(key, "GET", "/webhooks").status, 200);
  send_messages(1, 2);
  EXPECT_TRUE(poll_until([&] { return receiver.messages() == numbers(0, 2); }));
}

TEST_F(Registered, AForwardRunsUntilCtrlCAndLeavesNoTrace) {
  Receiver receiver;
  ASSERT_TRUE(host.start());
  send_messages(0, 1);
  ChildProcess command(Spawn{{paths::host(), "forward", "kakiyo", receiver.url(), "--from", "beginning", "-c", host.config_path()}, {}, host.path(""), host.path("f.out"), host.path("f.err")});
  ASSERT_TRUE(reaches(receiver, 1)) << contents(host.path("f.err"));
  send_messages(1, 3);
  ASSERT_TRUE(reaches(receiver, 3));
  EXPECT_TRUE(poll_until([&] { return contents(host.path("f.out")).find("3 delivered") != std::string::npos; })) << contents(host.path("f.out"));
  command.signal(SIGINT);
  EXPECT_EQ(command.wait(), 0) << contents(host.path("f.err"));
  EXPECT_EQ(host.run({"endpoint", "list", "--json"}).out, "");
  EXPECT_THAT(host.run({"status"}).out, Not(HasSubstr("forward_")));
}

}  // namespace
}  // namespace hookhost::test
