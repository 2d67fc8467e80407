// slack_notify through the ABI, against a receiver of the test's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <hookhost/testing.hpp>

#include "support/child_process.h"
#include "support/temp_dir.h"
#include "support/tls_receiver.h"

extern "C" const hookhost_plugin_entry* hookhost_plugin_entry_v1(void);

namespace hookhost::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::Answer;
using testing::FakeHost;
using testing::kakiyo_event;

class SlackNotify : public ::testing::Test {
 protected:
  void configure(const std::string& url, const std::string& more = "") { host.configure(R"({"allow_http": true, "url": ")" + url + "\"" + more + "}", "/"); }
  Answer deliver(const std::string& answer) {
    const HttpReceiver receiver([&](const std::string&) { return answer; });
    configure(receiver.url(), R"(, "timeout": "2s")");
    EXPECT_TRUE(host.start().ok());
    Answer outcome = host.deliver(kakiyo_event("linkedin.message.received"));
    host.stop();
    EXPECT_THAT(host.violations(), IsEmpty());
    EXPECT_THAT(outcome.error, Not(HasSubstr("secret-part")));
    return outcome;
  }

  FakeHost host{hookhost_plugin_entry_v1(), "sales"};
};

TEST_F(SlackNotify, PostsTheFilledTemplateEscapedAsSlackAsks) {
  const HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  configure(receiver.url(), R"(, "template": "{{type}} by {{/data/prospectId}} ({{/data/nothing}}): {{/data/message}}")");
  ASSERT_TRUE(host.start().ok());
  EXPECT_EQ(host.deliver(kakiyo_event("linkedin.message.received", "chat_1", "<!channel> a & b")).status, HOOKHOST_OK);
  EXPECT_EQ(host.deliver(kakiyo_event("linkedin.message.received", "chat_1", "second")).status, HOOKHOST_OK);
  EXPECT_THAT(receiver.bodies(), ElementsAre(R"({"text":"linkedin.message.received by prospect_98765 (): &lt;!channel&gt; a &amp; b"})",
                                             R"({"text":"linkedin.message.received by prospect_98765 (): second"})"));
  EXPECT_EQ(receiver.connections(), 1U) << "the connection is kept";
  host.stop();
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(SlackNotify, MarksATestMessage) {
  const HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  configure(receiver.url(), R"(, "template": "{{/data/message}}")");
  ASSERT_TRUE(host.start_test().ok());
  auto event = kakiyo_event("linkedin.message.received", "chat_1", "hello");
  event.flags |= HOOKHOST_EVENT_TEST;
  EXPECT_EQ(host.deliver(event).status, HOOKHOST_OK);
  EXPECT_THAT(receiver.bodies(), ElementsAre(R"({"text":"[test] hello"})"));
  host.stop();
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(SlackNotify, CutsALongMessageBetweenCharacters) {
  const HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  configure(receiver.url(), R"(, "template": "x{{/data/message}}")");
  ASSERT_TRUE(host.start().ok());
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "\xc3\xa9";
  EXPECT_EQ(host.deliver(kakiyo_event("linkedin.message.received", "chat_1", text)).status, HOOKHOST_OK);
  const std::string body = receiver.bodies().at(0);
  EXPECT_LE(body.size(), 4000 + std::string(R"({"text":""})").size());
  EXPECT_THAT(body, HasSubstr("\xc3\xa9...\"}"));
}

TEST_F(SlackNotify, ANewLineAndAQuoteStayJson) {
  const HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  configure(receiver.url(), R"(, "template": "say \"hi\"\n{{type}}")");
  ASSERT_TRUE(host.start().ok());
  EXPECT_EQ(host.deliver(kakiyo_event("linkedin.message.sent")).status, HOOKHOST_OK);
  EXPECT_THAT(receiver.bodies(), ElementsAre(R"({"text":"say \"hi\"\u000alinkedin.message.sent"})"));
}

TEST_F(SlackNotify, AnOutageIsUnavailable) {
  for (const int code : {500, 502, 503, 429, 408}) EXPECT_EQ(deliver(HttpReceiver::status(code)).status, HOOKHOST_UNAVAILABLE) << code;
  EXPECT_EQ(deliver("").status, HOOKHOST_UNAVAILABLE) << "hung up";
  configure("http://127.0.0.1:1/");
  ASSERT_TRUE(host.start().ok());
  const Answer refused = host.deliver(kakiyo_event("linkedin.message.sent"));
  EXPECT_EQ(refused.status, HOOKHOST_UNAVAILABLE);
  EXPECT_THAT(refused.error, HasSubstr("cannot be reached"));
}

TEST_F(SlackNotify, RetryAfterIsKeptTo) {
  const Answer limited = deliver(HttpReceiver::status(429, "Retry-After: 30\r\n"));
  EXPECT_EQ(limited.status, HOOKHOST_UNAVAILABLE);
  EXPECT_EQ(limited.retry_after, std::chrono::seconds(30));
}

TEST_F(SlackNotify, TheReceiversVerdictIsAReject) {
  for (const int code : {302, 400, 403, 404, 410}) {
    const Answer refused = deliver(HttpReceiver::status(code, "Location: http://127.0.0.1:1/\r\n"));
    EXPECT_EQ(refused.status, HOOKHOST_REJECT) << code;
    EXPECT_THAT(refused.error, HasSubstr(std::to_string(code)));
  }
}

TEST_F(SlackNotify, AnEndlessAnswerIsCutAndItsStatusCounts) {
  EXPECT_EQ(deliver("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(1000000, 'x')).status, HOOKHOST_OK);
}

TEST_F(SlackNotify, AStatusCountsThoughItsBodyBreaksOff) {
  EXPECT_EQ(deliver("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf").status, HOOKHOST_OK) << "posted again it would come twice";
  EXPECT_EQ(deliver("HTTP/1.1 403 No\r\nContent-Length: 100\r\n\r\nhalf").status, HOOKHOST_REJECT);
}

TEST_F(SlackNotify, HoldsManySlowCallsAtOnce) {
  std::atomic<int> at_once{0}, most{0};
  std::atomic<bool> go{false};
  const HttpReceiver receiver([&](const std::string&) {
    const int now = ++at_once;
    for (int before = most; before < now && !most.compare_exchange_weak(before, now);) {
    }
    static_cast<void>(poll_until([&] { return go.load(); }));
    --at_once;
    return HttpReceiver::status(200);
  });
  configure(receiver.url(), R"(, "connections": 16)");
  ASSERT_TRUE(host.start().ok());
  std::vector<std::uint64_t> deliveries;
  for (int i = 0; i < 40; ++i) {
    const Answer answer = host.handle(kakiyo_event("linkedin.message.received", "chat_" + std::to_string(i)));
    ASSERT_EQ(answer.status, HOOKHOST_DEFERRED);
    deliveries.push_back(answer.delivery);
  }
  EXPECT_TRUE(poll_until([&] { return at_once == 16; }));
  go = true;
  for (const auto delivery : deliveries) EXPECT_EQ(host.wait(delivery).status, HOOKHOST_OK);
  EXPECT_EQ(most, 16);
  EXPECT_EQ(receiver.bodies().size(), 40U);
  host.stop();
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(SlackNotify, StopsInTheMiddle) {
  std::atomic<bool> go{false};
  const HttpReceiver receiver([&](const std::string&) {
    static_cast<void>(poll_until([&] { return go.load(); }));
    return HttpReceiver::status(200);
  });
  configure(receiver.url(), R"(, "connections": 2)");
  ASSERT_TRUE(host.start().ok());
  std::vector<std::uint64_t> deliveries;
  for (int i = 0; i < 6; ++i) deliveries.push_back(host.handle(kakiyo_event("linkedin.message.received", "chat_" + std::to_string(i))).delivery);
  EXPECT_TRUE(poll_until([&] { return receiver.bodies().size() == 2; }));
  host.stop();
  EXPECT_THAT(host.violations(), IsEmpty()) << "each is completed once, none after stop";
  for (const auto delivery : deliveries) EXPECT_EQ(host.wait(delivery).status, HOOKHOST_RETRY);
  go = true;
}

TEST_F(SlackNotify, OverTlsOnlyToACertificateThatIsTrusted) {
  const HttpReceiver behind([](const std::string&) { return HttpReceiver::status(200); });
  const TestCertificate identity = make_test_certificate();
  const TlsReceiver receiver(identity, behind.port());
  const TempDir directory;
  write_text(directory / "ca.pem", identity.certificate);
  const auto deliver_to = [&](const std::string& url, const std::string& more) {
    host.configure(R"({"url": ")" + url + "\"" + more + "}", directory.path());
    EXPECT_TRUE(host.start().ok());
    Answer answer = host.deliver(kakiyo_event("linkedin.message.received"));
    host.stop();
    return answer;
  };
  const Answer unknown = deliver_to(receiver.url(), "");
  EXPECT_EQ(unknown.status, HOOKHOST_UNAVAILABLE) << "the operator may mend it, and the message is not lost";
  EXPECT_THAT(unknown.error, HasSubstr("certificate"));
  EXPECT_THAT(unknown.error, Not(HasSubstr("secret-part")));
  std::string other_name = receiver.url();
  other_name.replace(other_name.find("localhost"), 9, "127.0.0.1");
  EXPECT_EQ(deliver_to(other_name, R"(, "ca_file": "ca.pem")").status, HOOKHOST_UNAVAILABLE) << "it is not for that name";
  EXPECT_THAT(behind.bodies(), IsEmpty());
  const Answer trusted = deliver_to(receiver.url(), R"(, "ca_file": "ca.pem")");
  EXPECT_EQ(trusted.status, HOOKHOST_OK) << trusted.error;
  EXPECT_EQ(behind.bodies().size(), 1U);
}

TEST_F(SlackNotify, CountsMessagesAndTheTimeTheyTook) {
  EXPECT_EQ(deliver(HttpReceiver::status(200)).status, HOOKHOST_OK);
  EXPECT_EQ(deliver(HttpReceiver::status(500)).status, HOOKHOST_UNAVAILABLE);
  EXPECT_EQ(deliver(HttpReceiver::status(404)).status, HOOKHOST_REJECT);
  const auto metrics = host.metrics();
  for (const char* name : {"messages_sent", "messages_put_off", "messages_refused"}) EXPECT_EQ(metrics.at(name), 1) << name;
  EXPECT_GT(metrics.at("post_seconds"), 0);
}

TEST_F(SlackNotify, AWrongConfigurationIsSaidByName) {
  const auto start_error = [&](const std::string& config) {
    host.configure(config, "/");
    const Answer answer = host.start();
    EXPECT_EQ(answer.status, HOOKHOST_BAD_CONFIG) << config;
    return answer.error;
  };
  EXPECT_THAT(start_error("{}"), HasSubstr("plugins.sales.config.url: missing"));
  EXPECT_THAT(start_error(R"({"url": "http://127.0.0.1/hidden"})"), ::testing::AllOf(HasSubstr("https://"), Not(HasSubstr("hidden"))));
  EXPECT_THAT(start_error(R"({"url": "https://hidden:port/"})"), ::testing::AllOf(HasSubstr("config.url: cannot be read"), Not(HasSubstr("hidden"))));
  EXPECT_THAT(start_error(R"({"url": "https://x.example", "ca_file": "no/such.pem"})"), HasSubstr("config.ca_file: //no/such.pem cannot be read"));
  EXPECT_THAT(start_error(R"({"url": "https://x.example", "template": "{{nonsense}}"})"), HasSubstr("{{nonsense}} is unknown"));
  EXPECT_THAT(start_error(R"({"url": "https://x.example", "template": "{{type"})"), HasSubstr("a {{ has no }}"));
}

}  // namespace
}  // namespace hookhost::test
