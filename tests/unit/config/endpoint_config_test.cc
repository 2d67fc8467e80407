// endpoints, endpoint_defaults, teams and api.
#include <gtest/gtest.h>

#include <cstdlib>

#include "config/config.h"

namespace hookhost::config {
namespace {

Result<Config> read(const std::string& text, const Resolve& resolve = {}) { return parse(text, "/etc/hookhost.yaml", resolve); }
std::string problems(const std::string& text) {
  const auto config = read(text);
  return config ? "" : config.error().message;
}
std::string endpoint(const std::string& more) { return "endpoints: {a: {url: \"https://a.example\", events: [\"*\"]" + more + "}}"; }

TEST(EndpointConfig, ReadsEveryKey) {
  ::setenv("HH_TEST_SECRET", "s3cret", 1);
  const auto config = read(R"(
endpoint_defaults: {allow_http: true, allowed_networks: ["10.0.0.0/8"], profile: kakiyo, timeout: 5s, retry: [1s], concurrency: 2}
endpoints:
  relay: {url: "https://a.example/x", enabled: false, team: team_1, events: ["@github", "kakiyo:linkedin.*"], signing: standard-webhooks,
          secrets: ["${HH_TEST_SECRET}", {value: old, until: 2026-12-01}], headers: {X-Token: "${HH_TEST_SECRET}"}, profile: standard, timeout: 3s,
          retry: days, concurrency: 4, rate: 2.5/s, start_at: 2h, order_by: /a, allow_http: false, allowed_networks: [],
          tls: {ca: ca.pem, certificate: c.pem, key: k.pem}, proxy: "http://p:1"}
teams: {team_1: {api_keys: ["${HH_TEST_SECRET}"], profile: standard}}
api: {rate_limits: {high: 6, low: 1, publish: 600}, types: [order.paid]}
)");
  ASSERT_TRUE(config) << config.error().message;
  const EndpointDefaults& defaults = config.value().endpoint_defaults;
  EXPECT_TRUE(defaults.allow_http);
  EXPECT_EQ(defaults.allowed_networks.size(), 1U);
  EXPECT_EQ(defaults.profile, "kakiyo");
  EXPECT_EQ(defaults.timeout, 5s);
  EXPECT_EQ(defaults.retry, std::vector<Duration>{1s});
  EXPECT_EQ(defaults.concurrency, 2U);
  const Endpoint& relay = config.value().endpoints.at("relay");
  EXPECT_FALSE(relay.enabled);
  EXPECT_EQ(relay.team, "team_1");
  ASSERT_EQ(relay.events.size(), 2U);
  EXPECT_EQ(relay.events[0].source, "github");
  EXPECT_EQ(relay.events[1].provider, "kakiyo");
  EXPECT_EQ(relay.signing, "standard-webhooks");
  ASSERT_EQ(relay.secrets.size(), 2U);
  EXPECT_EQ(relay.secrets[0].value.reveal(), "s3cret");
  EXPECT_TRUE(relay.secrets[1].until);
  EXPECT_EQ(relay.headers.at("X-Token").reveal(), "s3cret");
  EXPECT_EQ(relay.timeout, 3s);
  EXPECT_EQ(relay.retry->size(), 10U);
  EXPECT_EQ(relay.concurrency, 4U);
  EXPECT_EQ(relay.rate, 2.5);
  EXPECT_EQ(relay.start_at.kind, When::Kind::age);
  EXPECT_EQ(relay.order_by, "/a");
  EXPECT_EQ(relay.allow_http, false);
  EXPECT_TRUE(relay.allowed_networks && relay.allowed_networks->empty());
  EXPECT_EQ(relay.ca, "/etc/ca.pem");
  EXPECT_EQ(relay.proxy, "http://p:1");
  EXPECT_EQ(config.value().teams.at("team_1").api_keys[0].reveal(), "s3cret");
  EXPECT_EQ(config.value().api.rate_limits, (RateLimits{6, 30, 1, 600}));
  EXPECT_EQ(config.value().api.types, std::vector<std::string>{"order.paid"});
  EXPECT_FALSE(read("api: {rate_limits: off}").value().api.rate_limits);
}

TEST(EndpointConfig, NamesWhatIsWrongWithItsPlace) {
  const std::pair<std::string, const char*> all[] = {
      {"endpoints: {a: {events: [\"*\"]}}", "1:16: endpoints.a.url: is missing"},
      {"endpoints: {a: {url: x}}", "endpoints.a.events: is missing"},
      {"endpoints: {webhook_1: {url: x, events: [\"*\"]}}", "names that begin with webhook_"},
      {endpoint(", signing: loud"), "endpoints.a.signing: wants one of both, kakiyo"},
      {endpoint(", profile: days"), "endpoints.a.profile: wants one of kakiyo, standard"},
      {endpoint(", allowed_networks: [10.0.0.1/8]"), "endpoints.a.allowed_networks: "},
      {endpoint(", allowed_networks: all"), "wants a list of networks"},
      {endpoint(", secret: x"), "did you mean 'secrets'?"},
      {endpoint(", secrets: [\"${HH_TEST_NEVER_SET}\"]"), "HH_TEST_NEVER_SET is not set"},
      {endpoint(", rate: often"), "endpoints.a.rate: wants requests a second"},
      {endpoint(", rate: -1"), "endpoints.a.rate: wants requests a second"},
      {endpoint(", tls: {key: k}"), "endpoints.a.tls.certificate: and key belong together"},
      {endpoint(", concurrency: 0"), "endpoints.a.concurrency: wants a whole number from 1"},
      {"plugins: {a: {library: x}}\n" + endpoint(""), "a plugin has the name 'a' too"},
      {"endpoint_defaults: {signing: none}", "endpoint_defaults.signing: is not a known key"},
      {"teams: {t: {api_key: x}}", "did you mean 'api_keys'?"},
      {"teams: {from_payload: {}}", "choose another name"},
      {"api: {rate_limits: fast}", "api.rate_limits: wants kakiyo, off or"},
      {"api: {types: [\"order.*\"]}", "api.types: wants types written out"},
      {"api: {types: [hookhost.subscriber.stopped]}", "api.types: types that begin with hookhost. are the host's own"},
  };
  for (const auto& [text, expected] : all) EXPECT_NE(problems(text).find(expected), std::string::npos) << text << "\n" << problems(text);
}

TEST(EndpointConfig, WithTeamsNothingLeavesOpenWhoseItIs) {
  const std::string teams = "teams: {t: {}}\n";
  EXPECT_EQ(problems("sources: {a: {unsigned: true}, b: {unsigned: true, team: u}}"), "") << "without teams a source need not say it";
  EXPECT_EQ(problems(teams + "sources: {a: {unsigned: true, team: t}, b: {unsigned: true, team: from_payload}}"), "");
  const std::string silent = problems(teams + "sources: {a: {unsigned: true}}");
  EXPECT_NE(silent.find("2:14: sources.a.team: is missing"), std::string::npos) << silent;
  const std::string other = problems(teams + "sources: {a: {unsigned: true, team: u}}");
  EXPECT_NE(other.find("sources.a.team: 'u' does not stand under teams"), std::string::npos) << other;
  const std::string endpoints = problems(teams + endpoint(", team: u"));
  EXPECT_NE(endpoints.find("endpoints.a.team: 'u' does not stand under teams"), std::string::npos) << endpoints;
}

// No error: events of a source that has left the file may still have to be delivered.
TEST(EndpointConfig, ASourceThatThereIsNotIsWarnedOf) {
  const std::string sources = "sources: {shop: {unsigned: true}}\n";
  const auto warnings = [&](const std::string& events) {
    const auto config = read(sources + "endpoints: {a: {url: \"https://a.example/\", events: [" + events + "]}}\nplugins: {p: {library: x.so, events: [" + events + "]}}");
    EXPECT_TRUE(config) << config.error().message;
    return config ? config.value().warnings : std::vector<std::string>{};
  };
  EXPECT_TRUE(warnings("\"@shop\", \"@v1\", \"shop:*\"").empty());
  const auto found = warnings("\"@shpo\"");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].find("plugins.p.events: '@shpo': there is no source 'shpo' in the configuration; there are: shop, v1"), std::string::npos) << found[0];
  EXPECT_NE(found[1].find("2:16: endpoints.a.events: "), std::string::npos) << found[1];
}

