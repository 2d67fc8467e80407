// What becomes of an endpoint over its life: secrets, where it begins, tests, replays, its history, who may switch it off and on, its end.
#include <gmock/gmock.h>

#include "state/delivery_store.h"
#include "system/v1_fixture.h"

namespace hookhost::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class EndpointLife : public V1Test {
 protected:
  void start() {
    allow_loopback();
    ASSERT_TRUE(host.start());
  }
  std::vector<json::object> attempts(const std::string& id, const std::vector<std::string>& more = {}) {
    std::vector<std::string> line{"deliveries", "list", "--attempts", "--subscriber", id, "--json"};
    line.insert(line.end(), more.begin(), more.end());
    const Ran ran = host.run(line);
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.objects();
  }
  bool signed_with(const Receiver& receiver, std::size_t n, const std::string& secret) {
    return verifies(signing::Scheme::kakiyo, receiver, n, {"X-Kakiyo-Signature"}, secret) && verifies(signing::Scheme::standard_webhooks, receiver, n, kStandardHeaders, secret);
  }
};

TEST_F(EndpointLife, WithoutASecretOneIsMadeAndShownOnce) {
  Receiver receiver, open;
  ASSERT_NO_FATAL_FAILURE(start());
  const Ran added = host.run({"endpoint", "add", receiver.url(), "--json"});
  ASSERT_EQ(added.status, 0) << added;
  const std::string secret = text(added.objects().at(0), "secret");
  EXPECT_THAT(secret, StartsWith("whsec_"));
  EXPECT_THAT(host.run({"endpoint", "add", open.url(), "--no-secret"}).out, Not(HasSubstr("whsec_")));
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
  ASSERT_TRUE(reaches(open, 1));
  EXPECT_TRUE(signed_with(receiver, 0, secret));
  EXPECT_EQ(open.header(0, "X-Kakiyo-Signature"), "(absent)");
  EXPECT_THAT(host.run({"endpoint", "list", "--json"}).out, Not(HasSubstr(secret)));
  EXPECT_EQ(host.run({"endpoint", "add", receiver.url(), "--secret-env", "NOT_SET_ANYWHERE"}).status, 2);
  EXPECT_EQ(host.run({"endpoint", "add", receiver.url(), "--secret", "on-the-command-line"}).status, 2);
}

TEST_F(EndpointLife, ANewSecretSignsAtOnceAndTheOneBeforeUntilItsGraceEnds) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const Ran added = host.run({"endpoint", "add", receiver.url(), "--secret-env", "FIRST", "--json"}, {std::string("FIRST=") + kEndpointSecret});
  ASSERT_EQ(added.status, 0) << added;
  EXPECT_EQ(text(added.objects().at(0), "secret"), "(absent)") << "what was given is not shown again";
  const std::string id = text(added.objects().at(0), "id");
  const Ran changed = host.run({"endpoint", "update", id, "--new-secret", "--secret-grace", "3s", "--json"});
  ASSERT_EQ(changed.status, 0) << changed;
  const std::string fresh = text(changed.objects().at(0), "secret");
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
  EXPECT_TRUE(signed_with(receiver, 0, fresh));
  EXPECT_TRUE(verifies(signing::Scheme::standard_webhooks, receiver, 0, kStandardHeaders, kEndpointSecret)) << "both stand in webhook-signature";
  EXPECT_NE(receiver.header(0, "X-Kakiyo-Signature-Previous"), "(absent)");
  std::int64_t n = 1;
  EXPECT_TRUE(poll_until([&] {
    send_messages(n, n + 1);
    ++n;
    return reaches(receiver, static_cast<std::size_t>(n)) && receiver.header(receiver.count() - 1, "X-Kakiyo-Signature-Previous") == "(absent)";
  }));
  const std::size_t last = receiver.count() - 1;
  EXPECT_TRUE(signed_with(receiver, last, fresh));
  EXPECT_FALSE(verifies(signing::Scheme::standard_webhooks, receiver, last, kStandardHeaders, kEndpointSecret));
}

