// What holds for an endpoint when it, its team, the defaults and its profile say something, and what may be said.
#include "app/endpoint_build.h"

#include <gmock/gmock.h>

#include "app/webhook_settings.h"

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Texts = std::vector<std::string>;
using Headers = std::map<std::string, std::string>;

EndpointRules rules() {
  EndpointRules out;
  out.defaults.profile = "standard";
  out.defaults.timeout = 7s;
  out.defaults.allow_http = true;
  out.teams.named["patient"].profile = "standard";
  out.teams.named["hasty"].profile = "kakiyo";
  out.sources = {"kakiyo", "v1"};
  return out;
}

state::WebhookRow row(const std::string& origin, const std::string& team, const std::string& settings = "{}") {
  state::WebhookRow out{.id = "webhook_1", .origin = origin, .name = "n", .url = "http://a.example/", .events = {"*"}, .settings = settings};
  if (!team.empty()) out.team = team;
  return out;
}
BuiltEndpoint built(const state::WebhookRow& from) { return build(from, rules()).value(); }

TEST(EndpointBuild, ThroughV1TheTeamsProfileHoldsAndNotTheDefaultsOfTheFile) {
  EXPECT_EQ(built(row("v1", "patient")).profile, endpoints::Profile::standard);
  EXPECT_EQ(built(row("v1", "hasty")).profile, endpoints::Profile::kakiyo);
  EXPECT_EQ(built(row("v1", "unknown")).profile, endpoints::Profile::kakiyo);
  EXPECT_EQ(built(row("v1", "patient", R"({"profile":"kakiyo"})")).profile, endpoints::Profile::kakiyo) << "its own word wins";
  EXPECT_EQ(built(row("v1", "patient")).endpoint.policy.timeout, 30s) << "of its profile";
  EXPECT_TRUE(built(row("v1", "patient")).endpoint.allow_http) << "where it may go is the operator's word";
}

TEST(EndpointBuild, ByACommandTheDefaultsOfTheFileHold) {
  EXPECT_EQ(built(row("command", "hasty")).profile, endpoints::Profile::standard);
  EXPECT_EQ(built(row("command", "")).endpoint.policy.timeout, 7s);
  EXPECT_EQ(built(row("command", "", R"({"timeout":3,"concurrency":2,"rate":5,"retry":[1]})")).endpoint.policy.timeout, 3s);
  EXPECT_EQ(built(row("command", "", R"({"retry":[1]})")).endpoint.policy.retry, std::vector<Duration>{1s});
}

TEST(EndpointBuild, OfTheFileTheSameOrderHolds) {
  config::Endpoint said;
  said.name = "crm";
  said.url = "http://a.example/";
  EXPECT_EQ(build(said, rules().defaults).endpoint.policy.timeout, 7s);
  said.timeout = 2s;
  said.profile = "kakiyo";
  EXPECT_EQ(build(said, rules().defaults).endpoint.policy.timeout, 2s);
  EXPECT_EQ(build(said, rules().defaults).endpoint.policy.disable_after, 4U);
  said.allow_http = false;
  const auto refused = check_endpoint(said, rules().defaults);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, testing::StartsWith("the URL must begin with https://"));
}

