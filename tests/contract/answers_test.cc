// Every answer of /v1 against Kakiyo's own file and against ours.
#include <gtest/gtest.h>

#include <set>

#include "contract/openapi.h"
#include "support/v1_client.h"

namespace hookhost::test {
namespace {

namespace json = boost::json;

constexpr const char* kCreate = R"({"name":"CRM","url":"https://crm.example/hook","events":["linkedin.message.sent"],"secret":"s"})";

struct Exchange {
  std::string method, path;  // as the files write it
  std::string target;        // as it is sent, without /v1
  std::string body;
  int status = 200;
  std::string key = V1Host::kKeyA;
};

class Contract : public testing::Test {
 protected:
  void SetUp() override {
    id_ = host_.made(R"(["linkedin.message.sent"])");
    auto& endpoint = host_.control.all[0];
    endpoint.status.tally = {.successes = 2, .failures = 1, .last_success = host_.clock.wall(), .last_failure = host_.clock.wall()};
    endpoint.paused_reason = "disabled after 4 deliveries in a row";
    endpoint.headers = {"X-A"};
    host_.control.attempt_rows = {{.id = EventId{"evt_1"}, .type = "linkedin.message.sent", .at = host_.clock.wall(), .outcome = "retry", .error = "status 500", .http_status = 500, .answer = "no"}};
  }

  // Ours for every answer, Kakiyo's where it lists the status.
  void hold(const std::string& method, const std::string& path, const V1Answer& answer) {
    const std::string what = method + " " + path + " " + std::to_string(answer.status);
    EXPECT_EQ(answer.raw.header("Content-Type"), "application/json") << what;
    if (const auto theirs = kakiyo_.answer_schema(method, path, answer.status, false)) {
      EXPECT_EQ(violations(*theirs, answer.body), "") << "Kakiyo's file, " << what << ": " << answer.raw.body;
      of_kakiyo_.insert(what);
    }
    const auto own = ours_.answer_schema(method, path, answer.status, true);
    ASSERT_TRUE(own) << what << " is undocumented";
    EXPECT_EQ(violations(*own, answer.body), "") << "our file, " << what << ": " << answer.raw.body;
    EXPECT_EQ(undocumented(*own, answer.body), "") << "our file, " << what << ": " << answer.raw.body;
    of_ours_.insert(what);
  }

  void run(const Exchange& one) {
    const auto answer = host_.call(one.method, "/v1" + one.target, one.body, one.key);
    ASSERT_EQ(answer.status, one.status) << one.method << " " << one.target << ": " << answer.raw.body;
    hold(one.method, one.path, answer);
  }

  // Every call and status that the file lists, but those of `others`.
  static std::set<std::string> listed(const OpenApi& file, const std::set<std::string>& others) {
    std::set<std::string> out;
    for (const auto& path : file.paths()) {
      for (const auto& call : path.value().as_object()) {
        if (call.key() == "parameters") continue;
        for (const auto& response : call.value().at("responses").as_object()) {
          std::string method(call.key());
          std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
          if (!others.contains(std::string(response.key()))) out.insert(method + " " + std::string(path.key()) + " " + std::string(response.key()));
        }
      }
    }
    return out;
  }