TEST_F(EndpointLife, SinceATimeItGetsWhatCameFromThenOn) {
  Receiver all, late, by_offset;
  ASSERT_NO_FATAL_FAILURE(start());
  send_messages(0, 2);
  const std::string at = text(host.events().at(1), "received_at");
  ASSERT_TRUE(poll_until([&] { return to_rfc3339(system_clock().wall()) > at; }));
  send_messages(2, 4);
  add(all, {"--since", "beginning"});
  add(by_offset, {"--since", "3"});
  const std::string id = made(key_of("team_1"), late, R"(,"since":")" + text(host.events().at(2), "received_at") + "\"");
  ASSERT_TRUE(host.catches_up(id));
  send_messages(4, 5);
  ASSERT_TRUE(reaches(all, 5));
  ASSERT_TRUE(reaches(late, 3));
  ASSERT_TRUE(reaches(by_offset, 2));
  EXPECT_EQ(all.messages(), numbers(0, 5));
  EXPECT_EQ(late.messages(), numbers(2, 5));
  EXPECT_EQ(by_offset.messages(), numbers(3, 5));
}

TEST_F(EndpointLife, ATestSendIsSignedOnceNotStoredAndKeptInItsHistory) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1");
  const std::string id = made(key, receiver, R"(,"secret":"endpoint-test-secret")");
  receiver.answer_with(500);
  ASSERT_EQ(v1(key, "POST", "/webhooks/test", R"({"event":"linkedin.message.sent","data":{"n":7}})").status, 200);
  ASSERT_TRUE(poll_until([&] { return attempts(id).size() == 1; }));
  const json::object kept = attempts(id).at(0);
  EXPECT_EQ(text(kept, "test"), "true");
  EXPECT_EQ(text(kept, "status"), "500");
  EXPECT_EQ(text(kept, "answer"), "ok");
  EXPECT_EQ(text(kept, "offset"), "null");
  EXPECT_EQ(receiver.header(0, "Hookhost-Test"), "true");
  EXPECT_TRUE(signed_with(receiver, 0, kEndpointSecret));
  EXPECT_THAT(v1(key, "GET", "/webhooks/" + id + "/deliveries").body, HasSubstr(R"("test":true)"));
  EXPECT_EQ(v1(key, "POST", "/webhooks/" + id + "/deliveries/" + text(kept, "id") + "/retry").status, 409);
  const json::object shown = host.run({"deliveries", "show", "--subscriber", id, "--event", text(kept, "id"), "--json"}).objects().at(0);
  EXPECT_EQ(text(shown, "state"), "test");
  EXPECT_TRUE(host.events().empty());
  const json::object webhook = object_of(v1(key, "GET", "/webhooks/" + id));
  EXPECT_EQ(text(webhook, "failureCount"), "0") << "a test counts for nothing";
}

TEST_F(EndpointLife, AReplayIntoItIsMarkedAndIntoAPausedOneItNamesTheCommand) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string id = add(receiver);
  send_messages(0, 3);
  ASSERT_TRUE(reaches(receiver, 3));
  ASSERT_TRUE(host.catches_up(id));
  ASSERT_EQ(host.run({"replay", id, "--from", "1"}).status, 0);
  ASSERT_TRUE(reaches(receiver, 5));
  for (std::size_t n = 0; n < 5; ++n) EXPECT_EQ(receiver.header(n, "Hookhost-Replay"), n < 3 ? "(absent)" : "true") << n;
  EXPECT_EQ(receiver.header(3, "webhook-id"), receiver.header(1, "webhook-id"));
  ASSERT_TRUE(poll_until([&] { return attempts(id).size() == 5; }));
  EXPECT_NE(text(attempts(id).at(0), "replay"), "null");
  EXPECT_EQ(text(attempts(id).at(4), "replay"), "null");
  EXPECT_EQ(host.run({"endpoint", "pause", id}).status, 0);
  const Ran refused = host.run({"replay", id, "--from", "beginning"});
  EXPECT_EQ(refused.status, 2);
  EXPECT_THAT(refused.err, HasSubstr("hookhost endpoint resume " + id));
}

TEST_F(EndpointLife, AClientCannotLiftTheOperatorsPause) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1"), id = made(key, receiver), path = "/webhooks/" + id;
  ASSERT_EQ(host.run({"endpoint", "pause", id}).status, 0);
  send_messages(0, 2);
  for (const char* wish : {R"({"active":true})", R"({"active":false})", R"({"active":true,"resume":"backlog"})", R"({"events":["*"],"active":true})"}) {
    const RawAnswer answer = v1(key, "PUT", path, wish);
    EXPECT_EQ(answer.status, 200);
    const bool on = std::string_view(wish).find("true") != std::string_view::npos;
    EXPECT_EQ(object_of(answer).count("pausedReason"), on ? 1U : 0U) << answer.body;
    EXPECT_EQ(state_of(id), "paused") << wish;
  }
  EXPECT_EQ(text(object_of(v1(key, "GET", path)), "pausedReason"), "paused by the operator");
  EXPECT_EQ(v1(key, "POST", "/webhooks/test", R"({"event":"linkedin.message.sent"})").status, 404) << "nothing at all is sent";
  EXPECT_EQ(v1(key, "POST", path + "/replays", R"({"since":"beginning"})").status, 409);
  host.kill_9();
  ASSERT_TRUE(host.start());
  EXPECT_EQ(state_of(id), "paused");
  EXPECT_EQ(receiver.count(), 0U);
  EXPECT_EQ(host.run({"endpoint", "resume", id}).status, 0);
  ASSERT_TRUE(reaches(receiver, 2));
  EXPECT_EQ(receiver.messages(), numbers(0, 2));
}

