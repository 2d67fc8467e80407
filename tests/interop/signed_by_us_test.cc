// What `hookhost send` signs, the providers' own libraries accept.
#include "interop/node_libraries.h"

namespace hookhost::test {
namespace {

class SignedByUs : public InteropTest {
 protected:
  // A receiver that verifies with the provider's library and that secret.
  void start_receiver(const std::string& secret) { receiver_ = std::make_unique<NodeReceiver>(std::vector<std::string>{"receive.mjs", scheme_}, secret); }
  Ran send(const std::string& secret, std::vector<std::string> arguments) {
    std::vector<std::string> line{"send", "--url", receiver_->url(), "--scheme", scheme_, "--secret-env", "SENDER_SECRET"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    return host.run(line, {"SENDER_SECRET=" + secret});
  }
  // A right secret is accepted for each of two events, a wrong one is not.
  void expect_verified(const std::string& secret, const std::string& wrong, const std::string& type) {
    ASSERT_NO_THROW(start_receiver(secret));
    const Ran accepted = send(secret, {"--count", "2", type});
    EXPECT_EQ(accepted.status, 0) << accepted;
    ASSERT_EQ(accepted.objects().size(), 2U) << accepted;
    for (const auto& verdict : accepted.objects()) {
      EXPECT_TRUE(verdict.at("valid").as_bool()) << json::serialize(verdict);
      EXPECT_FALSE(verdict.at("other_byte").as_bool()) << "another byte is accepted too";
    }
    const Ran refused = send(wrong, {type});
    EXPECT_EQ(refused.status, 1) << refused;
    ASSERT_EQ(refused.objects().size(), 1U) << refused;
    EXPECT_FALSE(refused.objects()[0].at("valid").as_bool()) << "the receiver verifies";
  }

  std::string scheme_;
  std::unique_ptr<NodeReceiver> receiver_;
};

TEST_F(SignedByUs, GithubsLibraryAcceptsIt) {
  scheme_ = "github";
  expect_verified("It's a Secret to Everybody", "another", "pull_request.opened");
  const Ran sent = send("It's a Secret to Everybody", {"issues.closed", "--data", R"({"issue":{"title":"Zoë ☃"}})"});
  ASSERT_EQ(sent.objects().size(), 1U) << sent;
  EXPECT_TRUE(sent.objects()[0].at("valid").as_bool());
  EXPECT_EQ(sent.objects()[0].at("github_event").as_string(), "issues");
  EXPECT_EQ(json::parse(sent.objects()[0].at("body").as_string()).at("action").as_string(), "closed") << "the type that was asked for";
}

TEST_F(SignedByUs, StandardWebhooksAcceptsIt) {
  scheme_ = "standard-webhooks";
  expect_verified("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "contact.created");
}

TEST_F(SignedByUs, StripesLibraryAcceptsIt) {
  scheme_ = "stripe";
  expect_verified("whsec_test_secret", "whsec_another", "customer.created");
}

}  // namespace
}  // namespace hookhost::test
