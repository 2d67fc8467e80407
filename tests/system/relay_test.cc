// One hookhost behind another: what the first delivers is what the second checks, keeps once and answers.
#include <gmock/gmock.h>

#include "system/endpoint_fixture.h"

namespace hookhost::test {
namespace {

class Relay : public EndpointTest {
 protected:
  Relay() {
    below_.sources = {{"standard", std::string("{scheme: standard-webhooks, type: /event, secrets: [\"") + kRelaySecret + "\"]}"},
                      {"kakiyo", std::string("{scheme: kakiyo, secrets: [\"") + kRelaySecret + "\"], duplicates: {by: \"header:webhook-id\"}}"},
                      {"github", R"({scheme: github, secrets: ["github-test-secret"]})"}};
  }
  [[nodiscard]] std::string below(const std::string& source) const { return "http://127.0.0.1:" + std::to_string(below_.public_port()) + "/in/" + source; }
  void relay_to(const std::string& source, const std::string& more) { add_endpoint(source, below(source), ", retry: [100ms, 100ms, 200ms, 500ms, 1s, 2s, 5s, 10s]" + more); }
  // The bodies that the second host keeps of a source, in order.
  std::vector<std::string> kept(const std::string& source) {
    std::vector<std::string> out;
    for (const auto& event : below_.run({"events", "list", "--json", "--source", source}).objects()) out.push_back(text(event, "body"));
    return out;
  }
  // How often the second host, since its start, was sent what it has.
  std::size_t known_again(const std::string& source) const {
    const std::string page = below_.admin("GET", "/metrics", below_.authorization()).body;
    const std::string line = "hookhost_events_received_total{source=\"" + source + "\",status=\"duplicate\"} ";
    const std::size_t at = page.find(line);
    EXPECT_NE(at, std::string::npos) << page;
    return at == std::string::npos ? 0 : std::stoul(page.substr(at + line.size()));
  }
  // Messages with the white space, escapes and letters that a parser would not give back.
  std::vector<std::string> send_odd_messages(int from, int until) {
    std::vector<std::string> bodies;
    KakiyoSender sender(host.public_port());
    for (int n = from; n < until; ++n) {
      std::string body = message("chat_" + std::to_string(n % 3), n, {{"odd", "ü \u2028 ☃ / \x7f"}});
      body.insert(body.find(':') + 1, " \t");
      body += "\n ";
      EXPECT_NE(sender.send(body), "") << n;
      bodies.push_back(body);
    }
    return bodies;
  }