TEST_F(EndpointLife, OneThatItsClientSwitchedOffStaysOffWhenTheOperatorLiftsHisPause) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1"), id = made(key, receiver), path = "/webhooks/" + id;
  ASSERT_EQ(host.run({"endpoint", "pause", id}).status, 0);
  ASSERT_EQ(v1(key, "PUT", path, R"({"active":false})").status, 200);
  send_messages(0, 1);
  EXPECT_EQ(host.run({"plugin", "resume", id}).status, 0) << "whichever command asks";
  EXPECT_EQ(state_of(id), "paused");
  EXPECT_EQ(text(object_of(v1(key, "GET", path)), "pausedReason"), "switched off by its owner");
  const RawAnswer on = v1(key, "PUT", path, R"({"active":true})");
  EXPECT_EQ(text(object_of(on), "skipped"), "1") << on.body;
  send_messages(1, 2);
  ASSERT_TRUE(reaches(receiver, 1));
  EXPECT_EQ(receiver.messages(), numbers(1, 2));
}

// The pause came second, over a switch that was off: neither lifts the other.
TEST_F(EndpointLife, AnOperatorsPauseOverAClientsOffIsLiftedByTheOperatorAloneAndThenNothingIsMissing) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1"), id = made(key, receiver), path = "/webhooks/" + id;
  ASSERT_EQ(v1(key, "PUT", path, R"({"active":false})").status, 200);
  send_messages(0, 1);
  ASSERT_EQ(host.run({"endpoint", "pause", id}).status, 0);
  const RawAnswer on = v1(key, "PUT", path, R"({"active":true})");
  EXPECT_EQ(on.status, 200) << on.body;
  EXPECT_EQ(object_of(on).count("skipped"), 0U) << "nothing was skipped";
  EXPECT_EQ(state_of(id), "paused");
  send_messages(1, 2);
  const RawAnswer refused = v1(key, "POST", path + "/replays", R"({"since":"beginning"})");
  EXPECT_EQ(refused.status, 409);
  EXPECT_THAT(refused.body, testing::AllOf(HasSubstr("the operator of this host has paused it"), Not(HasSubstr("active"))));
  EXPECT_EQ(v1(key, "POST", path + "/replays", R"({"since":"some day"})").status, 400) << "that is wrong whoever has paused it";
  EXPECT_EQ(host.run({"endpoint", "resume", id}).status, 0);
  ASSERT_TRUE(reaches(receiver, 2));
  EXPECT_EQ(receiver.messages(), numbers(0, 2));
}

TEST_F(EndpointLife, SwitchedOnByACommandItSkipsUnlessAskedForTheBacklog) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string id = add(receiver);
  ASSERT_EQ(host.run({"endpoint", "update", id, "--active", "false"}).status, 0);
  send_messages(0, 2);
  const Ran on = host.run({"endpoint", "update", id, "--active", "true"});
  EXPECT_EQ(on.status, 0) << on;
  EXPECT_THAT(on.out, HasSubstr("2 deliveries of the time it was off, or not made by then, are skipped"));
  send_messages(2, 3);
  ASSERT_TRUE(reaches(receiver, 1));
  ASSERT_EQ(host.run({"endpoint", "update", id, "--active", "false"}).status, 0);
  send_messages(3, 5);
  EXPECT_EQ(host.run({"endpoint", "update", id, "--active", "true", "--backlog"}).status, 0);
  ASSERT_TRUE(reaches(receiver, 3));
  EXPECT_EQ(receiver.messages(), numbers(2, 5));
}

