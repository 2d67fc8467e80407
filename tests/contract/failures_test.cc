// What a host answers when something of its own fails, which no client can bring about: /v1 over a fake.
#include <gtest/gtest.h>

#include "contract/answer_book.h"
#include "support/v1_client.h"

namespace hookhost::test {
namespace {

namespace json = boost::json;

TEST(Contract, HoldsWhenTheHostFails) {
  V1Host host;
  AnswerBook book(ours());
  const std::string id = host.made();
  host.control.attempt_rows = {{.id = EventId{"evt_1"}, .type = "linkedin.message.sent", .at = host.clock.wall(), .outcome = "ok"}};
  for (const ErrorCode code : {ErrorCode::conflict, ErrorCode::io_error, ErrorCode::busy}) {
    host.control.failure = Error{code, "not now"};
    const auto fails = [&](const std::string& method, const std::string& path, const std::string& behind, const std::string& body) {
      const auto answer = host.call(method, "/v1" + path.substr(0, path.find("/{")) + behind, body);
      EXPECT_EQ(answer.status, http_status(code)) << method << " " << path << ": " << answer.raw.body;
      book.hold(method, path, answer);
    };
    fails("POST", "/webhooks", "", R"({"name":"CRM","url":"https://crm.example/hook","events":["*"]})");
    fails("PUT", "/webhooks/{webhookId}", "/" + id, "{}");
    fails("POST", "/webhooks/{webhookId}/replays", "/" + id + "/replays", R"({"since":"2h"})");
    fails("POST", "/webhooks/{webhookId}/deliveries/{eventId}/retry", "/" + id + "/deliveries/evt_1/retry", "");
    if (code != ErrorCode::conflict) fails("POST", "/events", "", R"({"event":"linkedin.message.sent","data":{}})");
  }
}

// Whatever the rates are, one team's calls may not pile up.
TEST(Contract, HoldsWhenATeamAsksForTooMuchAtOnce) {
  V1Host host;
  AnswerBook book(ours());
  host.v1.configure({.rate_limits = {.high = 0, .medium = 0, .low = 0, .publish = 0}, .types = {}, .waiting_of_a_team_max = 0});
  for (const auto& [method, path] : book.ours().calls_with("429")) {
    const auto answer = host.call(method, "/v1" + without_braces(path), "{}");
    EXPECT_EQ(answer.status, 429) << method << " " << path << ": " << answer.raw.body;
    book.hold(method, path, answer);
  }
}

// A check that accepts everything would show nothing.
TEST(Contract, ViolationsAreSeen) {
  const auto theirs = kakiyos().answer("GET", "/webhooks", 200, false);
  ASSERT_TRUE(theirs);
  const json::value schema = schema_of(*theirs);
  EXPECT_EQ(violations(schema, json::parse(R"([{"id":"a","active":true}])")), "");
  EXPECT_NE(violations(schema, json::parse(R"([{"id":"a","active":"true"}])")), "");
  EXPECT_NE(violations(schema, json::parse(R"([{"lastFailure":null}])")), "");
  EXPECT_NE(violations(schema, json::parse(R"({"data":[]})")), "");
  const auto own = ours().answer("GET", "/webhooks", 200, true);
  EXPECT_EQ(undocumented(schema_of(*own), json::parse(R"([{"id":"a","secret":"s"}])")), "secret\n");
  EXPECT_FALSE(kakiyos().answer("GET", "/webhooks/{webhookId}", 200, false));
}

}  // namespace
}  // namespace hookhost::test
