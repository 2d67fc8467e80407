// Two teams in one host cannot see, test, change or receive anything of each other: a test for each call of /v1, and for the ways in.
#include <gmock/gmock.h>

#include "system/v1_fixture.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// Of team_a, with a webhook that had one event; team_b, the stranger, has a webhook and nothing else.
class TeamsApart : public V1Test {
 protected:
  static constexpr const char* kKeyA = "key-of-team-a-0123456789-0123456789-0123";
  static constexpr const char* kKeyB = "key-of-team-b-0123456789-0123456789-0123";
  static constexpr const char* kAbsent = "webhook_0000000000000000";

  TeamsApart() {
    host.sources = {{"kakiyo", R"({scheme: kakiyo, secrets: ["system-test-secret"], team: from_payload})"},
                    {"of_b", R"({scheme: kakiyo, secrets: ["system-test-secret"], team: team_b})"}};
    say(std::string("teams:\n  team_a: {api_keys: [\"") + kKeyA + "\"]}\n  team_b: {api_keys: [\"" + kKeyB + "\"]}\n");
    allow_loopback();
  }
  void start(const std::string& limits = "off") {
    say("api: {rate_limits: " + limits + "}\n");
    ASSERT_TRUE(host.start());
    if (limits != "off") return;
    id_a_ = made(kKeyA, a_);
    id_b_ = made(kKeyB, b_);
    event_a_ = publish(kKeyA, 1);
    ASSERT_TRUE(reaches(a_, 1));
    ASSERT_TRUE(poll_until([&] { return v1(kKeyA, "GET", "/webhooks/" + id_a_ + "/deliveries").body != "[]"; }));
  }
  std::string publish(const std::string& key, int n, const std::string& headers = "") const {
    const RawAnswer answer = v1(key, "POST", "/events", R"({"event":"linkedin.message.sent","data":{"n":)" + std::to_string(n) + "}}", headers);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.status == 200 ? text(object_of(answer), "id") : "";
  }
  static std::string body_of(const std::string& team, int n) {
    return R"({"event":"linkedin.message.received","teamId":")" + team + R"(","timestamp":"2026-01-01T00:00:00Z","data":{"n":)" + std::to_string(n) + "}}";
  }
  // The answer without what is different in every one.
  static std::string told(const RawAnswer& answer, const std::string& id) {
    json::object object = object_of(answer);
    object.erase("request_id");
    std::string out = std::to_string(answer.status) + " " + json::serialize(object);
    for (auto at = out.find(id); at != std::string::npos; at = out.find(id)) out.replace(at, id.size(), "ID");
    return out;
  }
  // `behind` the other's id: what is told is what is told of an id that does not exist, and nothing becomes of it.
  void expect_as_if_absent(const std::string& method, const std::string& behind, const std::string& body = "") const {
    const std::string before = v1(kKeyA, "GET", "/webhooks/" + id_a_).body;
    const RawAnswer others = v1(kKeyB, method, "/webhooks/" + id_a_ + behind, body);
    EXPECT_EQ(others.status, 404);
    EXPECT_EQ(told(others, id_a_), told(v1(kKeyB, method, std::string("/webhooks/") + kAbsent + behind, body), kAbsent));
    EXPECT_EQ(v1(kKeyA, "GET", "/webhooks/" + id_a_).body, before);
    EXPECT_EQ(b_.count(), 0U);
  }
  [[nodiscard]] std::vector<std::string> events_for_b() {
    std::vector<std::string> out;
    for (const auto& body : b_.bodies()) out.push_back(text(json::parse(body).as_object(), "teamId"));
    return out;
  }

  Receiver a_, b_;
  std::string id_a_, id_b_, event_a_;
};

TEST_F(TeamsApart, Verify) {
  ASSERT_NO_FATAL_FAILURE(start());
  EXPECT_EQ(text(object_of(v1(kKeyA, "GET", "/verify")), "teamId"), "team_a");
  EXPECT_EQ(text(object_of(v1(kKeyB, "GET", "/verify")), "teamId"), "team_b");
}

