// Every answer of a real host's /v1 against Kakiyo's own file and against ours.
#include <gmock/gmock.h>

#include <atomic>

#include "contract/answer_book.h"
#include "support/host_process.h"
#include "support/http_receiver.h"

namespace hookhost::test {
namespace {

constexpr const char* kKey = "key-of-team-a-0123456789-0123456789-0123";

struct Exchange {
  std::string method, path;  // as the files write it
  std::string target;        // as it is sent, without /v1
  std::string body;
  int status = 200;
  std::vector<std::string> headers = {};
};

// A host with a webhook that was given up once and then served, and one that is switched off.
class Contract : public testing::Test {
 protected:
  void SetUp() override {
    host_.sources = {{"kakiyo", R"({scheme: kakiyo, secrets: ["system-test-secret"], team: from_payload})"}};
    allow("off");
    ASSERT_TRUE(host_.start());
    book_.emplace(OpenApi(call("GET", "/openapi.json", "", "").raw.body));
    id_ = made(R"("headers":{"X-A":"1"},"secret":"s","retry":[])");
    off_ = made(R"("active":false)");
    given_up_ = published(1);
    delivered_ = published(2);
  }
  void allow(const std::string& rates) {
    host_.more = "api: {rate_limits: " + rates + "}\nteams: {team_a: {api_keys: [\"" + kKey + "\"]}}\nendpoint_defaults: {allow_http: true, allowed_networks: [\"127.0.0.1/32\"]}\n";
  }
  V1Answer call(const std::string& method, const std::string& target, const std::string& body, const std::string& key = kKey,
                const std::vector<std::string>& headers = {}) const {
    return call_v1(host_.public_port(), method, "/v1" + target, body, key, headers);
  }
  [[nodiscard]] std::string webhook(const std::string& more) const {
    return R"({"name":"CRM","url":"http://127.0.0.1:)" + std::to_string(receiver_.port()) + R"(/hook","events":["linkedin.message.sent"],)" + more + "}";
  }
  std::string made(const std::string& more) const { return std::string(call("POST", "/webhooks", webhook(more)).body.at("id").as_string()); }
  // An event whose only attempt is in the history; its id.
  std::string published(std::size_t attempts) const {
    const auto answer = call("POST", "/events", kEvent);
    EXPECT_TRUE(poll_until([&] { return call("GET", "/webhooks/" + id_ + "/deliveries", "").body.as_array().size() == attempts; })) << host_.diagnostics();
    return std::string(answer.body.at("id").as_string());
  }

  V1Answer run(const Exchange& one, const std::string& key = kKey) {
    auto answer = call(one.method, one.target, one.body, key, one.headers);
    EXPECT_EQ(answer.status, one.status) << one.method << " " << one.target << ": " << answer.raw.body;
    book_->hold(one.method, one.path, answer);
    return answer;
  }
  // Of each class of calls the rate allows one: the next is refused, or the one behind it when a minute ends in between.
  void use_up_the_rates() {
    allow("{high: 1, medium: 1, low: 1, publish: 1}");
    host_.write_config();
    ASSERT_EQ(host_.run({"reload"}).status, 0);
    for (const auto& [method, path] : book_->ours().calls_with("429")) {
      for (int n = 0; n < 3; ++n) {
        const auto answer = call(method, without_braces(path), "{}");
        if (answer.status == 429) book_->hold(method, path, answer);
      }
    }
  }

