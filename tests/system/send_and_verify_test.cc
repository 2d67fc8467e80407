// `hookhost send` as each provider would, and `hookhost verify`: the verdict and why.
#include <gmock/gmock.h>

#include <set>

#include "system/command_line.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;

class Send : public CommandTest {};

TEST_F(Send, EveryScheme) {
  ASSERT_TRUE(host.start());
  struct Case {
    std::string source, type, provider, key, team;
  };
  const std::vector<Case> cases{{"kakiyo", "linkedin.invitation.sent", "kakiyo", "chat_54321", "team_12345abcde"},
                                {"github", "pull_request.opened", "github", "octocat/hello-world", "team_code"},
                                {"stripe", "customer.created", "stripe", "cus_NffrFeUfNV2Hib", "null"},
                                {"standard", "contact.created", "standard-webhooks", "null", "null"},
                                {"orders", "orders/create", "shop", "null", "null"},
                                {"raw", "ping", "raw", "null", "null"}};
  for (const auto& one : cases) {
    const Ran sent = host.run({"send", one.source, one.type});
    EXPECT_EQ(sent.status, 0) << one.source << sent;
  }
  const auto events = host.events();
  ASSERT_EQ(events.size(), cases.size());
  for (std::size_t n = 0; n < cases.size(); ++n) {
    EXPECT_EQ(text(events[n], "source"), cases[n].source);
    EXPECT_EQ(text(events[n], "provider"), cases[n].provider);
    EXPECT_EQ(text(events[n], "type"), cases[n].type);
    EXPECT_EQ(text(events[n], "key"), cases[n].key);
    EXPECT_EQ(text(events[n], "team"), cases[n].team);
    EXPECT_EQ(text(events[n], "verified"), cases[n].source == "raw" ? "false" : "true");
  }
}

TEST_F(Send, TypesWithoutAnExampleAreWhatTheyWereCalled) {
  ASSERT_TRUE(host.start());
  std::vector<std::string> types;
  for (const std::string source : {"kakiyo", "github", "stripe", "standard", "orders", "raw"}) {
    const Ran sent = host.run({"send", source, "thing.happened"});
    EXPECT_EQ(sent.status, 0) << source << sent;
  }
  for (const auto& event : host.events()) types.push_back(text(event, "type"));
  EXPECT_EQ(types, std::vector<std::string>(6, "thing.happened"));
}

TEST_F(Send, AFreshIdAndTimeForEachSoThatNoneIsADuplicate) {
  ASSERT_TRUE(host.start());
  for (const std::string source : {"kakiyo", "github", "stripe", "standard", "orders", "raw"}) {
    const Ran sent = host.run({"send", source, "thing.happened", "--count", "3"});
    EXPECT_EQ(sent.status, 0) << source << sent;
    std::set<std::string> ids;
    for (const auto& answer : sent.objects()) {
      EXPECT_EQ(text(answer, "status"), "accepted") << source;
      ids.insert(text(answer, "id"));
    }
    EXPECT_EQ(ids.size(), 3U) << source;
  }
  const Ran many = host.run({"send", "stripe", "customer.created", "--count", "30", "--rate", "1000/s"});
  EXPECT_EQ(many.out, "30 events accepted\n") << many;
  EXPECT_EQ(host.events().size(), 48U);
}

TEST_F(Send, WithDataOfOnesOwnAndPlacesChanged) {
  ASSERT_TRUE(host.start());
  write_text(host.path("payload.json"), R"({"customer":{"id":7},"note":"Zoë"})");
  ASSERT_EQ(host.run({"send", "orders", "orders/paid", "--data", "@" + host.path("payload.json"), "--set", "note=x=y", "--set", "customer.name=Ann"}).status, 0);
  ASSERT_EQ(host.run({"send", "kakiyo", "linkedin.message.sent", "--data", R"({"teamId":"team_7","data":{}})", "--set", "/data/chatId=chat_7"}).status, 0);
  const Ran refused = host.run({"send", "kakiyo", "linkedin.message.sent", "--set", "no.such.place=1"});
  EXPECT_EQ(refused.status, 2) << refused;
  const auto events = host.events();
  ASSERT_EQ(events.size(), 2U);
  EXPECT_EQ(text(events[0], "type"), "orders/paid");
  EXPECT_EQ(text(events[0], "key"), "7");
  const json::object body = json::parse(text(events[0], "body")).as_object();
  EXPECT_EQ(text(body, "note"), "x=y");
  EXPECT_EQ(text(body.at("customer").as_object(), "name"), "Ann");
  EXPECT_EQ(text(events[1], "type"), "linkedin.message.sent");
  EXPECT_EQ(text(events[1], "team"), "team_7");
  EXPECT_EQ(text(events[1], "key"), "chat_7");
}

TEST_F(Send, ToAnUrlWithoutAConfiguration) {
  ASSERT_TRUE(host.start());
  const std::string base = "http://127.0.0.1:" + std::to_string(host.public_port()) + "/in/";
  write_text(host.path("secret"), "github-test-secret\n");
  const Ran sent = plain({"send", "--url", base + "github", "--scheme", "github", "--secret-file", host.path("secret"), "push"});
  EXPECT_EQ(sent.status, 0) << sent;
  write_text(host.path("secret"), "another");
  const Ran refused = plain({"send", "--url", base + "github", "--scheme", "github", "--secret-file", host.path("secret"), "push"});
  EXPECT_EQ(refused.status, 1) << refused;
  EXPECT_THAT(refused.out, HasSubstr("invalid_signature"));
  EXPECT_EQ(host.events().size(), 1U);
}