  static constexpr const char* kRelaySecret = "whsec_bm9ib2R5IGVsc2Uga25vd3MgdGhpcyBrZXk=";
  HostProcess below_;
};

TEST_F(Relay, TheSecondHostVerifiesEverySigningAndKeepsTheBytes) {
  const std::string secrets = std::string(", events: [\"@kakiyo\"], order_by: all, secrets: [\"") + kRelaySecret + "\"]";
  relay_to("standard", ", signing: standard-webhooks" + secrets);
  relay_to("kakiyo", ", signing: both" + secrets);
  relay_to("github", ", signing: pass_through, events: [\"@github\"]");
  ASSERT_TRUE(below_.start());
  ASSERT_TRUE(host.start());
  const auto bodies = send_odd_messages(0, 20);
  const std::string pushed = "{\"ref\":\"refs/heads/main\",  \"n\":1e3}\n";
  RawClient client = host.connect();
  client.send(post(pushed, "Content-Type: application/json\r\nX-GitHub-Event: push\r\nX-GitHub-Delivery: d1\r\n" +
                               signature_of(pushed, signing::Scheme::github, "github-test-secret"), "/in/github"));
  ASSERT_EQ(client.read_answer().status, 200);
  for (const char* name : {"standard", "kakiyo", "github"}) EXPECT_TRUE(host.catches_up(name)) << name;
  EXPECT_EQ(kept("standard"), bodies);
  EXPECT_EQ(kept("kakiyo"), bodies);
  EXPECT_EQ(kept("github"), std::vector<std::string>{pushed});
  for (const auto& event : below_.events()) {
    EXPECT_EQ(text(event, "verified"), "true");
    EXPECT_EQ(text(event, "type"), text(event, "source") == "github" ? "push" : "linkedin.message.received");
  }

  // With another secret nothing gets in, and nothing is lost: it waits for the right one.
  const std::string right = below_.sources["standard"];
  below_.sources["standard"] = R"({scheme: standard-webhooks, type: /event, secrets: ["whsec_YW5vdGhlciBrZXkgdGhhbiB0aGUgc2VuZGVycw=="]})";
  below_.write_config();
  ASSERT_EQ(below_.run({"reload"}).status, 0);
  auto all = bodies;
  for (const auto& body : send_odd_messages(20, 22)) all.push_back(body);
  ASSERT_TRUE(poll_until([&] { return below_.diagnostics().find("reason=invalid_signature") != std::string::npos; })) << below_.diagnostics();
  EXPECT_EQ(kept("standard"), bodies);
  below_.sources["standard"] = right;
  below_.write_config();
  ASSERT_EQ(below_.run({"reload"}).status, 0);
  EXPECT_TRUE(host.catches_up("standard"));
  EXPECT_EQ(kept("standard"), all);
}

// GitHub's form, and bodies that are no JSON with and without a header that says what they are.
TEST_F(Relay, WhatIsNoJsonIsPassedOnToo) {
  Receiver raw, orders, typed, all;
  host.sources["orders"] = "{unsigned: true, type: \"header:X-Topic\"}";
  add_endpoint("raw", raw.url(), ", signing: pass_through, events: [\"@raw\"]");
  add_endpoint("orders", orders.url(), ", signing: pass_through, events: [\"@orders\"]");
  add_endpoint("typed", typed.url(), ", signing: pass_through, events: [\"orders.create\", \"issues.opened\"]");
  add_endpoint("all", all.url(), ", signing: none, events: [\"*\"]");
  ASSERT_TRUE(host.start());
  const auto send = [&](const std::string& source, const std::string& body, const std::string& headers) {
    RawClient client = host.connect();
    client.send(post(body, headers, "/in/" + source));
    EXPECT_EQ(client.read_answer().status, 200) << body;
  };
  const std::string xml = "<?xml version=\"1.0\"?>\n<order id='7'/>\n", form = "order=7&note=a+b%21", bytes("\x00\xff\r\n", 4);
  const std::string issue = "payload=%7B%22action%22%3A%22opened%22%2C%22repository%22%3A%7B%22full_name%22%3A%22o%2Fr%22%7D%7D";
  send("raw", xml, "Content-Type: text/xml\r\n");
  send("raw", form, "Content-Type: application/x-www-form-urlencoded\r\n");
  send("raw", bytes, "Content-Type: application/octet-stream\r\n");
  send("raw", "", "");
  send("orders", xml, "Content-Type: text/xml\r\nX-Topic: orders.create\r\n");
  send("github", issue, "Content-Type: application/x-www-form-urlencoded\r\nX-GitHub-Event: issues\r\nX-GitHub-Delivery: d1\r\n" +
                            signature_of(issue, signing::Scheme::github, "github-test-secret"));
  for (const char* name : {"raw", "orders", "typed", "all"}) EXPECT_TRUE(host.catches_up(name)) << name;
  EXPECT_THAT(raw.bodies(), testing::UnorderedElementsAre(xml, form, bytes, ""));
  EXPECT_THAT(orders.bodies(), testing::ElementsAre(xml));
  EXPECT_EQ(orders.header(0, "Content-Type"), "text/xml");
  EXPECT_THAT(typed.bodies(), testing::UnorderedElementsAre(xml, issue));
  EXPECT_THAT(all.bodies(), testing::UnorderedElementsAre(xml, issue)) << "* has what has a type";
}

// It dies when the event is on disk and the answer is not sent: the first host sends it again, with the same id.
TEST_F(Relay, WhatTheSecondHostKeptWithoutAnAnswerIsNotKeptTwice) {
  const std::string secrets = std::string(", events: [\"@kakiyo\"], order_by: all, concurrency: 1, secrets: [\"") + kRelaySecret + "\"]";
  relay_to("standard", ", signing: standard-webhooks" + secrets);
  relay_to("kakiyo", ", signing: both" + secrets);
  ASSERT_TRUE(below_.start({}, {"HOOKHOST_FAILPOINTS=event_log.after_sync=kill@5"}));
  ASSERT_TRUE(host.start());
  const auto bodies = send_odd_messages(0, 10);
  EXPECT_EQ(below_.process().wait(), 128 + SIGKILL);
  ASSERT_TRUE(below_.start());
  for (const char* name : {"standard", "kakiyo"}) EXPECT_TRUE(host.catches_up(name)) << name;
  EXPECT_EQ(kept("standard"), bodies);
  EXPECT_EQ(kept("kakiyo"), bodies);
  EXPECT_GT(known_again("standard") + known_again("kakiyo"), 0U) << "nothing came twice";
}

}  // namespace
}  // namespace hookhost::test