TEST(EndpointConfig, AKeyIsOfOneTeamAndCanBeSent) {
  const std::string shared = problems("teams: {t: {api_keys: [k1, k2]}, u: {api_keys: [k3, k2]}}");
  EXPECT_NE(shared.find("teams.u.api_keys[1]: is a key of team t too"), std::string::npos) << shared;
  EXPECT_EQ(shared.find("k2"), std::string::npos) << "a key is never said";
  EXPECT_EQ(problems("teams: {t: {api_keys: [k1, k1]}}"), "") << "twice of one team leaves nothing open";
  for (const std::string& key : {std::string("two words"), std::string("\xc3\xa4"), std::string(257, 'k')}) {
    EXPECT_NE(problems("teams: {t: {api_keys: [\"" + key + "\"]}}").find("teams.t.api_keys[0]: a key is at most 256 visible ASCII characters"), std::string::npos) << key;
  }
}

TEST(EndpointConfig, SecretsAreResolvedOnlyWhereAllAreAndNeverSaid) {
  const std::string text = endpoint(", secrets: [\"${HH_TEST_NEVER_SET}\"], headers: {A: \"${HH_TEST_NEVER_SET}\"}") + "\nteams: {t: {api_keys: [\"${HH_TEST_NEVER_SET}\"]}}";
  const auto without = read(text, {.all = false, .source = {}});
  ASSERT_TRUE(without) << without.error().message;
  EXPECT_EQ(without.value().endpoints.at("a").secrets.size(), 1U) << "that there is one is known";
  EXPECT_EQ(problems(endpoint(", secrets: [hunter2], signing: loud")).find("hunter2"), std::string::npos);
}

TEST(EndpointConfig, TeamsWithoutATeamIsNotTheSameAsWithoutTeams) {
  for (const char* text : {"teams: {}", "teams:", "teams: ~"}) {
    EXPECT_NE(problems(text).find("teams: names no team: name one, or take the section out"), std::string::npos) << text << "\n" << problems(text);
  }
  EXPECT_EQ(problems("sources: {}"), "");
}

TEST(EndpointConfig, TheDifferenceNamesWhatChanged) {
  const auto before = read(endpoint("") + "\nteams: {t: {}, u: {}}").value();
  const auto after = read(endpoint(", rate: 1, secrets: [x]") + "\nteams: {t: {profile: standard}}\napi: {types: [a.b]}\nendpoint_defaults: {allow_http: true}").value();
  const std::string removed = "team u: removed; its keys are refused and its webhooks stand still until it is back";
  EXPECT_EQ(difference(before, after).changes, (std::vector<std::string>{"endpoint a: changed secrets, rate", "team t: changed profile", removed,
                                                                         "endpoint_defaults: changed", "api: changed"}));
  const auto none = difference(before, read(endpoint("")).value()).changes;
  ASSERT_EQ(none.size(), 2U);
  EXPECT_NE(none[0].find("no teams are configured any more"), std::string::npos) << "then every name is a team";
}

}  // namespace
}  // namespace hookhost::config