  V1Host host_;
  std::string id_;
  const OpenApi kakiyo_ = kakiyos();
  const OpenApi ours_ = ours();
  std::set<std::string> of_kakiyo_, of_ours_;
};

TEST_F(Contract, HoldsForEveryCallAndStatus) {
  const std::string one = "/webhooks/" + id_, absent = "/webhooks/webhook_9";
  const std::string test = R"({"event":"linkedin.message.sent","data":{"message":"hello"}})";
  const std::string event = R"({"event":"linkedin.message.sent","data":{}})";
  const std::string large = "{\"name\":\"" + std::string(1'100'000, 'x') + "\"}";
  const std::vector<Exchange> exchanges{
      {"GET", "/verify", "/verify", ""},
      {"GET", "/webhooks", "/webhooks", ""},
      {"POST", "/webhooks", "/webhooks", kCreate, 201},
      {"POST", "/webhooks", "/webhooks", "{}", 400},
      {"POST", "/webhooks", "/webhooks", large, 413},
      {"GET", "/webhooks/{webhookId}", one, ""},
      {"GET", "/webhooks/{webhookId}", absent, "", 404},
      {"PUT", "/webhooks/{webhookId}", one, R"({"active":true,"odd":1})"},
      {"PUT", "/webhooks/{webhookId}", one, R"({"active":"yes"})", 400},
      {"PUT", "/webhooks/{webhookId}", absent, "{}", 404},
      {"PUT", "/webhooks/{webhookId}", one, large, 413},
      {"GET", "/webhooks/{webhookId}/deliveries", one + "/deliveries", ""},
      {"GET", "/webhooks/{webhookId}/deliveries", one + "/deliveries?limit=0", "", 400},
      {"GET", "/webhooks/{webhookId}/deliveries", absent + "/deliveries", "", 404},
      {"POST", "/webhooks/{webhookId}/deliveries/{eventId}/retry", one + "/deliveries/evt_1/retry", "", 202},
      {"POST", "/webhooks/{webhookId}/deliveries/{eventId}/retry", one + "/deliveries/evt_2/retry", "", 404},
      {"POST", "/webhooks/{webhookId}/deliveries/{eventId}/retry", one + "/deliveries/evt_1/retry", large, 413},
      {"POST", "/webhooks/{webhookId}/replays", one + "/replays", R"({"since":"2h"})", 202},
      {"POST", "/webhooks/{webhookId}/replays", one + "/replays", "{}", 400},
      {"POST", "/webhooks/{webhookId}/replays", absent + "/replays", R"({"since":"2h"})", 404},
      {"POST", "/webhooks/{webhookId}/replays", one + "/replays", large, 413},
      {"GET", "/webhooks/events", "/webhooks/events", ""},
      {"POST", "/webhooks/test", "/webhooks/test", test},
      {"POST", "/webhooks/test", "/webhooks/test", R"({"event":"*"})", 400},
      {"POST", "/webhooks/test", "/webhooks/test", R"({"event":"prospect.unqualified"})", 404},
      {"POST", "/webhooks/test", "/webhooks/test", large, 413},
      {"GET", "/webhooks/test/events", "/webhooks/test/events", ""},
      {"GET", "/webhooks/test/example/{event}", "/webhooks/test/example/linkedin.message.received", ""},
      {"GET", "/webhooks/test/example/{event}", "/webhooks/test/example/order.paid", "", 400},
      {"GET", "/webhooks/test/example/{event}", "/webhooks/test/example/a%2Fb", "", 400},
      {"POST", "/events", "/events", event},
      {"POST", "/events", "/events", "{\"events\":[" + event + "]}"},
      {"POST", "/events", "/events", "{}", 400},
      {"POST", "/events", "/events", large, 413},
      {"GET", "/openapi.json", "/openapi.json", "", 200, ""},
      {"DELETE", "/webhooks/{webhookId}", one, ""},
      {"DELETE", "/webhooks/{webhookId}", absent, "", 404},
  };
  std::set<std::string> calls;
  for (const Exchange& each : exchanges) {
    run(each);
    if (each.path == "/openapi.json" || !calls.insert(each.method + each.target).second) continue;
    for (const char* key : {"", "no-such-key", "in\tvalid"}) run({each.method, each.path, each.target, each.body, 401, key});
  }
  for (const ErrorCode code : {ErrorCode::conflict, ErrorCode::io_error, ErrorCode::busy}) {
    host_.control.failure = Error{code, "not now"};
    run({"POST", "/webhooks", "/webhooks", kCreate, http_status(code)});
    run({"PUT", "/webhooks/{webhookId}", one, "{}", http_status(code)});
    run({"POST", "/webhooks/{webhookId}/replays", one + "/replays", R"({"since":"2h"})", http_status(code)});
    run({"POST", "/webhooks/{webhookId}/deliveries/{eventId}/retry", one + "/deliveries/evt_1/retry", "", http_status(code)});
    if (code != ErrorCode::conflict) run({"POST", "/events", "/events", event, http_status(code)});
  }
  host_.control.failure.reset();
  host_.v1.configure({.rate_limits = {.high = 0, .medium = 0, .low = 0}, .types = {}, .waiting_of_a_team_max = 0});
  for (const auto& call : listed(ours_, {"200", "201", "202", "400", "401", "404", "409", "413", "5XX"})) {
    const std::string method = call.substr(0, call.find(' ')), path = call.substr(method.size() + 1, call.rfind(' ') - method.size() - 1);
    std::string target = path;
    std::erase_if(target, [](char c) { return c == '{' || c == '}'; });
    run({method, path, target, "{}", 429});
  }

  for (const std::string& call : listed(kakiyo_, {})) EXPECT_TRUE(of_kakiyo_.contains(call)) << call << " of Kakiyo's file was not seen";
  for (const std::string& call : listed(ours_, {"5XX"})) EXPECT_TRUE(of_ours_.contains(call)) << call << " of our file was not seen";
}

// A check that accepts everything would show nothing.
TEST_F(Contract, ViolationsAreSeen) {
  const auto schema = kakiyo_.answer_schema("GET", "/webhooks", 200, false);
  ASSERT_TRUE(schema);
  EXPECT_EQ(violations(*schema, json::parse(R"([{"id":"a","active":true}])")), "");
  EXPECT_NE(violations(*schema, json::parse(R"([{"id":"a","active":"true"}])")), "");
  EXPECT_NE(violations(*schema, json::parse(R"([{"lastFailure":null}])")), "");
  EXPECT_NE(violations(*schema, json::parse(R"({"data":[]})")), "");
  const auto own = ours_.answer_schema("GET", "/webhooks", 200, true);
  EXPECT_EQ(undocumented(*own, json::parse(R"([{"id":"a","secret":"s"}])")), "secret\n");
  EXPECT_FALSE(kakiyo_.answer_schema("GET", "/webhooks/{webhookId}", 200, false));
}

}  // namespace
}  // namespace hookhost::test
