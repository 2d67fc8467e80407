#include "endpoints/endpoint.h"

#include <gtest/gtest.h>

namespace hookhost::endpoints {
namespace {

Endpoint at(std::string url) { return {.id = SubscriberId("crm"), .url = std::move(url)}; }

std::string refusal_of(const Endpoint& endpoint) {
  const auto checked = check(endpoint);
  return checked ? "" : checked.error().message;
}

TEST(EndpointCheck, WantsHttpsUnlessHttpIsAllowed) {
  EXPECT_EQ(refusal_of(at("https://example.com/hook?x=1")), "");
  EXPECT_EQ(refusal_of(at("https://8.8.8.8:8443/")), "");
  EXPECT_NE(refusal_of(at("http://example.com/")), "");
  auto open = at("http://example.com/");
  open.allow_http = true;
  EXPECT_EQ(refusal_of(open), "");
  for (const char* url : {"ftp://example.com/", "file:///etc/passwd", "example.com", "https://", "", "//example.com/", "https://exa mple.com/", "gopher://x/"}) {
    EXPECT_NE(refusal_of(at(url)), "") << url;
  }
}

// libcurl would take them: it makes of each something that can be connected to.
TEST(EndpointCheck, RefusesWhatIsNoUrlAndSaysWhy) {
  const std::string long_label(64, 'a');
  for (const std::string& url :
       {std::string("https:///x"), std::string("https:/example.com/"), std::string("https:example.com/"), std::string("https:////example.com/"),
        std::string("https://１２７.０.０.１/"), std::string("https://127。0。0。1/"), std::string("https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/"), std::string("https://müller.example/"),
        std::string("https://example.com/ü"), std::string("https://127.0.0.1./"), std::string("https://256.1.1.1/"), std::string("https://1.2.3.4.5/"),
        std::string("https://999999999999/"), std::string("https://0x/"), std::string("https://127.0.0.0x1./"), std::string("https://./"), std::string("https://a..example/"),
        std::string("https://-a.example/"), std::string("https://a-.example/"), std::string("https://a|b/"), std::string("https://*.example/"),
        std::string("https://a%20b/"), std::string("https://example.com:0/"), std::string("https://example.com:65536/"), std::string("https://[fe80::1%251]/"),
        std::string("https://[2606:4700::1111%25lo]/"), "https://" + long_label + ".example/"}) {
    EXPECT_EQ(refusal_of(at(url)).substr(0, 16), "this is no URL: ") << url;
  }
  for (const char* url : {"HTTPS://Example.COM", "https://example.com./", "https://a_b.example:8443?q=%C3%BC#f", "https://xn--mller-kva.example/", "https://[2606:4700::1111]/",
                          "https://1.example/", "https://0xbox/", "https://%65xample.com/", "https://localhost:1/"}) {
    EXPECT_EQ(refusal_of(at(url)), "") << url;
  }
}

TEST(EndpointCheck, RefusesUserInfoAndSaysNothingOfIt) {
  const std::string refusal = refusal_of(at("https://user:hunter2@example.com/"));
  EXPECT_NE(refusal, "");
  EXPECT_EQ(refusal.find("hunter2"), std::string::npos);
}

TEST(EndpointCheck, JudgesLiteralAddressesInEveryForm) {
  for (const char* host : {"127.0.0.1", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "0x7f000001", "017700000001", "10.0.0.1", "169.254.169.254",
                           "0251.0376.0251.0376", "2852039166", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]",
                           "[fd00:ec2::254]", "0.0.0.0", "0", "[::]"}) {
    EXPECT_NE(refusal_of(at("https://" + std::string(host) + "/")), "") << host;
  }
  auto open = at("https://10.1.2.3/");
  open.allowed_networks = {parse_network("10.0.0.0/8").value()};
  EXPECT_EQ(refusal_of(open), "");
}

TEST(EndpointCheck, OwnAndConnectionHeadersCannotBeSet) {
  for (const char* name : {"Host", "content-length", "X-Kakiyo-Signature", "webhook-id", "Hookhost-Attempt", "hookhost-anything", "Transfer-Encoding", "User-Agent", "a b", "", "x:y"}) {
    auto endpoint = at("https://example.com/");
    endpoint.headers = {{name, "v"}};
    EXPECT_NE(refusal_of(endpoint), "") << name;
  }
  auto endpoint = at("https://example.com/");
  endpoint.headers = {{"Authorization", "Bearer t"}, {"X-Tenant", "7"}};
  EXPECT_EQ(refusal_of(endpoint), "");
  endpoint.headers = {{"X-A", "b\r\nX-C: d"}};
  EXPECT_NE(refusal_of(endpoint), "");
}

TEST(EndpointCheck, SecretsMustBeKeysOfWhatIsSigned) {
  auto endpoint = at("https://example.com/");
  endpoint.secrets = {{"whsec_!!!", {}}};
  EXPECT_NE(refusal_of(endpoint), "");
  endpoint.signing = Signing::kakiyo;  // there the whole text is the key
  EXPECT_EQ(refusal_of(endpoint), "");
}

TEST(Profiles, AreWhatTheirNamesPromise) {
  using namespace std::chrono_literals;
  EXPECT_EQ(values_of(Profile::kakiyo).retry, (std::vector<Duration>{1s, 2s, 4s}));
  EXPECT_EQ(values_of(Profile::kakiyo).timeout, 10s);
  EXPECT_EQ(values_of(Profile::kakiyo).disable_after, 4U);
  EXPECT_FALSE(values_of(Profile::kakiyo).recovers);
  EXPECT_EQ(values_of(Profile::standard).retry.size(), 9U);
  EXPECT_EQ(values_of(Profile::standard).disable_after, 20U);
  EXPECT_EQ(values_of(Profile::standard).disable_after_at_least, 1h);
  EXPECT_TRUE(values_of(Profile::standard).recovers);
  for (const auto signing : {Signing::both, Signing::kakiyo, Signing::standard_webhooks, Signing::pass_through, Signing::none}) {
    EXPECT_EQ(parse_signing(to_string(signing)).value(), signing);
  }
  EXPECT_FALSE(parse_signing("sha1"));
  EXPECT_FALSE(parse_profile("fast"));
}

}  // namespace
}  // namespace hookhost::endpoints
