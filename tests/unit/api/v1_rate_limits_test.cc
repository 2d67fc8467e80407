#include "api/v1_rate_limits.h"

#include <gtest/gtest.h>

#include "support/v1_client.h"

namespace hookhost::api {
namespace {

using namespace std::chrono_literals;

struct Tier {
  const char* method;
  const char* path;
  const char* body;
  int calls;
};

// Kakiyo's nine calls, and those of ours that make the host send.
constexpr Tier kTiers[] = {
    {"GET", "/v1/verify", "", 60},
    {"GET", "/v1/webhooks/events", "", 60},
    {"GET", "/v1/webhooks", "", 30},
    {"GET", "/v1/webhooks/test/events", "", 30},
    {"GET", "/v1/webhooks/test/example/linkedin.message.sent", "", 30},
    {"POST", "/v1/webhooks", "{}", 15},
    {"PUT", "/v1/webhooks/webhook_1", "{}", 15},
    {"DELETE", "/v1/webhooks/webhook_1", "", 15},
    {"POST", "/v1/webhooks/test", "{}", 15},
    {"POST", "/v1/webhooks/webhook_1/replays", "{}", 15},
    {"POST", "/v1/webhooks/webhook_1/deliveries/evt_1/retry", "", 15},
};

TEST(V1RateLimits, OfTheNineCallsAreTheDocumentedOnesAndReplaysAndRetriesAreBoundedToo) {
  for (const Tier& one : kTiers) {
    const test::V1Host host(V1Options{});
    for (int i = 0; i < one.calls; ++i) ASSERT_NE(host.call(one.method, one.path, one.body).status, 429) << one.method << one.path << " call " << i;
    const auto refused = host.call(one.method, one.path, one.body);
    EXPECT_EQ(refused.status, 429) << one.method << one.path;
    EXPECT_EQ(refused.error(), "rate_limit_exceeded");
    EXPECT_EQ(host.call(one.method, one.path, one.body, test::V1Host::kKeyB).status == 429, false) << "another team pays for it";
  }
}

TEST(V1RateLimits, TheAnswerSaysWhenAndThenItGoesOn) {
  test::V1Host host(V1Options{.rate_limits = {.high = 2, .medium = 1, .low = 1}, .types = {}});
  EXPECT_EQ(host.call("GET", "/v1/verify").status, 200);
  host.clock.advance(14500ms);
  EXPECT_EQ(host.call("GET", "/v1/webhooks/events").status, 200);  // one class, one window
  const auto refused = host.call("GET", "/v1/verify");
  ASSERT_EQ(refused.status, 429);
  EXPECT_EQ(refused.raw.header("Retry-After"), "46");
  EXPECT_EQ(refused.body.at("retryAfter").to_number<int>(), 46);
  EXPECT_EQ(refused.body.at("resetTime").to_number<std::int64_t>(), 1'700'000'060'000);
  EXPECT_EQ(host.call("GET", "/v1/webhooks").status, 200);  // another class
  host.clock.advance(45400ms);
  EXPECT_EQ(host.call("GET", "/v1/verify").status, 429);
  host.clock.advance(100ms);
  EXPECT_EQ(host.call("GET", "/v1/verify").status, 200);
}

TEST(V1RateLimits, CountNeitherOursNorStrangers) {
  const test::V1Host host(V1Options{.rate_limits = {.high = 1, .medium = 1, .low = 1}, .types = {}});
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(host.call("POST", "/v1/events", R"({"event":"linkedin.message.sent","data":{}})").status, 200);
    EXPECT_EQ(host.call("GET", "/v1/webhooks/webhook_1").status, 404);
    EXPECT_EQ(host.call("GET", "/v1/verify", "", "no-such-key").status, 401);
  }
  EXPECT_EQ(host.call("GET", "/v1/verify").status, 200);
}

// Kakiyo has no such call, so it has no limit of Kakiyo's.
TEST(V1RateLimits, PublishingHasOneOfItsOwn) {
  const test::V1Host host(V1Options{.rate_limits = {.high = 1, .medium = 1, .low = 1, .publish = 3}, .types = {}});
  const char* const event = R"({"event":"linkedin.message.sent","data":{}})";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(host.call("POST", "/v1/events", event).status, 200);
  const auto refused = host.call("POST", "/v1/events", event);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.error(), "rate_limit_exceeded");
  EXPECT_EQ(refused.raw.header("Retry-After"), "60");
  EXPECT_EQ(host.call("POST", "/v1/events", event, test::V1Host::kKeyB).status, 200) << "another team pays for it";
  EXPECT_EQ(host.call("POST", "/v1/webhooks/test", "{}").status, 400) << "and another class";
}

TEST(V1RateLimits, CanBeOffAndAreChangedByAReload) {
  test::V1Host host;
  for (int i = 0; i < 70; ++i) ASSERT_EQ(host.call("GET", "/v1/verify").status, 200);
  host.v1.configure({.rate_limits = {.high = 1, .medium = {}, .low = {}}, .types = {}});
  EXPECT_EQ(host.call("GET", "/v1/verify").status, 200);
  EXPECT_EQ(host.call("GET", "/v1/verify").status, 429);
}

}  // namespace
}  // namespace hookhost::api