class Wishes : public testing::Test {
 protected:
  Result<> apply(const api::EndpointWishes& wishes) { return apply_wishes(wishes, rules(), now, of); }
  std::string complaints(const api::EndpointWishes& wishes) {
    const auto applied = apply(wishes);
    if (applied) return "";
    EXPECT_EQ(applied.error().code, ErrorCode::usage);
    return applied.error().message;
  }
  WallTime now{1'000h};
  state::WebhookRow of = row("v1", "hasty");
};

TEST_F(Wishes, WhatIsNotSaidStays) {
  ASSERT_TRUE(apply({.timeout = 3s, .headers = Headers{{"X-A", "1"}}}));
  ASSERT_TRUE(apply({.name = "new", .rate = 2}));
  const auto settings = parse_webhook_settings(of.settings).value();
  EXPECT_EQ(settings.timeout, 3s);
  EXPECT_EQ(settings.rate, 2);
  EXPECT_EQ(settings.headers->at("X-A"), "1");
  EXPECT_EQ(of.name, "new");
  EXPECT_EQ(of.url, "http://a.example/");
  EXPECT_EQ(of.changed_at, now);
}

TEST_F(Wishes, ANewSecretLetsTheOneBeforeSignForItsGrace) {
  ASSERT_TRUE(apply({.secret = "first"}));
  EXPECT_EQ(of.previous_secret, "") << "there was none";
  ASSERT_TRUE(apply({.secret = "second", .secret_grace = 1h}));
  EXPECT_EQ(of.previous_secret, "first");
  EXPECT_EQ(of.previous_until, now + 1h);
  ASSERT_EQ(built(of).endpoint.secrets.size(), 2U);
  EXPECT_EQ(built(of).endpoint.secrets[0].value, "second") << "the newest first";
  now += 10min;
  ASSERT_TRUE(apply({.secret = "second"}));
  EXPECT_EQ(of.previous_until, WallTime{1'000h} + 1h) << "said again it is no new one";
  ASSERT_TRUE(apply({.secret = "third", .secret_grace = 0s}));
  EXPECT_EQ(of.previous_secret, "") << "at once";
  ASSERT_TRUE(apply({.secret = "fourth"}));
  EXPECT_EQ(of.previous_until, now + 24h);
  ASSERT_TRUE(apply({.secret = ""}));
  EXPECT_TRUE(built(of).endpoint.secrets.empty()) << "none from now on";
  EXPECT_FALSE(apply({.secret = "fifth", .secret_grace = 24h * 100'000})) << "no clock goes so far";
}

TEST_F(Wishes, AGraceAloneIsThatOfTheRotationUnderWay) {
  ASSERT_TRUE(apply({.secret = "first", .secret_grace = 1h}));
  ASSERT_TRUE(apply({.secret_grace = 1h}));
  EXPECT_EQ(of.previous_until, std::nullopt) << "nothing rotates";
  ASSERT_TRUE(apply({.secret = "second", .secret_grace = 1h}));
  now += 10min;
  ASSERT_TRUE(apply({.secret_grace = 2h}));
  EXPECT_EQ(of.previous_secret, "first");
  EXPECT_EQ(of.previous_until, now + 2h);
  ASSERT_TRUE(apply({.secret = "second", .secret_grace = 0s})) << "the secret said again is no new one";
  EXPECT_EQ(of.previous_secret, "") << "at once";
  EXPECT_EQ(of.previous_until, std::nullopt);
  ASSERT_TRUE(apply({.secret = "third", .secret_grace = 1h}));
  now += 1h;
  ASSERT_TRUE(apply({.secret_grace = 1h}));
  EXPECT_EQ(of.previous_secret, "") << "it had ended";
}

TEST_F(Wishes, EachThatCannotBeIsNamed) {
  const std::vector<std::pair<std::string, api::EndpointWishes>> cases{
      {"name: ", {.name = ""}},
      {"url: ", {.url = "ftp://a.example/"}},
      {"url: ", {.url = "https://10.0.0.1/"}},
      {"url: ", {.url = "https:///a.example/"}},
      {"url: ", {.url = "https://１２７.０.０.１/"}},
      {"url: ", {.url = "https://user:password@a.example/"}},
      {"events: ", {.events = Texts{}}},
      {"events: ", {.events = Texts{"a*b"}}},
      {"events: ", {.events = Texts{"@kakiyo"}}},  // sources are the operator's
      {"secret: ", {.secret = "whsec_short"}},
      {"secret_grace: ", {.secret_grace = -1s}},
      {"signing: ", {.signing = "rot13"}},
      {"profile: ", {.profile = "lazy"}},
      {"retry: ", {.retry = std::vector<Duration>{-1s}}},
      {"retry: ", {.retry = std::vector<Duration>(101, 1s)}},
      {"timeout: ", {.timeout = 6min}},
      {"timeout: ", {.timeout = 0s}},
      {"concurrency: ", {.concurrency = 0}},
      {"rate: ", {.rate = -1}},
      {"headers: ", {.headers = Headers{{"webhook-id", "mine"}}}},
      {"headers: ", {.headers = Headers{{"X-A", "a\r\nX-B: b"}}}},
  };
  for (const auto& [start, wishes] : cases) {
    of = row("v1", "hasty");
    EXPECT_THAT(complaints(wishes), testing::StartsWith(start));
  }
  of = row("v1", "hasty");
  EXPECT_THAT(complaints({.name = "", .timeout = 6min}), testing::AllOf(HasSubstr("name: "), HasSubstr("\ntimeout: "))) << "all of them, one a line";
}

TEST_F(Wishes, ASourceMayBeNamedByACommand) {
  of = row("command", "");
  EXPECT_EQ(complaints({.events = Texts{"@kakiyo", "@v1"}}), "");
  EXPECT_EQ(complaints({.events = Texts{"@kakyio"}}), "events: there is no source 'kakyio' in the configuration; there are: kakiyo, v1");
  of.events = {"@gone"};
  EXPECT_EQ(complaints({.name = "renamed"}), "") << "it was judged when it was said";
}

}  // namespace
}  // namespace hookhost::app