TEST_F(TeamsApart, ListWebhooks) {
  ASSERT_NO_FATAL_FAILURE(start());
  const RawAnswer list = v1(kKeyB, "GET", "/webhooks");
  EXPECT_EQ(json::parse(list.body).as_array().size(), 1U);
  EXPECT_THAT(list.body, testing::AllOf(HasSubstr(id_b_), Not(HasSubstr(id_a_)), Not(HasSubstr(a_.url()))));
}

TEST_F(TeamsApart, CreateWebhookWithTheOthersNameUrlAndTeam) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string mine = made(kKeyB, a_, R"(,"team":"team_a","teamId":"team_a","id":")" + id_a_ + "\"");
  EXPECT_NE(mine, id_a_);
  EXPECT_EQ(json::parse(v1(kKeyA, "GET", "/webhooks").body).as_array().size(), 1U);
  publish(kKeyA, 2);
  ASSERT_TRUE(reaches(a_, 2));
  ASSERT_TRUE(host.catches_up(mine));
  EXPECT_EQ(a_.count(), 2U) << "through the webhook of team_a alone";
}

TEST_F(TeamsApart, CreateWebhookSinceTheBeginning) {
  ASSERT_NO_FATAL_FAILURE(start());
  publish(kKeyB, 3);
  ASSERT_TRUE(reaches(b_, 1));
  Receiver late;
  ASSERT_TRUE(host.catches_up(made(kKeyB, late, R"(,"since":"beginning")")));
  EXPECT_EQ(late.messages(), std::vector<std::int64_t>{3});
  const RawAnswer refused = v1(kKeyB, "POST", "/webhooks", R"({"name":"a","events":["*"],"since":"4711","url":")" + late.url() + "\"}");
  EXPECT_EQ(refused.status, 400) << "offsets count the events of all";
  EXPECT_THAT(refused.body, Not(HasSubstr("offset")));
}

TEST_F(TeamsApart, GetWebhook) {
  ASSERT_NO_FATAL_FAILURE(start());
  expect_as_if_absent("GET", "");
}

TEST_F(TeamsApart, UpdateWebhook) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const std::string body : {R"({"active":false})", R"({"url":"https://b.example/"})", R"({"name":"mine"})", "{}"}) expect_as_if_absent("PUT", "", body);
  EXPECT_EQ(v1(kKeyB, "PUT", "/webhooks/" + id_a_, "[]").status, v1(kKeyB, "PUT", std::string("/webhooks/") + kAbsent, "[]").status);
  publish(kKeyA, 2);
  EXPECT_TRUE(reaches(a_, 2)) << "it goes on as it was";
}

TEST_F(TeamsApart, DeleteWebhook) {
  ASSERT_NO_FATAL_FAILURE(start());
  expect_as_if_absent("DELETE", "");
  publish(kKeyA, 2);
  EXPECT_TRUE(reaches(a_, 2));
}

TEST_F(TeamsApart, ListDeliveries) {
  ASSERT_NO_FATAL_FAILURE(start());
  expect_as_if_absent("GET", "/deliveries");
  EXPECT_EQ(v1(kKeyB, "GET", "/webhooks/" + id_b_ + "/deliveries?eventId=" + event_a_).body, "[]");
  EXPECT_THAT(v1(kKeyA, "GET", "/webhooks/" + id_a_ + "/deliveries").body, HasSubstr(event_a_));
}

TEST_F(TeamsApart, RetryDelivery) {
  ASSERT_NO_FATAL_FAILURE(start());
  expect_as_if_absent("POST", "/deliveries/" + event_a_ + "/retry");
  const RawAnswer through_mine = v1(kKeyB, "POST", "/webhooks/" + id_b_ + "/deliveries/" + event_a_ + "/retry");
  const RawAnswer unknown = v1(kKeyB, "POST", "/webhooks/" + id_b_ + "/deliveries/evt_00000000000000000000000000/retry");
  EXPECT_EQ(through_mine.status, 404);
  EXPECT_EQ(told(through_mine, event_a_), told(unknown, "evt_00000000000000000000000000"));
}

