// What GitHub's, Stripe's and Standard Webhooks' own libraries sign is accepted, kept byte for byte, and named as DESIGN.md section 7 says.
#include <algorithm>
#include <set>

#include "interop/node_libraries.h"

namespace hookhost::test {
namespace {

constexpr const char* kGithubSecret = "It's a Secret to Everybody";
constexpr const char* kStandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr const char* kStandardNext = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
constexpr const char* kStripeSecret = "whsec_test_secret";
constexpr const char* kContact = R"({"type":"contact.created","timestamp":"2022-11-03T20:26:10Z","data":{"id":"c_1","name":"Zoë ☃"}})";
constexpr const char* kCharge = "{\n  \"id\": \"evt_1\",\n  \"object\": \"event\",\n  \"type\": \"charge.succeeded\",\n  \"data\": {\"object\": {\"id\": \"ch_1\"}}\n}";

std::string text(const json::value& value) { return std::string(value.as_string()); }

class SignedByThem : public InteropTest {
 protected:
  // A source of the scheme's name.
  bool start(const std::string& scheme, const std::string& secrets, const std::string& more = "") {
    scheme_ = scheme;
    host.sources = {{scheme, "{scheme: " + scheme + ", secrets: [" + secrets + "]" + more + "}"}};
    return host.start();
  }

  struct Answered {
    int status;
    std::string word, id;  // of the body: status or error
  };
  // Over one kept connection.
  Answered send(const json::object& request) {
    if (!client_) client_ = std::make_unique<RawClient>(host.public_port());
    std::string headers;
    for (const auto& header : request.at("headers").as_array()) headers += text(header.at(0)) + ": " + text(header.at(1)) + "\r\n";
    client_->send(post(text(request.at("body")), headers, "/in/" + scheme_));
    const RawAnswer answer = client_->read_answer();
    const json::object body = answer.body.empty() ? json::object{} : json::parse(answer.body).as_object();
    return {answer.status, answer.status == 200 ? text(body.at("status")) : body.contains("error") ? text(body.at("error")) : answer.body,
            body.contains("id") ? text(body.at("id")) : ""};
  }
  json::object sign(const std::string& secret, const std::string& id, const std::string& body, int age_seconds = 0) const {
    return NodeLibraries::sign({json::object{{"scheme", scheme_}, {"secret", secret}, {"id", id}, {"body", body}, {"age_seconds", age_seconds}}}).at(0);
  }

