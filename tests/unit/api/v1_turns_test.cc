// Calls that take long: whose others wait for them, and whose do not.
#include <gtest/gtest.h>
#include <poll.h>

#include "support/poll.h"
#include "support/v1_client.h"

namespace hookhost::api {
namespace {

using test::poll_until;
using test::RawAnswer;
using test::RawClient;
using test::V1Host;

// Changes of team_a hang until they are released.
class V1Turns : public testing::Test {
 protected:
  V1Turns() {
    a_ = host.made(R"(["*"])", V1Host::kKeyA);
    b_ = host.made(R"(["*"])", V1Host::kKeyB);
    host.control.before_change = [this](const std::string& team) {
      if (team != "team_a") return;
      ++begun_;
      at_once_max_ = std::max(at_once_max_.load(), ++at_once_);
      poll_until([&] { return released_.load(); }, std::chrono::seconds{60});
      --at_once_;
    };
  }
  ~V1Turns() override { released_ = true; }

  void change_a() {
    RawClient& client = hanging_.emplace_back(host.server->port());
    const std::string body = R"({"name":"renamed"})";
    client.send("PUT /v1/webhooks/" + a_ + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer " + V1Host::kKeyA + "\r\nContent-Length: " +
                std::to_string(body.size()) + "\r\n\r\n" + body);
  }
  bool begin(std::size_t count) {
    return poll_until([&] { return begun_ == count; });
  }
  // How many of those that hang have their answer.
  std::size_t answered() {
    std::size_t out = 0;
    for (const RawClient& client : hanging_) {
      pollfd wait{client.descriptor(), POLLIN, 0};
      out += ::poll(&wait, 1, 0) == 1 ? 1 : 0;
    }
    return out;
  }
  void expect_that_others_are_answered() {
    EXPECT_EQ(host.call("PUT", "/v1/webhooks/" + b_, R"({"name":"b"})", V1Host::kKeyB).status, 200);
    EXPECT_EQ(host.call("GET", "/v1/webhooks", "", V1Host::kKeyB).status, 200);
    EXPECT_EQ(host.call("GET", "/v1/webhooks/" + a_).status, 200) << "what only looks waits for no change, of its own team neither";
    EXPECT_EQ(host.call("POST", "/v1/events", R"({"event":"linkedin.message.sent","data":{}})").status, 200);
  }

  std::atomic<bool> released_{false};
  std::atomic<std::size_t> begun_{0};
  std::atomic<int> at_once_{0}, at_once_max_{0};
  V1Host host{{.rate_limits = V1RateLimits::off(), .types = {}, .waiting_of_a_team_max = 8}};
  std::string a_, b_;
  std::vector<RawClient> hanging_;
};

TEST_F(V1Turns, ATeamWhoseChangesHangHoldsUpNobody) {
  change_a();
  ASSERT_TRUE(begin(1));
  for (int n = 0; n < 8; ++n) change_a();
  for (int n = 0; n < 3; ++n) expect_that_others_are_answered();
  EXPECT_EQ(begun_, 1U) << "one at a time";
  EXPECT_EQ(answered(), 0U);
  released_ = true;
  for (RawClient& client : hanging_) EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(begun_, 9U);
  EXPECT_EQ(at_once_max_, 1);
}

TEST_F(V1Turns, OfATeamABoundedNumberWaitsAndTheRestIsToldToComeBack) {
  change_a();
  ASSERT_TRUE(begin(1));
  for (int n = 0; n < 9; ++n) change_a();
  ASSERT_TRUE(poll_until([&] { return answered() == 1; }));
  expect_that_others_are_answered();
  EXPECT_EQ(answered(), 1U);
  released_ = true;
  std::size_t refused = 0;
  for (RawClient& client : hanging_) {
    const RawAnswer answer = client.read_answer();
    if (answer.status == 200) continue;
    ++refused;
    EXPECT_EQ(answer.status, 429);
    EXPECT_EQ(answer.header("Retry-After"), "1");
    const auto body = boost::json::parse(answer.body).as_object();
    EXPECT_EQ(body.at("error"), "rate_limit_exceeded");
    EXPECT_EQ(body.at("retryAfter"), 1);
  }
  EXPECT_EQ(refused, 1U);
}

}  // namespace
}  // namespace hookhost::api
