#include <gtest/gtest.h>

#include "api/example_events.h"
#include "base/bytes.h"
#include "support/v1_client.h"

namespace hookhost::api {
namespace {

using namespace std::chrono_literals;
namespace json = boost::json;

class V1Webhooks : public testing::Test {
 protected:
  test::V1Host host_;

  test::V1Answer create(const std::string& body) const { return host_.call("POST", "/v1/webhooks", body); }
  // The fields that a 400 names, joined.
  static std::string fields(const test::V1Answer& answer) {
    EXPECT_EQ(answer.status, 400) << answer.raw.body;
    EXPECT_EQ(answer.error(), "validation_error");
    std::string out;
    for (const auto& one : answer.body.at("details").as_array()) out += (out.empty() ? "" : " ") + std::string(one.at("field").as_string());
    return out;
  }
  static constexpr const char* kPlain = R"("name":"CRM","url":"https://crm.example/hook","events":["linkedin.message.sent"])";
};

TEST_F(V1Webhooks, VerifyTellsTheTeam) {
  const auto answer = host_.call("GET", "/v1/verify");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, json::value({{"status", "success"}, {"message", "API key is valid"}, {"teamId", "team_a"}}));
}

TEST_F(V1Webhooks, KeysAreAskedForAndToldApart) {
  const auto code = [&](const std::vector<std::string>& headers) {
    const auto answer = host_.call("GET", "/v1/webhooks", "", "", headers);
    EXPECT_EQ(answer.status, 401);
    EXPECT_EQ(answer.raw.header("WWW-Authenticate"), "Bearer");
    return answer.error();
  };
  const std::string good = std::string("Authorization: Bearer ") + test::V1Host::kKeyA;
  EXPECT_EQ(code({}), "missing_api_key");
  for (const char* bad : {"Authorization: Bearer", "Authorization: Bearer ", "Authorization: Basic dGVhbTprZXk=", "Authorization: Bearer a b", "Authorization: key", "Authorization: Bearer \xc3\xa9"}) {
    EXPECT_EQ(code({bad}), "invalid_api_key_format") << bad;
  }
  EXPECT_EQ(code({"Authorization: Bearer " + std::string(257, 'k')}), "invalid_api_key_format");
  EXPECT_EQ(code({good, good}), "invalid_api_key_format");
  EXPECT_EQ(code({"Authorization: Bearer no-such-key"}), "invalid_api_key");
  EXPECT_EQ(host_.call("GET", "/v1/webhooks", "", "", {std::string("authorization: bearer ") + test::V1Host::kKeyA}).status, 200);
}

TEST_F(V1Webhooks, AreMadeListedShownChangedAndDeleted) {
  const auto made = create(std::string("{") + kPlain + R"(,"secret":"a very private secret"})");
  ASSERT_EQ(made.status, 201) << made.raw.body;
  const std::string id(made.body.at("id").as_string());
  EXPECT_EQ(made.body, json::value({{"id", id}, {"name", "CRM"}, {"url", "https://crm.example/hook"}, {"events", json::array{"linkedin.message.sent"}}, {"active", true},
                                    {"message", "Webhook created successfully"}}));
  EXPECT_EQ(host_.control.last_wishes.secret, "a very private secret");
  const auto listed = host_.call("GET", "/v1/webhooks");
  const auto shown = host_.call("GET", "/v1/webhooks/" + id);
  EXPECT_EQ(listed.body, json::array{shown.body});
  EXPECT_EQ(shown.body.at("hasSecret"), true);
  EXPECT_EQ(shown.body.at("createdAt"), "2023-11-14T22:13:20.000Z");
  for (const auto& answer : {made, listed, shown}) EXPECT_EQ(answer.raw.body.find("private"), std::string::npos);

  const auto changed = host_.call("PUT", "/v1/webhooks/" + id, R"({"active":false,"events":["*","linkedin.message.sent","*"]})");
  EXPECT_EQ(changed.status, 200);
  EXPECT_EQ(changed.body, json::value({{"id", id}, {"message", "Webhook updated successfully"}}));
  EXPECT_EQ(host_.control.all[0].events, (std::vector<std::string>{"*", "linkedin.message.sent"}));
  EXPECT_EQ(host_.call("GET", "/v1/webhooks/" + id).body.at("active"), false);

  const auto removed = host_.call("DELETE", "/v1/webhooks/" + id);
  EXPECT_EQ(removed.status, 200);
  EXPECT_EQ(removed.body, json::value({{"id", id}, {"message", "Webhook deleted successfully"}}));
  for (const char* method : {"GET", "PUT", "DELETE"}) EXPECT_EQ(host_.call(method, "/v1/webhooks/" + id, "{}").error(), "not_found") << method;
  for (const char* method : {"GET", "PUT", "DELETE"}) {  // its name is in no answer, which would be no JSON
    const auto answer = host_.call(method, "/v1/webhooks/%ff", "{}");
    EXPECT_EQ(answer.status, 404);
    EXPECT_TRUE(is_valid_utf8(answer.raw.body)) << method;
  }
}

TEST_F(V1Webhooks, TellWhatBecameOfDeliveries) {
  const std::string id = host_.made();
  auto& endpoint = host_.control.all[0];
  json::value shown = host_.call("GET", "/v1/webhooks/" + id).body;
  EXPECT_FALSE(shown.as_object().contains("lastSuccess"));
  EXPECT_FALSE(shown.as_object().contains("lastFailure"));
  EXPECT_FALSE(shown.as_object().contains("pausedReason"));
  endpoint.status.tally = {.successes = 42, .failures = 3, .last_success = WallTime{1'700'000'001s}, .last_failure = WallTime{1'700'000'002s + 345ms}};
  endpoint.active = false;
  endpoint.paused_reason = "disabled after 4 deliveries in a row";
  endpoint.status.held = 5;
  shown = host_.call("GET", "/v1/webhooks/" + id).body;
  EXPECT_EQ(shown.at("successCount"), 42);
  EXPECT_EQ(shown.at("failureCount"), 3);
  EXPECT_EQ(shown.at("lastSuccess"), "2023-11-14T22:13:21.000Z");
  EXPECT_EQ(shown.at("lastFailure"), "2023-11-14T22:13:22.345Z");
  EXPECT_EQ(shown.at("pausedReason"), "disabled after 4 deliveries in a row");
  EXPECT_EQ(shown.at("heldCount"), 5);

  host_.control.attempt_rows = {{.id = EventId{"evt_1"}, .type = "linkedin.message.sent", .attempt = 2, .at = WallTime{1'700'000'001s}, .took = 12ms, .outcome = "retry", .error = "status 500",
                                 .http_status = 500, .answer = "oops \xff"},
                                {.id = EventId{"evt_1"}, .type = "linkedin.message.sent", .at = WallTime{1'700'000'000s}, .outcome = "retry", .error = "no connection"}};
  const auto attempts = host_.call("GET", "/v1/webhooks/" + id + "/deliveries").body;
  ASSERT_EQ(attempts.as_array().size(), 2U);
  EXPECT_EQ(attempts.at(0).at("status"), 500);
  EXPECT_EQ(attempts.at(0).at("durationMs").to_number<double>(), 12);
  EXPECT_EQ(attempts.at(0).at("answer"), "oops \xef\xbf\xbd");
  EXPECT_FALSE(attempts.at(1).as_object().contains("status"));
  EXPECT_EQ(host_.call("GET", "/v1/webhooks/" + id + "/deliveries?limit=1").body.as_array().size(), 1U);
  for (const char* limit : {"0", "501", "x", "-1"}) EXPECT_EQ(fields(host_.call("GET", "/v1/webhooks/" + id + "/deliveries?limit=" + limit)), "limit");
}

TEST_F(V1Webhooks, OurFieldsReachTheHost) {
  const auto made = create(std::string("{") + kPlain + R"(,"signing":"kakiyo","profile":"standard","retry":["1s","5m"],"timeout":"20s","concurrency":3,"rate":2.5,
                                                        "headers":{"X-Tenant":"very private"},"since":"2h","colour":"red"})");
  ASSERT_EQ(made.status, 201) << made.raw.body;
  EXPECT_EQ(made.body.at("ignored"), json::array{"colour"});
  const auto& wishes = host_.control.last_wishes;
  EXPECT_EQ(wishes.signing, "kakiyo");
  EXPECT_EQ(wishes.profile, "standard");
  EXPECT_EQ(wishes.retry, (std::vector<Duration>{1s, 5min}));
  EXPECT_EQ(wishes.timeout, Duration{20s});
  EXPECT_EQ(wishes.concurrency, 3U);
  EXPECT_EQ(wishes.rate, 2.5);
  EXPECT_EQ(wishes.since, "2h");
  EXPECT_EQ(wishes.headers->at("X-Tenant"), "very private");
  const std::string id(made.body.at("id").as_string());
  const auto shown = host_.call("GET", "/v1/webhooks/" + id);
  EXPECT_EQ(shown.body.at("retry"), (json::array{"1s", "5m"}));
  EXPECT_EQ(shown.body.at("headers"), json::array{"X-Tenant"});
  EXPECT_EQ(shown.raw.body.find("private"), std::string::npos);
  EXPECT_EQ(host_.call("PUT", "/v1/webhooks/" + id, R"({"retry":"kakiyo","secret":"","secretGrace":"1h"})").status, 200);
  EXPECT_EQ(host_.control.last_wishes.retry, (std::vector<Duration>{1s, 2s, 4s}));
  EXPECT_EQ(host_.control.last_wishes.secret, "");
  EXPECT_EQ(host_.control.last_wishes.secret_grace, Duration{1h});
  const auto refused = host_.call("PUT", "/v1/webhooks/" + id, R"({"secretGrace":"366d"})");
  EXPECT_EQ(refused.status, 400);
  EXPECT_EQ(refused.body.at("details").at(0).at("field"), "secretGrace");
}

TEST_F(V1Webhooks, SwitchedOnAgainTheAnswerSaysWhatWasSkipped) {
  const std::string id = host_.made();
  host_.control.skipped = 7;
  const auto plain = host_.call("PUT", "/v1/webhooks/" + id, R"({"active":true})").body;
  EXPECT_EQ(plain.at("skipped"), 7);
  EXPECT_FALSE(plain.as_object().contains("replayCancelled"));
  host_.control.replay_cancelled = true;
  EXPECT_EQ(host_.call("PUT", "/v1/webhooks/" + id, R"({"active":true})").body.at("replayCancelled"), true);
  EXPECT_FALSE(host_.control.last_wishes.backlog);
  EXPECT_EQ(host_.call("PUT", "/v1/webhooks/" + id, R"({"active":true,"resume":"backlog"})").status, 200);
  EXPECT_TRUE(host_.control.last_wishes.backlog);
  EXPECT_EQ(fields(host_.call("PUT", "/v1/webhooks/" + id, R"({"resume":"backlog"})")), "resume");
}

TEST_F(V1Webhooks, SwitchedOnWhileTheOperatorHasPausedItTheAnswerSaysThatNothingIsSent) {
  const std::string id = host_.made();
  EXPECT_FALSE(host_.call("PUT", "/v1/webhooks/" + id, R"({"active":true})").body.as_object().contains("pausedReason"));
  host_.control.all.front().paused_reason = "paused by the operator";
  const auto answer = host_.call("PUT", "/v1/webhooks/" + id, R"({"active":true})");
  EXPECT_EQ(answer.status, 200) << "the wish is kept";
  EXPECT_EQ(answer.body.at("pausedReason"), "paused by the operator");
  EXPECT_NE(answer.body.at("message").as_string().find("nothing is sent to it"), std::string::npos);
  EXPECT_EQ(host_.call("PUT", "/v1/webhooks/" + id, R"({"name":"b"})").body.at("message"), "Webhook updated successfully") << "it did not ask for that";
}

TEST_F(V1Webhooks, EveryWrongFieldIsNamed) {
  EXPECT_EQ(fields(create("{}")), "name url events");
  EXPECT_EQ(fields(create("not json")), "body");
  EXPECT_EQ(fields(create(R"({"name":"","url":7,"events":[]})")), "name url events");
  EXPECT_EQ(fields(create(R"({"name":"x","url":"https://x.example","events":["linkedin.message.sent","linkedin.*","order.paid"]})")), "events[1] events[2]");
  EXPECT_EQ(fields(create(std::string("{") + kPlain + R"(,"secret":null,"signing":"md5","profile":"x","retry":["soon"],"timeout":10,"concurrency":0,"rate":-1,"headers":[]})")),
            "secret signing profile retry[0] timeout concurrency rate headers");
  EXPECT_EQ(fields(create(std::string("{") + kPlain + R"(,"headers":{"X-A":1}})")), "headers.X-A");
  EXPECT_EQ(fields(create("{\"name\":\"" + std::string(201, 'n') + R"(","url":"https://x.example","events":["*"]})")), "name");
  EXPECT_TRUE(host_.control.all.empty());
  host_.control.failure = Error{ErrorCode::usage, "url: is a private address\nheaders: may not name Host"};
  EXPECT_EQ(fields(create(std::string("{") + kPlain + "}")), "url headers");
}

TEST_F(V1Webhooks, WhatTheHostRefusesHasItsStatusAndNoSecretOfTheOperator) {
  const auto with = [&](ErrorCode code) {
    host_.control.failure = Error{code, "in /var/lib/hookhost/registry.db"};
    return create(std::string("{") + kPlain + "}");
  };
  EXPECT_EQ(with(ErrorCode::conflict).status, 409);
  EXPECT_EQ(with(ErrorCode::refused).error(), "conflict");
  for (const ErrorCode code : {ErrorCode::io_error, ErrorCode::corrupt, ErrorCode::no_space, ErrorCode::busy}) {
    const auto answer = with(code);
    EXPECT_EQ(answer.status, http_status(code));
    EXPECT_EQ(answer.raw.body.find("/var"), std::string::npos);
  }
}

TEST_F(V1Webhooks, TestSendsTheExampleToTheActiveOnesThatGetIt) {
  EXPECT_EQ(host_.call("POST", "/v1/webhooks/test", R"({"event":"linkedin.message.sent"})").status, 404);
  const std::string id = host_.made(R"(["linkedin.message.sent"])");
  host_.made(R"(["prospect.unqualified"])");
  const auto sent = host_.call("POST", "/v1/webhooks/test", R"({"event":"linkedin.message.sent","data":{ "message":"1.50" }})");
  ASSERT_EQ(sent.status, 200);
  EXPECT_EQ(sent.body, json::value({{"message", "Test webhook sent successfully"}, {"event", "linkedin.message.sent"}, {"webhooksCount", 1},
                                    {"webhooks", json::array{json::object{{"id", id}, {"name", "CRM"}, {"url", "https://crm.example/hook"}}}}}));
  EXPECT_EQ(host_.control.tests.at(0).data, R"({ "message":"1.50" })");
  EXPECT_EQ(fields(host_.call("POST", "/v1/webhooks/test", R"({"data":{}})")), "event");
  EXPECT_EQ(fields(host_.call("POST", "/v1/webhooks/test", R"({"event":"linkedin.message.sent","data":[]})")), "data");
  for (const char* type : {"*", "order.paid"}) {
    EXPECT_EQ(host_.call("POST", "/v1/webhooks/test", std::string(R"({"event":")") + type + "\"}").error(), "invalid_event");
  }
  host_.control.all[0].active = false;
  EXPECT_EQ(host_.call("POST", "/v1/webhooks/test", R"({"event":"linkedin.message.sent"})").error(), "not_found");
}

TEST_F(V1Webhooks, TypesAndExamplesAreListed) {
  host_.v1.configure({.rate_limits = V1RateLimits::off(), .types = {"order.paid"}});
  const auto events = host_.call("GET", "/v1/webhooks/events").body.as_array();
  ASSERT_EQ(events.size(), 7U);
  EXPECT_EQ(events[1], json::value({{"id", "linkedin.message.received"}, {"name", "LinkedIn Message Received"}}));
  EXPECT_EQ(events[6], json::value({{"id", "order.paid"}, {"name", "Order Paid"}}));
  const auto tests = host_.call("GET", "/v1/webhooks/test/events").body.as_array();
  ASSERT_EQ(tests.size(), 7U);
  EXPECT_EQ(tests[4].at("category"), "prospect");
  for (const auto& one : tests) {
    const auto example = host_.call("GET", "/v1/webhooks/test/example/" + std::string(one.at("id").as_string()));
    EXPECT_EQ(example.status, 200);
    EXPECT_EQ(example.body.at("event"), one.at("id"));
    EXPECT_TRUE(example.body.at("data").is_object());
  }
  const auto unknown = host_.call("GET", "/v1/webhooks/test/example/invalid.event.type");
  EXPECT_EQ(unknown.status, 400);
  EXPECT_EQ(unknown.error(), "invalid_event");
  EXPECT_EQ(unknown.body.at("message"), "Invalid event: invalid.event.type");
  EXPECT_EQ(unknown.body.at("validEvents").as_array().size(), 7U);
}

TEST_F(V1Webhooks, OtherPathsAndMethodsAreRefused) {
  for (const char* path : {"/v1/", "/v1/prospects", "/v1/webhooks/a/b", "/v1/webhooks/test/example", "/v1/%zz", "/v1/webhooks/a/deliveries/b"}) {
    EXPECT_EQ(host_.call("GET", path).error(), "not_found") << path;
  }
  EXPECT_EQ(host_.call("GET", "/v1/webhooks/events%2F").error(), "not_found");  // a webhook that does not exist
  const auto refused = host_.call("PATCH", "/v1/webhooks/webhook_1", "{}");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.raw.header("Allow"), "GET, PUT, DELETE");
  EXPECT_EQ(host_.call("PUT", "/v1/webhooks/events", "{}").raw.header("Allow"), "GET");  // no webhook's id
  EXPECT_EQ(host_.call("HEAD", "/v1/verify").status, 200);
  EXPECT_EQ(host_.call("OPTIONS", "/v1/verify").raw.header("Access-Control-Allow-Origin"), "");
  EXPECT_EQ(create("{\"name\":\"" + std::string(70'000, 'x') + "\"}").status, 413);
  EXPECT_EQ(host_.call("GET", "/v1/openapi.json", "", "").body.at("openapi"), "3.1.0");  // without a key
}

}  // namespace
}  // namespace hookhost::api
