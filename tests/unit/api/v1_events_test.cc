#include <gtest/gtest.h>

#include "support/v1_client.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

class V1Events : public testing::Test {
 protected:
  test::V1Host host_;
  test::V1Answer publish(const std::string& body, const std::vector<std::string>& headers = {}) const {
    return host_.call("POST", "/v1/events", body, test::V1Host::kKeyA, headers);
  }
  // The field of the only problem.
  std::string problem(const std::string& body) const {
    const auto answer = publish(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_EQ(answer.error(), "validation_error") << body;
    EXPECT_TRUE(host_.control.publications.empty()) << body;
    return std::string(answer.body.at("details").at(0).at("field").as_string());
  }
};

TEST_F(V1Events, AWholeEnvelopeIsKeptByteForByte) {
  const std::string body = "{ \"event\":\"linkedin.message.sent\",\"teamId\":\"team_a\", \"timestamp\":\"2026-01-02T03:04:05Z\",\"data\":{\"n\":1.50,\"big\":12345678901234567890123,\"text\":\"\\u00e9\"} }";
  const auto answer = publish(" " + body + "\n");
  ASSERT_EQ(answer.status, 200) << answer.raw.body;
  EXPECT_EQ(answer.body, json::value({{"status", "accepted"}, {"id", "evt_00000000000000000000000001"}}));
  ASSERT_EQ(host_.control.publications.size(), 1U);
  EXPECT_EQ(host_.control.publications[0].body, body);
  EXPECT_EQ(host_.control.publications[0].type, "linkedin.message.sent");
}

TEST_F(V1Events, WhatIsMissingIsPutInFront) {
  ASSERT_EQ(publish(R"({"event":"linkedin.message.sent","data":{"chatId":"c","n":1.50}})").status, 200);
  const std::string& body = host_.control.publications.at(0).body;
  EXPECT_TRUE(body.starts_with(R"({"teamId":"team_a","timestamp":")")) << body;
  EXPECT_TRUE(body.ends_with(R"(Z","event":"linkedin.message.sent","data":{"chatId":"c","n":1.50}})")) << body;
}

TEST_F(V1Events, ABatchKeepsItsOrderAndItsEventsAreToldApartByTheirPlace) {
  const std::string body = R"({"events":[{"event":"linkedin.message.sent","data":{"n":1.0}}, {"event":"prospect.unqualified","data":{}}]})";
  const auto answer = publish(body, {"Idempotency-Key: b1"});
  ASSERT_EQ(answer.status, 200) << answer.raw.body;
  EXPECT_EQ(answer.body.at("events").as_array().size(), 2U);
  const auto& published = host_.control.publications;
  ASSERT_EQ(published.size(), 2U);
  EXPECT_TRUE(published[0].body.ends_with(R"("event":"linkedin.message.sent","data":{"n":1.0}})"));
  EXPECT_EQ(published[0].idempotency.key, "b1");
  EXPECT_EQ(published[1].type, "prospect.unqualified");
  EXPECT_EQ(published[1].idempotency.key, "b1 1");
  EXPECT_EQ(publish(body, {"Idempotency-Key: b1"}).body.at("events").at(1).at("status"), "duplicate");
  EXPECT_EQ(published.size(), 2U);
}

TEST_F(V1Events, WhatIsWrongIsNamedAndNothingIsPublished) {
  EXPECT_EQ(problem(""), "body");
  EXPECT_EQ(problem("[]"), "body");
  EXPECT_EQ(problem(R"({"event":"linkedin.message.sent","event":"prospect.unqualified","data":{}})"), "body");
  EXPECT_EQ(problem(R"({"data":{}})"), "event");
  EXPECT_EQ(problem(R"({"event":7,"data":{}})"), "event");
  EXPECT_EQ(problem(R"({"event":"linkedin.message.sent"})"), "data");
  EXPECT_EQ(problem(R"({"event":"linkedin.message.sent","data":[]})"), "data");
  EXPECT_EQ(problem(R"({"event":"linkedin.message.sent","data":{},"teamId":"team_b"})"), "teamId");
  EXPECT_EQ(problem(R"({"event":"linkedin.message.sent","data":{},"timestamp":"yesterday"})"), "timestamp");
  EXPECT_EQ(problem(R"({"events":[]})"), "events");
  EXPECT_EQ(problem(R"({"events":{}})"), "events");
  EXPECT_EQ(problem(R"({"events":[{"event":"linkedin.message.sent","data":{}},7]})"), "events[1]");
  EXPECT_EQ(problem(R"({"events":[{"event":"linkedin.message.sent","data":{}},{"event":"linkedin.message.sent"}]})"), "events[1].data");
  std::string many = R"({"events":[{"event":"linkedin.message.sent","data":{}})";
  for (int i = 0; i < 1000; ++i) many += R"(,{"event":"linkedin.message.sent","data":{}})";
  EXPECT_EQ(problem(many + "]}"), "events");
}

TEST_F(V1Events, AnUnknownTypeIsRefusedWithTheValidOnes) {
  for (const char* body : {R"({"event":"order.paid","data":{}})", R"({"events":[{"event":"linkedin.message.sent","data":{}},{"event":"order.paid","data":{}}]})"}) {
    const auto answer = publish(body);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.error(), "invalid_event");
    EXPECT_EQ(answer.body.at("validEvents").as_array().size(), 6U);
  }
  EXPECT_TRUE(host_.control.publications.empty());
}

TEST_F(V1Events, TheConfigurationsTypesAreTakenButNoneOfTheHostsOwn) {
  host_.v1.configure({.rate_limits = V1RateLimits::off(), .types = {"order.paid", "hookhost.subscriber.stopped"}});
  EXPECT_EQ(publish(R"({"event":"order.paid","data":{}})").status, 200);
  EXPECT_EQ(publish(R"({"event":"hookhost.subscriber.stopped","data":{}})").error(), "invalid_event");
}

TEST_F(V1Events, AnIdempotencyKeyIsOneWord) {
  const std::string body = R"({"event":"linkedin.message.sent","data":{}})";
  for (const std::vector<std::string>& headers : std::vector<std::vector<std::string>>{
           {"Idempotency-Key: a b"}, {"Idempotency-Key:"}, {"Idempotency-Key: a", "Idempotency-Key: b"}, {"Idempotency-Key: " + std::string(256, 'k')}}) {
    const auto answer = publish(body, headers);
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body.at("details").at(0).at("field"), "Idempotency-Key");
  }
  EXPECT_EQ(publish(body, {"Idempotency-Key: " + std::string(255, 'k')}).status, 200);
  EXPECT_EQ(publish(body, {"idempotency-key: " + std::string(255, 'k')}).body.at("status"), "duplicate");
}