TEST_F(TeamsApart, ReplayEvents) {
  ASSERT_NO_FATAL_FAILURE(start());
  expect_as_if_absent("POST", "/replays", R"({"since":"beginning"})");
  publish(kKeyB, 5);
  ASSERT_TRUE(reaches(b_, 1));
  ASSERT_TRUE(host.catches_up(id_b_));
  const RawAnswer mine = v1(kKeyB, "POST", "/webhooks/" + id_b_ + "/replays", R"({"since":"beginning"})");
  ASSERT_EQ(mine.status, 202) << mine.body;
  EXPECT_EQ(text(object_of(mine), "eventsCount"), "1") << "of its own";
  ASSERT_TRUE(reaches(b_, 2));
  EXPECT_TRUE(poll_until([&] { return text(object_of(v1(kKeyB, "GET", "/webhooks/" + id_b_)), "replaying") == "false"; }));
  EXPECT_EQ(events_for_b(), (std::vector<std::string>{"team_b", "team_b"}));
  EXPECT_EQ(a_.count(), 1U);
  EXPECT_EQ(v1(kKeyB, "POST", "/webhooks/" + id_b_ + "/replays", R"({"since":"0"})").status, 400) << "offsets count the events of all";
}

TEST_F(TeamsApart, TestWebhook) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string test = R"({"event":"linkedin.message.sent"})";
  const RawAnswer mine = v1(kKeyB, "POST", "/webhooks/test", test);
  EXPECT_EQ(mine.status, 200) << mine.body;
  EXPECT_EQ(text(object_of(mine), "webhooksCount"), "1");
  EXPECT_THAT(mine.body, Not(HasSubstr(id_a_)));
  ASSERT_TRUE(reaches(b_, 1));
  EXPECT_EQ(v1(kKeyB, "DELETE", "/webhooks/" + id_b_).status, 200);
  EXPECT_EQ(v1(kKeyB, "POST", "/webhooks/test", test).status, 404) << "that of team_a is none";
  EXPECT_EQ(a_.count(), 1U);
}

TEST_F(TeamsApart, ListEventsListTestEventsAndExamples) {
  ASSERT_NO_FATAL_FAILURE(start());
  for (const char* path : {"/webhooks/events", "/webhooks/test/events"}) EXPECT_EQ(v1(kKeyA, "GET", path).body, v1(kKeyB, "GET", path).body);
  EXPECT_THAT(v1(kKeyB, "GET", "/webhooks/test/example/linkedin.message.sent").body, testing::AllOf(HasSubstr("team_b"), Not(HasSubstr("team_a"))));
}

TEST_F(TeamsApart, PublishEvents) {
  ASSERT_NO_FATAL_FAILURE(start());
  const RawAnswer refused = v1(kKeyB, "POST", "/events", R"({"event":"linkedin.message.sent","teamId":"team_a","data":{"n":6}})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.find("team_a"), std::string::npos);
  publish(kKeyB, 7);
  ASSERT_TRUE(reaches(b_, 1));
  ASSERT_TRUE(host.catches_up(id_a_));
  EXPECT_EQ(a_.messages(), std::vector<std::int64_t>{1});
  EXPECT_EQ(events_for_b(), std::vector<std::string>{"team_b"});
}

TEST_F(TeamsApart, IdempotencyKeysOfTheOtherAreNotKnown) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string first = publish(kKeyA, 8, "Idempotency-Key: same\r\n"), second = publish(kKeyB, 9, "Idempotency-Key: same\r\n");
  EXPECT_NE(first, second);
  EXPECT_EQ(publish(kKeyB, 9, "Idempotency-Key: same\r\n"), second);
  ASSERT_TRUE(reaches(a_, 2));
  ASSERT_TRUE(reaches(b_, 1));
  EXPECT_EQ(b_.messages(), std::vector<std::int64_t>{9});
}

