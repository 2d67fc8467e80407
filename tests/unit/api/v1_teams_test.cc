// Two teams cannot see, test, change or receive anything of each other: a test per call.
#include <gtest/gtest.h>

#include "support/v1_client.h"

namespace hookhost::api {
namespace {

class V1Teams : public testing::Test {
 protected:
  // Of team_a; team_b is the stranger. What team_b is told of it must be what it is told of one that does not exist.
  test::V1Host host_;
  std::string id_ = host_.made();

  test::V1Answer as_b(const std::string& method, const std::string& path, const std::string& body = {}) const {
    return host_.call(method, path, body, test::V1Host::kKeyB);
  }
  void expect_as_if_absent(const std::string& method, const std::string& behind, const std::string& body = {}) const {
    const auto others = as_b(method, "/v1/webhooks/" + id_ + behind, body);
    const auto absent = as_b(method, "/v1/webhooks/webhook_9999999999999999" + behind, body);
    EXPECT_EQ(others.status, 404);
    EXPECT_EQ(others.error(), "not_found");
    EXPECT_EQ(others.body.at("message"), absent.body.at("message"));
    EXPECT_EQ(host_.call("GET", "/v1/webhooks/" + id_).body.at("name"), "CRM");
  }
};

TEST_F(V1Teams, ListShowsTheirOwn) {
  EXPECT_EQ(as_b("GET", "/v1/webhooks").body, boost::json::array{});
  EXPECT_EQ(host_.call("GET", "/v1/webhooks").body.as_array().size(), 1U);
}
TEST_F(V1Teams, CreateIsForTheKeysTeamWhateverTheBodySays) {
  const auto made = as_b("POST", "/v1/webhooks", R"({"name":"B","url":"https://b.example/","events":["*"],"team":"team_a","teamId":"team_a"})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(host_.control.all.back().team, "team_b");
}
TEST_F(V1Teams, Get) { expect_as_if_absent("GET", ""); }
TEST_F(V1Teams, Put) { expect_as_if_absent("PUT", "", R"({"name":"mine"})"); }
TEST_F(V1Teams, Delete) { expect_as_if_absent("DELETE", ""); }
TEST_F(V1Teams, Deliveries) { expect_as_if_absent("GET", "/deliveries"); }
TEST_F(V1Teams, TestReachesTheirOwn) {
  EXPECT_EQ(as_b("POST", "/v1/webhooks/test", R"({"event":"linkedin.message.sent"})").status, 404);
  EXPECT_TRUE(host_.control.tests.empty());
  host_.made(R"(["*"])", test::V1Host::kKeyB);
  EXPECT_EQ(as_b("POST", "/v1/webhooks/test", R"({"event":"linkedin.message.sent"})").body.at("webhooksCount"), 1);
}
TEST_F(V1Teams, PublishIsForTheKeysTeam) {
  EXPECT_EQ(as_b("POST", "/v1/events", R"({"event":"linkedin.message.sent","teamId":"team_a","data":{}})").status, 400);
  EXPECT_EQ(as_b("POST", "/v1/events", R"({"event":"linkedin.message.sent","data":{}})").status, 200);
  ASSERT_EQ(host_.control.publications.size(), 1U);
  EXPECT_EQ(host_.control.publications[0].team, "team_b");
}
TEST_F(V1Teams, IdempotencyKeysAreApart) {
  const std::string event = R"({"event":"linkedin.message.sent","data":{}})";
  EXPECT_EQ(host_.call("POST", "/v1/events", event, test::V1Host::kKeyA, {"Idempotency-Key: k"}).body.at("status"), "accepted");
  EXPECT_EQ(host_.call("POST", "/v1/events", event, test::V1Host::kKeyB, {"Idempotency-Key: k"}).body.at("status"), "accepted");
}
TEST_F(V1Teams, VerifyAndExampleNameTheirOwn) {
  EXPECT_EQ(as_b("GET", "/v1/verify").body.at("teamId"), "team_b");
  EXPECT_EQ(as_b("GET", "/v1/webhooks/test/example/linkedin.message.sent").body.at("teamId"), "team_b");
}

}  // namespace
}  // namespace hookhost::api
