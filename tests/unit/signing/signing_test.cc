#include <gtest/gtest.h>

#include "base/bytes.h"
#include "signing/sign.h"
#include "signing/verify.h"

namespace hookhost::signing {
namespace {

using namespace std::chrono_literals;

constexpr WallTime kNow{1'700'000'000s};

// Computed with three other implementations over the compact form of Kakiyo's documented example.
constexpr std::string_view kKakiyoBody =
    R"({"event":"linkedin.message.received","teamId":"team_12345abcde","timestamp":"2023-06-15T10:30:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","message":"Thanks for reaching out! I'd be interested in learning more...","timestamp":"2023-06-15T10:30:00Z"}})";
constexpr std::string_view kKakiyoDigest = "6bc37d8d56af3ecf0f276de3808ea34bb329f4b8c4537069500a82517ff62695";

struct Request {
  SchemeOptions options;
  std::vector<Secret> secrets;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  WallTime now = kNow;

  [[nodiscard]] Verdict verdict() const {
    std::vector<HeaderView> views;
    for (const auto& [name, value] : headers) views.push_back({name, value});
    return verify(options, secrets, views, body, now);
  }
};

Request kakiyo(std::string signature) {
  return {{.scheme = Scheme::kakiyo}, {{"your_webhook_secret", {}}}, {{"x-kakiyo-signature", std::move(signature)}}, std::string(kKakiyoBody)};
}

TEST(Hmac, KnowsTheVectorsOfRfc4231) {
  EXPECT_EQ(to_hex(hmac(Algorithm::sha256, "Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac(Algorithm::sha256, "Jefe", "what do ya ", "want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(to_hex(hmac(Algorithm::sha1, "Jefe", "what do ya want for nothing?")), "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(to_hex(sha256("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac(Algorithm::sha256, "", "")), "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Kakiyo, AcceptsTheKnownAnswerInEveryForm) {
  ASSERT_EQ(kKakiyoBody.size(), 324U);
  EXPECT_TRUE(kakiyo(std::string(kKakiyoDigest)).verdict().ok);
  EXPECT_TRUE(kakiyo("sha256=" + std::string(kKakiyoDigest)).verdict().ok);
  std::string upper(kKakiyoDigest);
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  EXPECT_TRUE(kakiyo(upper).verdict().ok);
}

TEST(Kakiyo, RefusesEveryFlippedBitOfTheBody) {
  Request request = kakiyo(std::string(kKakiyoDigest));
  for (std::size_t bit = 0; bit < request.body.size() * 8; bit += 7) {
    Request flipped = request;
    flipped.body[bit / 8] = static_cast<char>(flipped.body[bit / 8] ^ 1 << bit % 8);
    const Verdict verdict = flipped.verdict();
    ASSERT_FALSE(verdict.ok);
    ASSERT_EQ(verdict.refusal, ErrorCode::invalid_signature);
  }
}

TEST(Kakiyo, TellsMissingMalformedAndInvalidApart) {
  Request request = kakiyo("");
  EXPECT_EQ(request.verdict().refusal, ErrorCode::missing_signature);
  request.headers.clear();
  EXPECT_EQ(request.verdict().refusal, ErrorCode::missing_signature);
  for (const char* text : {"abc", "zz", "sha256=", "sha1=6bc37d8d56af3ecf0f276de3808ea34bb329f4b8c4537069500a82517ff62695", "6bc37d8d"}) {
    EXPECT_EQ(kakiyo(text).verdict().refusal, ErrorCode::malformed_signature) << text;
  }
  Request twice = kakiyo(std::string(kKakiyoDigest));
  twice.headers.push_back(twice.headers.front());
  EXPECT_EQ(twice.verdict().refusal, ErrorCode::malformed_signature);
  EXPECT_EQ(kakiyo(std::string(64, '0')).verdict().refusal, ErrorCode::invalid_signature);
}

TEST(Secrets, SeveralCountUntilTheirEnd) {
  Request request = kakiyo(std::string(kKakiyoDigest));
  request.secrets = {{"new", {}}, {"your_webhook_secret", kNow + 1s}};
  Verdict verdict = request.verdict();
  EXPECT_TRUE(verdict.ok);
  EXPECT_EQ(verdict.secret, 1U);
  request.now = kNow + 1s;
  verdict = request.verdict();
  EXPECT_FALSE(verdict.ok);
  EXPECT_EQ(verdict.why, "the signature matches secret 2, which expired 2023-11-14");
}

TEST(Github, AcceptsTheExampleOfGithubsDocumentation) {
  Request request{{.scheme = Scheme::github},
                  {{"It's a Secret to Everybody", {}}},
                  {{"X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"}},
                  "Hello, World!"};
  EXPECT_TRUE(request.verdict().ok);
  request.headers[0].second.erase(0, 7);
  EXPECT_EQ(request.verdict().refusal, ErrorCode::malformed_signature);
}

// The example of the Standard Webhooks reference libraries.
Request standard() {
  return {{.scheme = Scheme::standard_webhooks},
          {{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", {}}},
          {{"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
           {"webhook-timestamp", "1614265330"},
           {"webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}},
          R"({"test": 2432232314})",
          WallTime{1614265330s}};
}

TEST(StandardWebhooks, AcceptsTheKnownAnswerAmongOthers) {
  EXPECT_TRUE(standard().verdict().ok);
  Request several = standard();
  several.headers[2].second = "v1a,xxxx v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc= " + several.headers[2].second;
  EXPECT_TRUE(several.verdict().ok);
}

TEST(StandardWebhooks, WantsAFreshTimestampBothWays) {
  Request request = standard();
  request.now += 5min;
  EXPECT_TRUE(request.verdict().ok);
  request.now += 1s;
  EXPECT_EQ(request.verdict().refusal, ErrorCode::stale_timestamp);
  request.now -= 10min + 2s;
  EXPECT_EQ(request.verdict().refusal, ErrorCode::stale_timestamp);
}

TEST(StandardWebhooks, RefusesAnotherIdAndBadForms) {
  Request request = standard();
  request.headers[0].second = "msg_other";
  EXPECT_EQ(request.verdict().refusal, ErrorCode::invalid_signature);
  request = standard();
  request.headers[1].second = "soon";
  EXPECT_EQ(request.verdict().refusal, ErrorCode::malformed_signature);
  request = standard();
  request.headers[2].second = "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
  EXPECT_EQ(request.verdict().refusal, ErrorCode::malformed_signature);
  EXPECT_FALSE(key_of(Scheme::standard_webhooks, "whsec_short"));
}

TEST(EveryScheme, VerifiesWhatItSigned) {
  for (const Scheme scheme : {Scheme::kakiyo, Scheme::github, Scheme::standard_webhooks, Scheme::stripe, Scheme::hmac}) {
    for (const Encoding encoding : {Encoding::hex, Encoding::base64}) {
      SchemeOptions options{.scheme = scheme, .header = "X-Shop-Hmac", .encoding = encoding, .prefix = "v="};
      const auto headers = sign(options, "a secret", "msg_1", kNow, kKakiyoBody);
      ASSERT_TRUE(headers);
      Request request{options, {{"a secret", {}}}, headers.value(), std::string(kKakiyoBody)};
      EXPECT_TRUE(request.verdict().ok) << to_string(scheme);
      request.body += ' ';
      EXPECT_EQ(request.verdict().refusal, ErrorCode::invalid_signature) << to_string(scheme);
    }
  }
}

TEST(Stripe, AcceptsSeveralSignaturesAndRefusesAStaleOne) {
  const auto headers = sign({.scheme = Scheme::stripe}, "whsec_test", "", kNow, "{}");
  Request request{{.scheme = Scheme::stripe}, {{"whsec_test", {}}}, headers.value(), "{}"};
  request.headers[0].second += ",v0=abc,v1=" + std::string(64, '0');
  EXPECT_TRUE(request.verdict().ok);
  request.now += 301s;
  EXPECT_EQ(request.verdict().refusal, ErrorCode::stale_timestamp);
}

TEST(Explain, SaysWhyWithoutSecrets) {
  Request request = kakiyo(std::string(64, '0'));
  const std::string text = explain(request.options, request.secrets, std::vector<HeaderView>{{"X-Kakiyo-Signature", request.headers[0].second}}, request.body, kNow);
  EXPECT_NE(text.find("invalid_signature"), std::string::npos);
  EXPECT_EQ(text.find("your_webhook_secret"), std::string::npos);
}

}  // namespace
}  // namespace hookhost::signing