  std::string scheme_;
  std::unique_ptr<RawClient> client_;
};

// One bit of the byte in the middle is another.
json::object flipped(json::object request) {
  std::string body = text(request.at("body"));
  body[body.size() / 2] = static_cast<char>(body[body.size() / 2] ^ 1);
  request["body"] = body;
  return request;
}

json::string& header(json::object& request, const std::string& name) {
  for (auto& pair : request.at("headers").as_array()) {
    if (pair.at(0).as_string() == name) return pair.at(1).as_string();
  }
  ADD_FAILURE() << "no header " << name;
  return request["name"].as_string();
}

// Whoever runs the tests chooses where packages come from; the digests say which ones they are.
TEST(PackageLock, NamesNoRegistryAndADigestForEachPackage) {
  const json::object lock = json::parse(contents(INTEROP_SOURCE "/package-lock.json")).as_object();
  std::size_t packages = 0;
  for (const auto& package : lock.at("packages").as_object()) {
    if (package.key().empty()) continue;  // this folder itself
    EXPECT_FALSE(package.value().as_object().contains("resolved")) << package.key();
    EXPECT_TRUE(package.value().as_object().contains("integrity")) << package.key();
    ++packages;
  }
  EXPECT_GT(packages, 4U);
}

TEST_F(SignedByThem, EveryPayloadOfGithubIsAcceptedAndKeptByteForByte) {
  ASSERT_TRUE(start("github", "\"" + std::string(kGithubSecret) + "\""));
  const auto requests = NodeLibraries::sign({json::object{{"scheme", "github-examples"}, {"secret", kGithubSecret}}});
  ASSERT_GT(requests.size(), 700U) << "the six sets of the package";
  std::vector<std::string> ids;
  for (const auto& request : requests) {
    const Answered damaged = send(flipped(request));
    ASSERT_EQ(damaged.status, 401) << request.at("name");
    ASSERT_EQ(damaged.word, "invalid_signature") << request.at("name");
    const Answered answer = send(request);
    ASSERT_EQ(answer.status, 200) << request.at("name") << ": " << answer.word;
    ASSERT_EQ(answer.word, "accepted");
    ids.push_back(answer.id);
  }
  const auto events = host.events();
  ASSERT_EQ(events.size(), requests.size()) << "nothing of what was refused is kept";
  std::set<std::string> types;
  for (std::size_t n = 0; n < events.size(); ++n) {
    SCOPED_TRACE("payload " + std::to_string(n) + ", " + text(requests[n].at("name")));
    const json::object payload = json::parse(text(requests[n].at("body"))).as_object();
    const json::value* action = payload.if_contains("action");
    const std::string type = text(requests[n].at("name")) + (action != nullptr && action->is_string() ? "." + text(*action) : "");
    const json::value* repository = payload.if_contains("repository");
    const bool has_repository = repository != nullptr && repository->is_object() && repository->as_object().contains("full_name");
    EXPECT_EQ(text(events[n].at("id")), ids[n]);
    EXPECT_EQ(text(events[n].at("type")), type);
    EXPECT_EQ(events[n].at("key"), has_repository ? repository->at("full_name") : json::value(nullptr));
    EXPECT_EQ(text(events[n].at("provider")), "github");
    EXPECT_TRUE(events[n].at("verified").as_bool());
    EXPECT_TRUE(events[n].at("team").is_null());
    ASSERT_EQ(text(events[n].at("body")), text(requests[n].at("body")));
    for (const auto& sent : requests[n].at("headers").as_array()) {
      const auto& kept = events[n].at("headers").as_array();
      EXPECT_NE(std::find(kept.begin(), kept.end(), sent), kept.end()) << json::serialize(sent);
    }
    types.insert(type);
  }
  EXPECT_TRUE(types.contains("push"));
  EXPECT_TRUE(types.contains("pull_request.opened"));
  const Answered again = send(requests.front());
  EXPECT_EQ(again.word, "duplicate");
  EXPECT_EQ(again.id, ids.front());
}

TEST_F(SignedByThem, StandardWebhooks) {
  ASSERT_TRUE(start("standard-webhooks", "\"" + std::string(kStandardSecret) + "\""));
  const json::object request = sign(kStandardSecret, "msg_1", kContact);
  EXPECT_EQ(send(flipped(request)).word, "invalid_signature");
  const Answered answer = send(request);
  ASSERT_EQ(answer.word, "accepted");
  const Answered again = send(sign(kStandardSecret, "msg_1", R"({"type":"contact.created","data":{"sent":"again"}})"));
  EXPECT_EQ(again.word, "duplicate") << "webhook-id says so, whatever the body is";
  EXPECT_EQ(again.id, answer.id);
  const auto events = host.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text(events[0].at("type")), "contact.created");
  EXPECT_EQ(text(events[0].at("body")), kContact);
  EXPECT_TRUE(events[0].at("key").is_null()) << "no key: is configured";
}

TEST_F(SignedByThem, StandardWebhooksKnowsItsTolerance) {
  ASSERT_TRUE(start("standard-webhooks", "\"" + std::string(kStandardSecret) + "\""));
  const Answered old = send(sign(kStandardSecret, "msg_1", kContact, 3600)), early = send(sign(kStandardSecret, "msg_2", kContact, -3600));
  EXPECT_EQ(old.status, 401);
  EXPECT_EQ(old.word, "stale_timestamp");
  EXPECT_EQ(early.word, "stale_timestamp") << "an hour ahead of us";
  EXPECT_EQ(send(sign(kStandardSecret, "msg_3", kContact, 60)).word, "accepted");
  EXPECT_EQ(send(sign(kStandardNext, "msg_4", kContact, 3600)).word, "invalid_signature") << "a wrong secret is not called stale";
  EXPECT_EQ(host.events().size(), 1U);
}

TEST_F(SignedByThem, StandardWebhooksIgnoresV1aBesideV1) {
  ASSERT_TRUE(start("standard-webhooks", "\"" + std::string(kStandardSecret) + "\""));
  const std::string asymmetric = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==";
  json::object beside = sign(kStandardSecret, "msg_1", kContact), alone = sign(kStandardSecret, "msg_2", kContact);
  json::string& both = header(beside, "webhook-signature");
  both = asymmetric + " " + std::string(both);
  header(alone, "webhook-signature") = asymmetric;
  EXPECT_EQ(send(beside).word, "accepted");
  EXPECT_EQ(send(alone).word, "malformed_signature");
}

TEST_F(SignedByThem, StandardWebhooksWithSeveralSignaturesWhileTheSenderRotates) {
  ASSERT_TRUE(start("standard-webhooks", "\"" + std::string(kStandardSecret) + "\""));
  json::object both = sign(kStandardNext, "msg_1", kContact);
  json::object old = sign(kStandardSecret, "msg_1", kContact);
  // The two were signed within one second or not: the timestamp of the one that counts stands.
  header(both, "webhook-timestamp") = header(old, "webhook-timestamp");
  json::string& signature = header(both, "webhook-signature");
  signature = std::string(signature) + " " + std::string(header(old, "webhook-signature"));
  EXPECT_EQ(send(both).word, "accepted");
}

TEST_F(SignedByThem, Stripe) {
  ASSERT_TRUE(start("stripe", "\"" + std::string(kStripeSecret) + "\""));
  const json::object request = sign(kStripeSecret, "evt_1", kCharge);
  EXPECT_EQ(send(flipped(request)).word, "invalid_signature");
  EXPECT_EQ(send(request).word, "accepted");
  const Answered again = send(sign(kStripeSecret, "evt_1", kCharge, 30));
  EXPECT_EQ(again.word, "duplicate") << "another signature time, the same event";
  const Answered stale = send(sign(kStripeSecret, "evt_1", kCharge, 3600));
  EXPECT_EQ(stale.status, 401);
  EXPECT_EQ(stale.word, "stale_timestamp");
  json::object beside = sign(kStripeSecret, "evt_1", kCharge);
  json::string& several = header(beside, "Stripe-Signature");
  several = std::string(several) + ",v0=" + std::string(64, 'a') + ",v1=" + std::string(64, 'b');
  EXPECT_EQ(send(beside).word, "duplicate") << "other signatures beside the right one do no harm";
  const auto events = host.events();
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(text(events[0].at("type")), "charge.succeeded");
  EXPECT_EQ(text(events[0].at("key")), "ch_1");
  EXPECT_EQ(text(events[0].at("body")), kCharge);
}

TEST_F(SignedByThem, OldAndNewSecretAreAcceptedWhileASecretRotatesAndTheOldNoMoreAfterIt) {
  ASSERT_TRUE(start("stripe", "\"new\", {value: \"old\", until: 2100-01-01}, {value: \"older\", until: 2020-01-01}"));
  const auto charge = [](int n) { return R"({"id":"evt_)" + std::to_string(n) + R"(","object":"event","type":"charge.succeeded","data":{"object":{"id":"ch_1"}}})"; };
  EXPECT_EQ(send(sign("new", "", charge(1))).word, "accepted");
  EXPECT_EQ(send(sign("old", "", charge(2))).word, "accepted");
  EXPECT_EQ(send(sign("older", "", charge(3))).word, "invalid_signature");

  // The rotation ends: a reload, while the connection stays.
  host.sources["stripe"] = "{scheme: stripe, secrets: [\"new\"]}";
  host.write_config();
  const Ran reload = host.run({"reload"});
  ASSERT_EQ(reload.status, 0) << reload;
  EXPECT_EQ(send(sign("old", "", charge(4))).word, "invalid_signature");
  EXPECT_EQ(send(sign("new", "", charge(5))).word, "accepted");
  EXPECT_EQ(host.events().size(), 3U);
}

}  // namespace
}  // namespace hookhost::test