// "On from now" ends a replay that was under way, and says so; with the backlog it goes on.
TEST_F(EndpointLife, SwitchedOffAmidAReplayAndOnAgainTheAnswerSaysWhatBecomesOfIt) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1"), id = made(key, receiver, R"(,"retry":["10h"])"), path = "/webhooks/" + id;
  send_messages(0, 3);
  ASSERT_TRUE(reaches(receiver, 3));
  ASSERT_TRUE(host.catches_up(id));
  receiver.answer_with(500);
  ASSERT_EQ(v1(key, "POST", path + "/replays", R"({"since":"beginning"})").status, 202);
  ASSERT_TRUE(poll_until([&] { return attempts(id).size() >= 4 && text(host.subscriber(id), "in_flight") == "0"; }));
  ASSERT_EQ(v1(key, "PUT", path, R"({"active":false})").status, 200);
  ASSERT_EQ(v1(key, "PUT", path, R"({"active":true,"resume":"backlog"})").status, 200);
  EXPECT_EQ(text(object_of(v1(key, "GET", path)), "replaying"), "true");
  ASSERT_EQ(v1(key, "PUT", path, R"({"active":false})").status, 200);
  receiver.answer_with(200);
  const RawAnswer on = v1(key, "PUT", path, R"({"active":true})");
  EXPECT_EQ(text(object_of(on), "skipped"), "3") << on.body;
  EXPECT_EQ(text(object_of(on), "replayCancelled"), "true") << on.body;
  EXPECT_EQ(text(object_of(v1(key, "GET", path)), "replaying"), "false");
}

TEST_F(EndpointLife, EachAttemptIsShownWithItsTimeStatusLatencyAndAnswerAndOneIsRetriedByHand) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1"), id = made(key, receiver, R"(,"retry":["10h"])");
  receiver.answer_with(500);
  send_messages(0, 1);
  ASSERT_TRUE(poll_until([&] { return text(host.subscriber(id), "blocked_keys") == "1" && attempts(id).size() == 1; }));
  const std::string event = text(attempts(id).at(0), "id");
  EXPECT_EQ(v1(key, "POST", "/webhooks/" + id + "/deliveries/" + event + "/retry").status, 202);
  ASSERT_TRUE(poll_until([&] { return text(host.subscriber(id), "dead_letters") == "1" && attempts(id).size() == 2; })) << "given up";
  const auto shown = [&] { return host.run({"deliveries", "show", "--subscriber", id, "--event", event, "--json"}).objects().at(0); };
  EXPECT_EQ(text(shown(), "state"), "dead");
  receiver.answer_with(200);
  EXPECT_EQ(v1(key, "POST", "/webhooks/" + id + "/deliveries/" + event + "/retry").status, 202);
  ASSERT_TRUE(poll_until([&] { return attempts(id).size() == 3; }));
  EXPECT_EQ(text(shown(), "state"), "done");
  EXPECT_EQ(v1(key, "POST", "/webhooks/" + id + "/deliveries/" + event + "/retry").status, 409) << "it was delivered";

  const json::array history = shown().at("history").as_array();
  ASSERT_EQ(history.size(), 3U);
  EXPECT_THAT(members(history[0].as_object()), testing::IsSupersetOf({"at", "took_ms", "status", "answer", "attempt", "outcome", "offset"}));
  EXPECT_EQ(text(history[0].as_object(), "status"), "200");
  EXPECT_EQ(text(history[2].as_object(), "status"), "500");
  EXPECT_EQ(text(history[2].as_object(), "answer"), "ok");
  EXPECT_GT(history[2].at("took_ms").as_double(), 0);
  EXPECT_THAT(host.run({"deliveries", "show", "--subscriber", id, "--event", "0"}).out, testing::AllOf(HasSubstr("took_ms"), HasSubstr("500")));
  EXPECT_EQ(attempts(id, {"--limit", "1"}).size(), 1U);
  EXPECT_EQ(attempts(id, {"--event", event}).size(), 3U);
  EXPECT_EQ(json::parse(v1(key, "GET", "/webhooks/" + id + "/deliveries?eventId=" + event + "&limit=2").body).as_array().size(), 2U);
}

