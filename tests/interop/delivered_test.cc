// What a host's endpoints are sent, the libraries of others accept: those of Standard Webhooks, also while a secret rotates, and the check that
// Kakiyo publishes.
#include "interop/node_libraries.h"

namespace hookhost::test {
namespace {

constexpr const char* kKey = "team_a_0123456789012345678901234567890123";

class Delivered : public InteropTest {
 protected:
  void SetUp() override {
    InteropTest::SetUp();
    if (IsSkipped()) return;
    host.more = std::string("api: {rate_limits: off}\nendpoint_defaults: {allow_http: true, allowed_networks: [\"127.0.0.1/32\"]}\nteams: {team_a: {api_keys: [\"") + kKey + "\"]}}\n";
    host.sources = {{"kakiyo", "{scheme: kakiyo, secrets: [\"incoming\"], team: from_payload}"}};
    ASSERT_TRUE(host.start());
  }

  json::value v1(const std::string& method, const std::string& path, const json::value& body = json::object{}) const {
    RawClient client = host.connect();
    const std::string text = json::serialize(body);
    client.send(method + " /v1" + path + " HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(text.size()) +
                "\r\nAuthorization: Bearer " + kKey + "\r\n\r\n" + text);
    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status / 100, 2) << path << ": " << answer.body;
    return answer.status / 100 == 2 ? json::parse(answer.body) : json::object{{"id", ""}};
  }
  void make(const NodeReceiver& receiver, const std::string& secret) {
    id_ = v1("POST", "/webhooks", {{"name", "theirs"}, {"url", receiver.url()}, {"events", {"*"}}, {"secret", secret}, {"retry", json::array{}}}).at("id").as_string();
  }
  void change(const json::object& wishes) { v1("PUT", "/webhooks/" + id_, wishes); }

  // What the receiver says of an event that is published now.
  json::object verdict() {
    const json::object data{{"chatId", "chat_1"}, {"message", "Zoë ☃ \"said\" <b>1 + 1</b>\n\u2028 " + std::to_string(++published_)}};
    const auto published = v1("POST", "/events", {{"event", "linkedin.message.received"}, {"data", data}});
    json::object attempt;
    EXPECT_TRUE(poll_until([&] {
      const auto attempts = v1("GET", "/webhooks/" + id_ + "/deliveries?limit=1");
      if (attempts.as_array().empty() || attempts.at(0).at("eventId") != published.at("id")) return false;
      attempt = attempts.at(0).as_object();
      return true;
    })) << host.diagnostics();
    if (!attempt.contains("answer")) ADD_FAILURE() << json::serialize(attempt);
    return attempt.contains("answer") ? json::parse(attempt.at("answer").as_string()).as_object() : json::object{};
  }
  // It is valid, and would not be with another byte.
  testing::AssertionResult is_accepted() {
    const json::object said = verdict();
    if (said.contains("valid") && said.at("valid").as_bool() && !said.at("other_byte").as_bool()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << json::serialize(said);
  }
  testing::AssertionResult is_refused() {
    const json::object said = verdict();
    if (said.contains("valid") && !said.at("valid").as_bool()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << json::serialize(said);
  }

  // The secret rotates while the receiver still has the old one; then the receiver follows; then the grace time is ended; then it rotates without.
  void rotate(const std::string& scheme, const std::string& old_scheme, const std::string& old_secret, const std::string& new_secret) {
    const NodeReceiver before({"receive.mjs", scheme}, old_secret), meanwhile({"receive.mjs", old_scheme}, old_secret), after({"receive.mjs", scheme}, new_secret);
    make(before, old_secret);
    EXPECT_TRUE(is_accepted());
    change({{"secret", new_secret}, {"secretGrace", "1h"}, {"url", meanwhile.url()}});
    EXPECT_TRUE(is_accepted()) << "the old secret, while the grace time lasts";
    change({{"url", after.url()}});
    EXPECT_TRUE(is_accepted()) << "the new secret";
    change({{"secretGrace", "0s"}, {"url", meanwhile.url()}});
    EXPECT_TRUE(is_refused()) << "the old secret, when the grace time was ended";
    change({{"url", after.url()}});
    EXPECT_TRUE(is_accepted()) << "the new secret, alone";
    change({{"secret", "whsec_bm9ib2R5IHNpZ25zIHdpdGggdGhpcyBvbmU="}, {"secretGrace", "0s"}});
    EXPECT_TRUE(is_refused()) << "a secret that nobody signs with any more";
  }

  std::string id_;
  int published_ = 0;
};

TEST_F(Delivered, StandardWebhooksLibraryAcceptsItAlsoWhileTheSecretRotates) {
  rotate("standard-webhooks", "standard-webhooks", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST_F(Delivered, StandardWebhooksLibraryAcceptsSecretsThatAreNoBase64) {
  rotate("standard-webhooks", "standard-webhooks", "an old secret of ours", "a new secret of ours");
}

TEST_F(Delivered, SvixsLibraryAcceptsItAlsoWhileTheSecretRotates) {
  rotate("svix", "svix", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

TEST_F(Delivered, KakiyosPublishedCheckAcceptsItAndFindsTheOldSecretsSignatureBesideIt) {
  rotate("kakiyo", "kakiyo-previous", "your_webhook_secret", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
}

}  // namespace
}  // namespace hookhost::test