  static constexpr const char* kEvent = R"({"event":"linkedin.message.sent","data":{"chatId":"chat_1"}})";
  std::atomic<bool> is_up_ = false;  // it fails once
  HttpReceiver receiver_{[this](const std::string&) { return HttpReceiver::status(is_up_.exchange(true) ? 200 : 500); }};
  HostProcess host_;
  std::optional<AnswerBook> book_;
  std::string id_, off_, given_up_, delivered_;
};

TEST_F(Contract, HoldsForEveryCallAndStatus) {
  const std::string one = "/webhooks/" + id_, absent = "/webhooks/webhook_9999999999999999";
  const std::string test = R"({"event":"linkedin.message.sent","data":{"message":"hello"}})";
  const std::string large = "{\"name\":\"" + std::string(1'100'000, 'x') + "\"}";
  const std::string replay = R"({"since":"2h"})", batch = std::string("{\"events\":[") + kEvent + "]}";
  const std::vector<std::string> named{"Idempotency-Key: k"};
  const std::string retry = "/webhooks/{webhookId}/deliveries/{eventId}/retry";
  const std::vector<Exchange> exchanges{
      {"GET", "/verify", "/verify", ""},
      {"GET", "/webhooks", "/webhooks", ""},
      {"POST", "/webhooks", "/webhooks", webhook(R"("secret":"s","odd":1)"), 201},
      {"POST", "/webhooks", "/webhooks", "{}", 400},
      {"GET", "/webhooks/{webhookId}", one, ""},
      {"GET", "/webhooks/{webhookId}", absent, "", 404},
      {"PUT", "/webhooks/{webhookId}", one, R"({"active":true,"odd":1})"},
      {"PUT", "/webhooks/{webhookId}", one, R"({"active":"yes"})", 400},
      {"PUT", "/webhooks/{webhookId}", absent, "{}", 404},
      {"GET", "/webhooks/{webhookId}/deliveries", one + "/deliveries", ""},
      {"GET", "/webhooks/{webhookId}/deliveries", one + "/deliveries?limit=0", "", 400},
      {"GET", "/webhooks/{webhookId}/deliveries", absent + "/deliveries", "", 404},
      {"POST", retry, one + "/deliveries/" + given_up_ + "/retry", "", 202},
      {"POST", retry, one + "/deliveries/" + delivered_ + "/retry", "", 409},
      {"POST", retry, one + "/deliveries/evt_2/retry", "", 404},
      {"POST", "/webhooks/{webhookId}/replays", one + "/replays", replay, 202},
      {"POST", "/webhooks/{webhookId}/replays", one + "/replays", "{}", 400},
      {"POST", "/webhooks/{webhookId}/replays", absent + "/replays", replay, 404},
      {"POST", "/webhooks/{webhookId}/replays", "/webhooks/" + off_ + "/replays", replay, 409},
      {"GET", "/webhooks/events", "/webhooks/events", ""},
      {"POST", "/webhooks/test", "/webhooks/test", test},
      {"POST", "/webhooks/test", "/webhooks/test", R"({"event":"*"})", 400},
      {"POST", "/webhooks/test", "/webhooks/test", R"({"event":"prospect.unqualified"})", 404},
      {"GET", "/webhooks/test/events", "/webhooks/test/events", ""},
      {"GET", "/webhooks/test/example/{event}", "/webhooks/test/example/linkedin.message.received", ""},
      {"GET", "/webhooks/test/example/{event}", "/webhooks/test/example/order.paid", "", 400},
      {"GET", "/webhooks/test/example/{event}", "/webhooks/test/example/a%2Fb", "", 400},
      {"POST", "/events", "/events", kEvent},
      {"POST", "/events", "/events", batch, 200, named},
      {"POST", "/events", "/events", kEvent, 422, named},
      {"POST", "/events", "/events", "{}", 400},
      {"DELETE", "/webhooks/{webhookId}", one, ""},
      {"DELETE", "/webhooks/{webhookId}", absent, "", 404},
  };
  std::set<std::string> calls;
  for (const Exchange& each : exchanges) {
    run(each);
    if (!calls.insert(each.method + each.target).second) continue;
    for (const char* key : {"", "no-such-key", "in\tvalid"}) run({each.method, each.path, each.target, each.body, 401}, key);
  }
  run({"GET", "/openapi.json", "/openapi.json", ""}, "");
  for (const auto& [method, path] : book_->ours().calls_with("413")) run({method, path, without_braces(path), large, 413});
  for (const auto& [method, path] : book_->ours().calls_with("400")) run({method, path, without_braces(path), "", 400, {"Host: another"}});
  ASSERT_NO_FATAL_FAILURE(use_up_the_rates());

  EXPECT_THAT(book_->unseen_of_kakiyos(), testing::IsEmpty());
  auto unseen = book_->unseen_of_ours();
  std::erase_if(unseen, [](const std::string& what) { return what.ends_with(" 5XX"); });
  EXPECT_THAT(unseen, testing::ElementsAre("GET /webhooks/{webhookId} 429", "GET /webhooks/{webhookId}/deliveries 429", "POST /webhooks 409", "PUT /webhooks/{webhookId} 409"))
      << "which are failures_test.cc's: calls that count to no rate, and what only a failing host says";
}

TEST_F(Contract, HoldsForEveryStateOfAWebhook) {
  const auto list = run({"GET", "/webhooks", "/webhooks", ""});
  const auto of = [&](const std::string& id) {
    for (const auto& one : list.body.as_array()) {
      if (std::string(one.at("id").as_string()) == id) return one.as_object();
    }
    return boost::json::object{};
  };
  for (const char* member : {"lastSuccess", "lastFailure", "headers"}) EXPECT_TRUE(of(id_).contains(member)) << member;
  EXPECT_TRUE(of(off_).contains("pausedReason"));
  EXPECT_FALSE(of(off_).contains("lastFailure")) << "the contract has no null";
}

TEST_F(Contract, WhatIsNoUrlIsRefusedByItsField) {
  for (const char* url : {"http:///x", "https:/crm.example/", "http://１２７.０.０.１/", "http://10.0.0.1/", "crm.example", "ftp://crm.example/", "https://u:p@crm.example/"}) {
    const auto answer = run({"POST", "/webhooks", "/webhooks", std::string(R"({"name":"CRM","events":["*"],"url":")") + url + "\"}", 400});
    EXPECT_EQ(answer.error(), "validation_error");
    EXPECT_EQ(answer.body.at("details").as_array().size(), 1U) << answer.raw.body;
    EXPECT_EQ(answer.body.at("details").at(0).at("field"), "url");
  }
}

}  // namespace
}  // namespace hookhost::test