TEST_F(EndpointLife, AttemptsAreKeptForThirtyDays) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string id = add(receiver);
  ASSERT_EQ(host.terminate(), 0);
  {
    auto store = state::DeliveryStore::open(host.data_dir() + "/delivery.db");
    ASSERT_TRUE(store);
    for (const int days : {31, 29}) {
      state::Batch batch{.subscriber = SubscriberId{id}};
      batch.attempts.push_back({.offset = Offset{1}, .id = EventId{"evt_" + std::to_string(days)}, .type = "push", .at = system_clock().wall() - days * std::chrono::hours{24}, .outcome = "ok"});
      ASSERT_TRUE(store.value()->commit_now(std::move(batch)));
    }
  }
  ASSERT_EQ(attempts(id).size(), 2U);
  ASSERT_TRUE(host.start());
  ASSERT_TRUE(poll_until([&] { return attempts(id).size() == 1; }));
  EXPECT_EQ(text(attempts(id).at(0), "id"), "evt_29");
}

TEST_F(EndpointLife, AForwardWhoseCommandOrHostIsKilledEndsByItself) {
  Receiver receiver;
  ASSERT_TRUE(host.start());
  const auto forward = [&] {
    return std::make_unique<ChildProcess>(Spawn{{paths::host(), "forward", "kakiyo", receiver.url(), "-c", host.config_path()}, {}, host.path(""), host.path("f.out"), host.path("f.err")});
  };
  const auto is_known = [&] { return host.run({"status"}).out.find("forward_") != std::string::npos; };
  auto command = forward();
  ASSERT_TRUE(poll_until(is_known)) << contents(host.path("f.err"));
  command->signal(SIGKILL);
  ASSERT_EQ(command->wait(), 128 + SIGKILL);
  EXPECT_TRUE(poll_until([&] { return !is_known(); })) << "nobody has asked for it for 10 s";
  command = forward();
  ASSERT_TRUE(poll_until(is_known)) << contents(host.path("f.err"));
  host.kill_9();
  EXPECT_EQ(command->wait(), 4) << "it says that the host is gone: " << contents(host.path("f.err"));
  ASSERT_TRUE(host.start());
  EXPECT_FALSE(is_known());
  EXPECT_EQ(host.run({"endpoint", "list", "--json"}).out, "");
}

TEST_F(EndpointLife, ANameIsAPluginsOrAnEndpointsAndMovesOnlyWhenItWasForgotten) {
  Receiver receiver;
  add_probe("crm");
  ASSERT_TRUE(host.start());
  host.plugins.clear();
  add_endpoint("crm", receiver.url());
  host.write_config();
  const Ran refused = host.run({"reload"});
  EXPECT_EQ(refused.status, 1);
  EXPECT_THAT(refused.err, testing::AllOf(HasSubstr("nothing was changed"), HasSubstr("crm is known as a plugin"), HasSubstr("hookhost plugin forget crm")));
  EXPECT_EQ(text(host.subscriber("crm"), "state"), "live");
  remove_endpoint("crm");
  host.write_config();
  ASSERT_EQ(host.run({"reload"}).status, 0);
  ASSERT_EQ(host.run({"plugin", "forget", "crm"}).status, 0);
  add_endpoint("crm", receiver.url());
  host.write_config();
  ASSERT_EQ(host.run({"reload"}).status, 0);
  send_messages(0, 1);
  ASSERT_TRUE(reaches(receiver, 1));
  remove_endpoint("crm");
  host.write_config();
  ASSERT_EQ(host.run({"reload"}).status, 0);
  EXPECT_THAT(text(host.subscriber("crm"), "way_out"), HasSubstr("hookhost endpoint remove crm"));
  EXPECT_EQ(host.run({"endpoint", "remove", "crm"}).status, 0);
  EXPECT_EQ(host.run({"status", "crm"}).status, 3);
}

// However many endpoints a team makes, the page has three lines of it.
TEST_F(EndpointLife, MetricsCountWhatTeamsMadeByTeam) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string key = key_of("team_1"), first = made(key, receiver), second = made(key, receiver);
  send_messages(0, 2);
  ASSERT_TRUE(reaches(receiver, 4));
  const auto page = [&] { return host.admin("GET", "/metrics").body; };
  const std::string four = R"(hookhost_team_attempts_total{team="team_1",outcome="ok"} 4)";
  EXPECT_TRUE(poll_until([&] { return page().find(four) != std::string::npos; })) << page();
  EXPECT_THAT(page(), testing::AllOf(HasSubstr(R"(hookhost_team_endpoints{team="team_1"} 2)"), Not(HasSubstr(first))));
  ASSERT_EQ(v1(key, "DELETE", "/webhooks/" + first).status, 200);
  EXPECT_THAT(page(), testing::AllOf(HasSubstr(four), HasSubstr(R"(hookhost_team_endpoints{team="team_1"} 1)"))) << "a counter never goes back";
}

}  // namespace
}  // namespace hookhost::test
