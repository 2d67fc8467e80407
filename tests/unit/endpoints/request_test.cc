#include "endpoints/request.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/bytes.h"
#include "signing/verify.h"

namespace hookhost::endpoints {
namespace {

using namespace std::chrono_literals;

const WallTime kNow{1'700'000'000s};

event_log::EventPtr event() {
  auto out = std::make_shared<event_log::Event>();
  out->id = EventId("evt_00000000000000000000000001");
  out->source = "kakiyo";
  out->type = "linkedin.message.received";
  out->content_type = "application/json";
  out->body = R"({"event":"linkedin.message.received","data":{"message":"grüß dich"}})";
  out->headers = {{"Host", "hooks.example.com"}, {"X-GitHub-Event", "push"}, {"X-Hub-Signature-256", "sha256=00"}, {"Connection", "keep-alive"},
                  {"Content-Length", "7"},       {"Content-Type", "application/json; charset=utf-8"}, {"User-Agent", "GitHub-Hookshot/1"},
                  {"Hookhost-Replay", "true"},   {"X-Empty", ""}};
  return out;
}

Endpoint endpoint(Signing signing, std::vector<signing::Secret> secrets = {{"new-secret", {}}}) {
  Endpoint out{.id = SubscriberId("crm"), .url = "https://example.com/"};
  out.signing = signing;
  out.secrets = std::move(secrets);
  return out;
}

// Its header lines as names and values.
std::vector<std::pair<std::string, std::string>> headers_of(const http_client::Transfer& request) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream lines(request.headers.lines());
  for (std::string line; std::getline(lines, line, '\0');) {
    const auto end = line.find_first_of(":;");
    out.emplace_back(line.substr(0, end), trim(std::string_view(line).substr(end + 1)));
  }
  return out;
}
std::vector<std::string> values(const http_client::Transfer& request, std::string_view name) {
  std::vector<std::string> out;
  for (const auto& [one, value] : headers_of(request)) {
    if (equals_ignoring_case(one, name)) out.push_back(value);
  }
  return out;
}
bool verifies(const http_client::Transfer& request, signing::Scheme scheme, const std::string& secret) {
  const auto sent = headers_of(request);
  std::vector<signing::HeaderView> headers;
  for (const auto& [name, value] : sent) headers.push_back({name, value});
  const std::vector<signing::Secret> secrets{{secret, {}}};
  return signing::verify({.scheme = scheme}, secrets, headers, request.body, kNow).ok;
}

TEST(Request, CarriesBothSignaturesOverTheEventsOwnBytes) {
  const auto request = make_request(endpoint(Signing::both), {event(), Attempt{2}}, "hookhost/1", kNow);
  EXPECT_EQ(request.body, event()->body);
  EXPECT_TRUE(verifies(request, signing::Scheme::kakiyo, "new-secret"));
  EXPECT_TRUE(verifies(request, signing::Scheme::standard_webhooks, "new-secret"));
  EXPECT_EQ(values(request, "X-Kakiyo-Signature").at(0).size(), 64U);
  EXPECT_EQ(values(request, "webhook-id"), std::vector<std::string>{event()->id.value});
  EXPECT_EQ(values(request, "webhook-timestamp"), std::vector<std::string>{"1700000000"});
  EXPECT_EQ(values(request, "Content-Type"), std::vector<std::string>{"application/json"});
  EXPECT_EQ(values(request, "User-Agent"), std::vector<std::string>{"hookhost/1"});
  EXPECT_EQ(values(request, "Hookhost-Attempt"), std::vector<std::string>{"2"});
  EXPECT_EQ(values(request, "Hookhost-Type"), std::vector<std::string>{"linkedin.message.received"});
  for (const char* name : {"Hookhost-Replay", "Hookhost-Test", "X-GitHub-Event"}) EXPECT_TRUE(values(request, name).empty()) << name;
}

TEST(Request, MarksReplaysAndTests) {
  const auto request = make_request(endpoint(Signing::both), {event(), Attempt{1}, true, true}, "hookhost/1", kNow);
  EXPECT_EQ(values(request, "Hookhost-Replay"), std::vector<std::string>{"true"});
  EXPECT_EQ(values(request, "Hookhost-Test"), std::vector<std::string>{"true"});
}

TEST(Request, SendsOnlyTheSetThatWasChosen) {
  const auto kakiyo = make_request(endpoint(Signing::kakiyo), {event()}, "h", kNow);
  EXPECT_EQ(values(kakiyo, "X-Kakiyo-Signature").size(), 1U);
  EXPECT_TRUE(values(kakiyo, "webhook-signature").empty());
  const auto standard = make_request(endpoint(Signing::standard_webhooks), {event()}, "h", kNow);
  EXPECT_TRUE(values(standard, "X-Kakiyo-Signature").empty());
  EXPECT_EQ(values(standard, "webhook-signature").size(), 1U);
  const auto none = make_request(endpoint(Signing::none), {event()}, "h", kNow);
  for (const char* name : {"X-Kakiyo-Signature", "webhook-id", "webhook-signature"}) EXPECT_TRUE(values(none, name).empty()) << name;
}

TEST(Request, WithoutASecretOnlyWhatNeedsNoneIsSent) {
  const auto request = make_request(endpoint(Signing::both, {}), {event()}, "h", kNow);
  EXPECT_EQ(values(request, "webhook-id").size(), 1U);
  for (const char* name : {"X-Kakiyo-Signature", "webhook-signature"}) EXPECT_TRUE(values(request, name).empty()) << name;
}

TEST(Request, ARotationIsSignedWithBothSecretsUntilItsGraceTimeEnds) {
  const auto rotating = endpoint(Signing::both, {{"new-secret", {}}, {"old-secret", kNow + 1s}});
  const auto during = make_request(rotating, {event()}, "h", kNow);
  EXPECT_TRUE(verifies(during, signing::Scheme::standard_webhooks, "new-secret"));
  EXPECT_TRUE(verifies(during, signing::Scheme::standard_webhooks, "old-secret"));
  EXPECT_TRUE(verifies(during, signing::Scheme::kakiyo, "new-secret"));
  EXPECT_EQ(values(during, "X-Kakiyo-Signature-Previous").size(), 1U);
  const auto after = make_request(rotating, {event()}, "h", kNow + 1s);
  EXPECT_FALSE(verifies(after, signing::Scheme::standard_webhooks, "old-secret"));
  EXPECT_TRUE(verifies(after, signing::Scheme::standard_webhooks, "new-secret"));
  EXPECT_TRUE(values(after, "X-Kakiyo-Signature-Previous").empty());
}

TEST(Request, PassThroughKeepsTheHeadersOfTheEventButNotThoseOfItsConnection) {
  auto through = endpoint(Signing::pass_through);
  through.headers = {{"Authorization", "Bearer t"}};
  const auto request = make_request(through, {event()}, "hookhost/1", kNow);
  EXPECT_EQ(values(request, "X-Hub-Signature-256"), std::vector<std::string>{"sha256=00"});
  EXPECT_EQ(values(request, "X-GitHub-Event"), std::vector<std::string>{"push"});
  EXPECT_EQ(values(request, "User-Agent"), std::vector<std::string>{"GitHub-Hookshot/1"});
  EXPECT_EQ(values(request, "Content-Type"), std::vector<std::string>{"application/json; charset=utf-8"});
  EXPECT_EQ(values(request, "X-Empty"), std::vector<std::string>{""});
  EXPECT_EQ(values(request, "Authorization"), std::vector<std::string>{"Bearer t"});
  for (const char* name : {"Host", "Connection", "Content-Length", "webhook-signature", "X-Kakiyo-Signature", "Hookhost-Replay"}) {
    EXPECT_TRUE(values(request, name).empty()) << name;
  }
}

TEST(Request, ATypeThatNoHeaderMayCarryIsSentWithItsControlCharactersEncoded) {
  using namespace std::string_literals;
  const std::vector<std::pair<std::string, std::string>> types{{"a\r\nX: y", "a%0d%0aX: y"}, {"t\x01x", "t%01x"},    {"\0\x1f\x7f"s, "%00%1f%7f"},
                                                               {" a\tb ", "%20a%09b%20"},    {"grüß 50%", "grüß 50%"}, {" ", "%20"}};
  for (const Signing signing : {Signing::both, Signing::pass_through}) {
    for (const auto& [type, sent] : types) {
      auto odd = std::make_shared<event_log::Event>(*event());
      odd->type = odd->source = type;
      const auto request = make_request(endpoint(signing), {odd}, "h", kNow);
      for (const char* name : {"Hookhost-Type", "Hookhost-Source"}) EXPECT_EQ(values(request, name), std::vector<std::string>{sent});
    }
  }
}

TEST(Request, TheAddressIsAskedOfTheEndpointsGuard) {
  auto open = endpoint(Signing::both);
  open.allowed_networks = {parse_network("127.0.0.1/32").value()};
  const auto may = route_of(open, 0)->may_connect;
  EXPECT_TRUE(may(IpAddress::v4(127, 0, 0, 1)));
  EXPECT_FALSE(may(IpAddress::v4(127, 0, 0, 2)));
  EXPECT_TRUE(may(IpAddress::v4(8, 8, 8, 8)));
}

}  // namespace
}  // namespace hookhost::endpoints
