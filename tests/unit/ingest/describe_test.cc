// What each provider's webhooks are taken for: type, team, key and the provider's own id.
#include "ingest/describe.h"

#include <gtest/gtest.h>

namespace hookhost::ingest {
namespace {

using Headers = std::vector<signing::HeaderView>;

Description described(const std::string& scheme, std::string_view body, const Headers& headers = {}, const std::string& key = "", const std::string& id = "") {
  config::Source source;
  source.name = source.provider = source.scheme = scheme;
  source.key = key;
  source.id = id;
  const auto out = describe(source, headers, body);
  EXPECT_TRUE(out) << out.error().message;
  return out ? out.value() : Description{};
}

TEST(Describe, KakiyosKeyIsTheChatElseTheProspect) {
  const auto chat = described("kakiyo", R"({"event":"linkedin.message.sent","teamId":"team_1","data":{"chatId":"c1","prospectId":"p1"}})");
  EXPECT_EQ(chat.type, "linkedin.message.sent");
  EXPECT_EQ(chat.team, "team_1");
  EXPECT_EQ(chat.key, "c1");
  EXPECT_EQ(described("kakiyo", R"({"event":"x","data":{"prospectId":"p1"}})").key, "p1");
  EXPECT_EQ(described("kakiyo", R"({"event":"x","data":{"chatId":null,"prospectId":"p1"}})").key, "p1");
  EXPECT_EQ(described("kakiyo", R"({"event":"x","data":{}})").key, "") << "no key: no order";
  EXPECT_EQ(described("kakiyo", R"({"event":"a.type.of.next.year"})").type, "a.type.of.next.year") << "unknown types are accepted";
}

TEST(Describe, GithubsTypeIsTheEventAndItsAction) {
  const Headers push{{"X-GitHub-Event", "push"}, {"X-GitHub-Delivery", "d1"}};
  const auto event = described("github", R"({"repository":{"full_name":"o/r"}})", push);
  EXPECT_EQ(event.type, "push");
  EXPECT_EQ(event.key, "o/r");
  EXPECT_EQ(event.id, "d1");
  EXPECT_EQ(described("github", R"({"action":"opened"})", {{"x-github-event", "pull_request"}}).type, "pull_request.opened");
  EXPECT_EQ(described("github", "payload=%7B%22action%22%3A%22opened%22%7D&x=1", {{"X-GitHub-Event", "issues"}}).type, "issues.opened") << "as a form";
  EXPECT_EQ(described("github", "{}").type, "hookhost.unparsable") << "without its header";
}

TEST(Describe, StripeAndStandardWebhooks) {
  const auto stripe = described("stripe", R"({"id":"evt_1","type":"invoice.paid","data":{"object":{"id":"in_1"}}})");
  EXPECT_EQ(stripe.type, "invoice.paid");
  EXPECT_EQ(stripe.key, "in_1");
  EXPECT_EQ(stripe.id, "evt_1");
  const auto standard = described("standard-webhooks", R"({"type":"user.created","data":{}})", {{"webhook-id", "msg_1"}});
  EXPECT_EQ(standard.type, "user.created");
  EXPECT_EQ(standard.id, "msg_1");
  EXPECT_EQ(standard.key, "");
}

TEST(Describe, SelectorsTakeHeadersAndScalarsOnly) {
  EXPECT_EQ(described("hmac", R"({"type":"t","a":{"b":[7,"x"]}})", {}, "/a/b/0").key, "7");
  EXPECT_EQ(described("hmac", R"({"type":"t","a":{"b":[7,"x"]}})", {}, "/a/b/1").key, "x");
  EXPECT_EQ(described("hmac", R"({"type":"t","a":{"b":[7]}})", {}, "/a").key, "") << "an object is no key";
  EXPECT_EQ(described("hmac", R"({"type":"t","a":true})", {}, "/a").key, "");
  EXPECT_EQ(described("hmac", R"({"type":"t"})", {{"X-Id", "9"}}, "", "header:x-id").id, "9");
  EXPECT_EQ(described("hmac", R"({"type":"t","a":")" + std::string(513, 'k') + "\"}", {}, "/a").key, "") << "that long is no name";
}

TEST(Describe, WhatCannotBeReadIsKeptAsUnparsable) {
  const std::string deep = std::string(100, '[') + std::string(100, ']');
  for (const std::string& body : {std::string("nonsense"), std::string(), deep, std::string("{\"event\":\"\xff\"}"), std::string(R"({"event":["x"]})"),
                                  std::string(R"({"event":"hookhost.subscriber.stopped"})")}) {
    EXPECT_EQ(described("kakiyo", body).type, "hookhost.unparsable") << body;
  }
}

TEST(Describe, ATypeFromAHeaderNeedsNoBodyThatIsJson) {
  config::Source source;
  source.scheme = "hmac";
  source.type = "header:X-Topic";
  source.key = "/customer/id";
  const auto type = [&](const Headers& headers, std::string_view body) { return describe(source, headers, body).value().type; };
  for (const char* body : {"<order id=\"7\"/>", "id=7&total=3.50", "", "\xff\xfe"}) EXPECT_EQ(type({{"X-Topic", "orders/create"}}, body), "orders/create") << body;
  EXPECT_EQ(type({}, "<order/>"), "hookhost.unparsable");
  EXPECT_EQ(type({{"X-Topic", "hookhost.subscriber.stopped"}}, "<order/>"), "hookhost.unparsable");
}

TEST(Describe, TwoHeadersThatShouldBeOneAreRefused) {
  config::Source source;
  source.scheme = "standard-webhooks";
  const Headers twice{{"webhook-id", "a"}, {"Webhook-Id", "b"}};
  const auto out = describe(source, twice, "{}");
  ASSERT_FALSE(out);
  EXPECT_EQ(out.error().code, ErrorCode::invalid_request);
}

}  // namespace
}  // namespace hookhost::ingest