TEST_F(V1Events, AnIdempotencyKeyStandsForOneRequest) {
  const std::string one = R"({"event":"linkedin.message.sent","data":{"n":1}})", other = R"({"event":"linkedin.message.sent","data":{"n":2}})";
  const std::vector<std::string> key{"Idempotency-Key: k"};
  ASSERT_EQ(publish(one, key).status, 200);
  for (const std::string& body : {other, "{\"events\":[" + one + "]}", "{\"events\":[" + one + "," + other + "]}", "{\"events\":[" + other + "," + one + "]}"}) {
    const auto answer = publish(body, key);
    EXPECT_EQ(answer.status, 422) << body;
    EXPECT_EQ(answer.error(), "idempotency_key_reused");
  }
  EXPECT_EQ(host_.control.publications.size(), 1U) << "nothing of them was published";
  EXPECT_EQ(publish(one, key).body.at("status"), "duplicate");
  const std::string batch = "{\"events\":[" + one + "," + other + "]}";
  ASSERT_EQ(publish(batch, {"Idempotency-Key: b"}).status, 200);
  EXPECT_EQ(publish("{\"events\":[" + one + "," + other + "," + one + "]}", {"Idempotency-Key: b"}).status, 422) << "a longer one";
  EXPECT_EQ(publish("{\"events\":[" + one + "]}", {"Idempotency-Key: b"}).status, 422) << "a shorter one";
  EXPECT_EQ(publish(batch, {"Idempotency-Key: b"}).body.at("events").at(1).at("status"), "duplicate");
  EXPECT_EQ(host_.control.publications.size(), 3U);
}

TEST_F(V1Events, WhatIsNotDurableIsNotAccepted) {
  host_.control.failure = Error{ErrorCode::no_space, "/var/secret/path is full"};
  const auto answer = publish(R"({"event":"linkedin.message.sent","data":{}})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.error(), "unavailable");
  EXPECT_FALSE(answer.raw.header("Retry-After").empty());
  EXPECT_EQ(answer.raw.body.find("/var"), std::string::npos);
}

TEST_F(V1Events, ABodyAboveAMebibyteIsRefused) {
  const auto answer = publish(R"({"event":"linkedin.message.sent","data":{"t":")" + std::string(1 << 20, 'x') + "\"}}");
  EXPECT_EQ(answer.status, 413);
  EXPECT_EQ(answer.error(), "body_too_large");
}

}  // namespace
}  // namespace hookhost::api