TEST_F(Send, SignsWithASecretThatHasNotExpired) {
  host.sources["github"] = R"({scheme: github, secrets: [{value: old, until: 2020-01-01}, {value: new}]})";
  ASSERT_TRUE(host.start());
  const Ran sent = host.run({"send", "github", "push"});
  EXPECT_EQ(sent.status, 0) << sent;
}

class Verify : public CommandTest {
 protected:
  // The headers that the scheme's provider sends with kBody, as lines for --header.
  static std::vector<std::string> headers(const signing::SchemeOptions& scheme, const std::string& secret, WallTime when = system_clock().wall()) {
    std::vector<std::string> out;
    const auto made = signing::sign(scheme, secret, "msg_1", when, kBody);
    for (const auto& [name, value] : made.value()) out.push_back(name + ": " + value);
    return out;
  }
  // "valid" or the error; `why` holds the reason then.
  std::string verdict(const std::string& source, const std::vector<std::string>& headers) {
    write_text(host.path("body"), kBody);
    std::vector<std::string> line{"verify", "--source", source, "--body", host.path("body"), "--json"};
    for (const auto& header : headers) line.insert(line.end(), {"--header", header});
    const Ran ran = host.run(line);
    if (ran.objects().size() != 1) return ran.err;
    const json::object out = ran.objects()[0];
    EXPECT_EQ(members(out), (std::vector<std::string>{"valid", "error", "why"}));
    why = text(out, "why");
    EXPECT_EQ(ran.status, out.at("valid").as_bool() ? 0 : 1);
    line.erase(std::find(line.begin(), line.end(), "--json"));
    const Ran people = host.run(line);
    EXPECT_EQ(people.status, ran.status);
    EXPECT_THAT(people.out, HasSubstr(why));
    return out.at("valid").as_bool() ? "valid" : text(out, "error");
  }

  static constexpr const char* kBody = R"({"event":"x","n":1})";
  struct Case {
    std::string source;
    signing::SchemeOptions scheme;
    std::string secret, wrong = "wrong";
  };
  const std::vector<Case> cases{
      {"kakiyo", {.scheme = signing::Scheme::kakiyo}, kSecret},
      {"github", {.scheme = signing::Scheme::github}, "github-test-secret"},
      {"stripe", {.scheme = signing::Scheme::stripe}, "stripe-test-secret"},
      {"standard", {.scheme = signing::Scheme::standard_webhooks}, kStandardSecret, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
      {"orders", {.scheme = signing::Scheme::hmac, .header = "X-Shop-Hmac", .encoding = signing::Encoding::base64}, "orders-test-secret"}};
  std::string why;
};

TEST_F(Verify, EverySchemeAndWhatIsWrong) {
  host.write_config();
  for (const auto& one : cases) {
    SCOPED_TRACE(one.source);
    EXPECT_EQ(verdict(one.source, headers(one.scheme, one.secret)), "valid");
    EXPECT_THAT(why, HasSubstr("secret 1"));
    EXPECT_EQ(verdict(one.source, headers(one.scheme, one.wrong)), "invalid_signature");
    EXPECT_EQ(verdict(one.source, {}), "missing_signature");
    EXPECT_THAT(why, HasSubstr("header is missing"));
    auto twice = headers(one.scheme, one.secret);
    twice.push_back(twice.back());
    EXPECT_EQ(verdict(one.source, twice), "malformed_signature");
  }
}

TEST_F(Verify, StaleTimestamps) {
  host.write_config();
  for (const auto& one : cases) {
    if (one.source != "stripe" && one.source != "standard") continue;
    SCOPED_TRACE(one.source);
    EXPECT_EQ(verdict(one.source, headers(one.scheme, one.secret, system_clock().wall() - std::chrono::hours{1})), "stale_timestamp");
    EXPECT_THAT(why, HasSubstr("timestamp"));
    EXPECT_EQ(verdict(one.source, headers(one.scheme, one.secret, system_clock().wall() + std::chrono::hours{1})), "stale_timestamp");
    EXPECT_EQ(verdict(one.source, headers(one.scheme, one.wrong, system_clock().wall() - std::chrono::hours{1})), "invalid_signature");
  }
}

TEST_F(Verify, AnExpiredSecretIsNamedByItsNumberAndDay) {
  host.sources["github"] = R"({scheme: github, secrets: ["github-test-secret", {value: old, until: 2020-02-01}, {value: rotating, until: 2100-01-01}]})";
  host.write_config();
  const signing::SchemeOptions github{.scheme = signing::Scheme::github};
  EXPECT_EQ(verdict("github", headers(github, "old")), "invalid_signature");
  EXPECT_EQ(why, "the signature matches secret 2, which expired 2020-02-01");
  EXPECT_EQ(verdict("github", headers(github, "rotating")), "valid");
  EXPECT_THAT(why, HasSubstr("secret 3"));
}

TEST_F(Verify, AnUnsignedSourceHasNothingToVerify) {
  host.write_config();
  write_text(host.path("body"), "{}");
  EXPECT_EQ(host.run({"verify", "--source", "raw", "--body", host.path("body")}).status, 2);
}

}  // namespace
}  // namespace hookhost::test