// The table is whole: our OpenAPI file has no other call. Without a valid key each is 401, and with the other team's each that names a webhook is
// what it is for one that does not exist.
TEST_F(TeamsApart, NoCallIsAnsweredWithoutAValidKey) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::string hook = "/webhooks/" + id_a_;
  const std::vector<std::tuple<std::string, std::string, std::string>> calls{
      {"get", "/verify", "/verify"},
      {"get", "/webhooks", "/webhooks"},
      {"post", "/webhooks", "/webhooks"},
      {"get", "/webhooks/{webhookId}", hook},
      {"put", "/webhooks/{webhookId}", hook},
      {"delete", "/webhooks/{webhookId}", hook},
      {"get", "/webhooks/{webhookId}/deliveries", hook + "/deliveries"},
      {"post", "/webhooks/{webhookId}/deliveries/{eventId}/retry", hook + "/deliveries/" + event_a_ + "/retry"},
      {"post", "/webhooks/{webhookId}/replays", hook + "/replays"},
      {"get", "/webhooks/events", "/webhooks/events"},
      {"post", "/webhooks/test", "/webhooks/test"},
      {"get", "/webhooks/test/events", "/webhooks/test/events"},
      {"get", "/webhooks/test/example/{event}", "/webhooks/test/example/linkedin.message.sent"},
      {"post", "/events", "/events"},
      {"get", "/openapi.json", ""},
  };
  const std::string revoked = key_of("team_a");
  EXPECT_EQ(v1(revoked, "GET", "/verify").status, 200);
  const Ran keys = host.run({"team", "key", "list", "--json"});
  for (const auto& key : keys.objects()) {
    if (text(key, "id") != "null") { EXPECT_EQ(host.run({"team", "key", "revoke", text(key, "id")}).status, 0); }
  }
  std::string wrong = kKeyA;
  wrong.back() = 'x';
  const std::string before = v1(kKeyA, "GET", hook).body;
  std::set<std::string> seen;
  for (const auto& [method, path, target] : calls) {
    seen.insert(method + " " + path);
    if (target.empty()) continue;
    std::string upper = method;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const std::string& key : {std::string(), wrong, revoked, std::string("short")}) {
      const RawAnswer answer = v1(key, upper, target, "{}");
      EXPECT_EQ(answer.status, 401) << upper << target << " with '" << key << "'";
      EXPECT_THAT(answer.body, testing::AllOf(Not(HasSubstr("team_a")), Not(HasSubstr(a_.url()))));
    }
    if (target.starts_with(hook)) expect_as_if_absent(upper, target.substr(hook.size()), R"({"since":"beginning"})");
  }
  std::set<std::string> listed;
  const json::object file = object_of(v1("", "GET", "/openapi.json"));
  for (const auto& path : file.at("paths").as_object()) {
    for (const auto& call : path.value().as_object()) {
      if (call.key() != "parameters") listed.insert(std::string(call.key()) + " " + std::string(path.key()));
    }
  }
  EXPECT_EQ(seen, listed);
  EXPECT_EQ(v1(kKeyA, "GET", hook).body, before);
}

TEST_F(TeamsApart, RatesAreNotShared) {
  ASSERT_NO_FATAL_FAILURE(start("{high: 2, medium: 2, low: 2}"));
  const std::vector<std::pair<std::string, std::string>> calls{{"GET", "/verify"}, {"GET", "/webhooks"}, {"PUT", std::string("/webhooks/") + kAbsent}};
  for (const auto& [method, path] : calls) {
    for (int n = 0; n < 2; ++n) EXPECT_NE(v1(kKeyA, method, path, "{}").status, 429) << path;
    EXPECT_EQ(v1(kKeyA, method, path, "{}").status, 429) << path;
    EXPECT_NE(v1(kKeyB, method, path, "{}").status, 429) << path;
  }
}

TEST_F(TeamsApart, ASourcePinsItsTeam) {
  ASSERT_NO_FATAL_FAILURE(start());
  const auto status_of = [&](const std::string& body, const std::string& target) {
    RawClient client = host.connect();
    client.send(signed_post(body, target));
    return client.read_answer().status;
  };
  EXPECT_EQ(status_of(body_of("team_a", 10), "/in/of_b"), 403) << "the body names another team";
  EXPECT_EQ(status_of(body_of("team_b", 11), "/in/of_b"), 200);
  EXPECT_EQ(status_of(R"({"event":"linkedin.message.received","data":{"n":12}})", "/in/of_b"), 200) << "and needs not name one";
  EXPECT_EQ(status_of(body_of("team_a", 13), "/in/kakiyo"), 200);
  ASSERT_TRUE(reaches(a_, 2));
  ASSERT_TRUE(reaches(b_, 2));
  EXPECT_TRUE(host.catches_up(id_a_) && host.catches_up(id_b_));
  EXPECT_THAT(a_.messages(), testing::ElementsAre(1, 13));
  EXPECT_THAT(b_.messages(), testing::UnorderedElementsAre(11, 12));
}

}  // namespace
}  // namespace hookhost::test
