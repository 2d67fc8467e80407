// What senders of webhooks see of a real host: published errors that the diagnostics explain, limits, TLS, an orderly end.
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "support/tls_client.h"
#include "system/answers.h"

namespace hookhost::test {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Http : public AnswersTest {
 protected:
  Http() {
    host.sources["github"] = R"({scheme: github, secrets: ["github-test-secret"], body_bytes_max: 100KiB})";
    host.sources["stripe"] = R"({scheme: stripe, secrets: ["stripe-test-secret"]})";
    host.sources["pinned"] = R"({scheme: kakiyo, secrets: ["system-test-secret"], team: team_other})";
    host.sources["raw"] = "{unsigned: true, duplicates: {by: \"off\"}}";
  }

  const std::string body_ = message("chat_1", 1);
};

TEST_F(Http, RefusalsHaveTheirCodeAndTheirLineInTheDiagnostics) {
  ASSERT_TRUE(host.start());
  std::string wrong = signed_post(body_);
  wrong.back() = ' ';
  expect_error(ask(wrong), 401, "invalid_signature");
  expect_error(ask(wrong), 401, "invalid_signature");  // a line all the same within the minute, for who asked for all
  expect_error(ask(post(body_, "", "/in/kakiyo")), 401, "missing_signature");
  expect_error(ask(post(body_, "X-Kakiyo-Signature: zz\r\n", "/in/kakiyo")), 401, "malformed_signature");
  expect_error(ask(post(body_, signature_of(body_) + signature_of(body_), "/in/kakiyo")), 401, "malformed_signature");
  expect_error(ask(post(body_, signature_of(body_, signing::Scheme::stripe, "stripe-test-secret", system_clock().wall() - 1h), "/in/stripe")), 401, "stale_timestamp");
  expect_error(ask(signed_post(body_, "/in/pinned")), 403, "team_mismatch");
  const std::string github = signature_of(body_, signing::Scheme::github, "github-test-secret") + "X-GitHub-Event: push\r\n";
  expect_error(ask(post(body_, github + "X-GitHub-Delivery: 1\r\nX-GitHub-Delivery: 2\r\n", "/in/github")), 400, "invalid_request");
  expect_error(ask("POST /in/kakiyo HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"), 400, "invalid_request");
  expect_error(ask(post(body_, "", "/in/nobody")), 404, "unknown_source");
  const RawAnswer wrong_method = ask("GET /in/kakiyo HTTP/1.1\r\nHost: h\r\n\r\n");
  expect_error(wrong_method, 405, "method_not_allowed");
  EXPECT_EQ(wrong_method.header("Allow"), "POST");
  expect_error(ask(post(std::string(200'000, 'x'), "", "/in/github")), 413, "body_too_large");
  expect_error(ask(post(body_, "X: " + std::string(20'000, 'x') + "\r\n", "/in/kakiyo")), 431, "header_too_large");
  expect_error(ask("POST /in/kakiyo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"), 501, "not_supported");
  expect_error(ask("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505, "not_supported");
  EXPECT_EQ(host.events().size(), 0U);
  for (const std::string& secret : secrets()) EXPECT_THAT(host.diagnostics(), testing::Not(HasSubstr(secret)));
}

TEST_F(Http, SlowRequestsAre408) {
  host.listen = ", header_timeout: 300ms, body_timeout: 300ms";
  ASSERT_TRUE(host.start());
  expect_error(ask("POST /in/kak"), 408, "timeout");
  expect_error(ask("POST /in/kakiyo HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\nab"), 408, "timeout");
}

TEST_F(Http, TooManyConnectionsAre503AndNoneIsForgotten) {
  host.listen = ", connections_max: 3";
  ASSERT_TRUE(host.start());
  std::vector<RawClient> open;
  for (int i = 0; i < 3; ++i) {
    open.push_back(host.connect());
    open.back().send(post("hi", "", "/in/raw"));
    EXPECT_EQ(open.back().read_answer().status, 200);
  }
  expect_error(host.connect().read_answer(), 503, "unavailable");
  open.clear();
  EXPECT_TRUE(poll_until([&] { return ask(post("hi", "", "/in/raw")).status == 200; }));
}

TEST_F(Http, WhatTheDiskRefusesIs503WithoutAWordOfTheDisk) {
  ASSERT_TRUE(host.start({}, {"HOOKHOST_FAILPOINTS=event_log.sync_fails=error@1"}));
  expect_error(ask(signed_post(body_)), 503, "unavailable");
  EXPECT_EQ(host.process().wait(), 70);
  EXPECT_THAT(host.diagnostics(), HasSubstr("failpoint")) << "the operator is told";
}

TEST_F(Http, AtMostOneLineAMinuteOfASourceAndReason) {
  host.more.clear();
  host.sources["rotated"] = R"({scheme: kakiyo, secrets: [{value: system-test-secret, until: 2020-01-01}, {value: github-test-secret}]})";
  ASSERT_TRUE(host.start());
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    for (const std::string path : {"/in/kakiyo", "/in/nobody"}) {
      const RawAnswer answer = ask(post(body_, "", path));
      ids.emplace_back(json::parse(answer.body).at("request_id").as_string());
    }
  }
  EXPECT_EQ(ask(signed_post(body_, "/in/rotated")).status, 401);
  ASSERT_TRUE(poll_until([&] { return host.diagnostics().find("source=rotated") != std::string::npos; }));
  const auto lines = lines_of(host.diagnostics());
  const auto count = [&](const std::string& text) {
    return std::count_if(lines.begin(), lines.end(), [&](const std::string& line) { return line.find(text) != std::string::npos; });
  };
  EXPECT_EQ(count("source=kakiyo reason=missing_signature request_id=" + ids[0]), 1);
  EXPECT_EQ(count("reason=missing_signature"), 1);
  EXPECT_EQ(count("listener=public reason=unknown_source request_id=" + ids[1]), 1);
  EXPECT_EQ(count("reason=unknown_source"), 1);
  EXPECT_EQ(count("the signature matches secret 1, which expired 2020-01-01"), 1) << host.diagnostics();
  for (const std::string& secret : secrets()) EXPECT_THAT(host.diagnostics(), testing::Not(HasSubstr(secret)));
}

// The listener reads a request and the end of its client's input at once, the answer comes with the commit.
TEST_F(Http, WhoStopsSendingBehindItsRequestIsAnswered) {
  ASSERT_TRUE(host.start());
  std::vector<RawClient> clients;
  for (int i = 0; i < 50; ++i) {
    clients.push_back(host.connect());
    clients.back().send(signed_post(message("chat_1", i)));
    clients.back().end_output();
  }
  for (RawClient& client : clients) {
    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(client.is_closed_by_server());
  }
  EXPECT_EQ(host.events().size(), 50U);
}

TEST_F(Http, SigtermAnswersWhatIsUnderWayAndClosesTheRest) {
  host.more += "drain_timeout: 20s\n";
  ASSERT_TRUE(host.start());
  RawClient idle = host.connect();
  idle.send(post("hi", "", "/in/raw"));
  EXPECT_EQ(idle.read_answer().header("Connection"), "");
  RawClient busy = host.connect();
  const std::string request = signed_post(body_);
  busy.send(request.substr(0, request.size() - 10));
  ASSERT_TRUE(poll_until([&] { return host.get("/api/status").size() > 0; }));  // the host has read what is before it
  const auto begin = std::chrono::steady_clock::now();
  host.process().signal(SIGTERM);
  EXPECT_TRUE(idle.is_closed_by_server());
  idle.close();
  EXPECT_TRUE(poll_until([&] { return !host.connect().is_connected(); })) << "it still listens";
  busy.send(request.substr(request.size() - 10));
  const RawAnswer answer = busy.read_answer();
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(busy.is_closed_by_server());
  busy.close();
  EXPECT_EQ(host.process().wait(), 0) << host.diagnostics();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
  EXPECT_EQ(host.events().size(), 2U) << "what was answered is there";
}

TEST_F(Http, TlsBesideSilentClients) {
  const TestCertificate certificate = make_test_certificate();
  write_text(host.path("certificate.pem"), certificate.certificate);
  write_text(host.path("key.pem"), certificate.key);
  host.listen = ", threads: 1, tls: {certificate: ../certificate.pem, key: ../key.pem}";
  ASSERT_TRUE(host.start());
  RawClient silent = host.connect();
  RawClient leaver = host.connect();
  leaver.send(client_hello());
  leaver.reset();
  TlsClient client(host.public_port());
  ASSERT_TRUE(client.send(signed_post(body_)));
  EXPECT_THAT(client.receive_answer(), HasSubstr("\"status\":\"accepted\""));
  EXPECT_EQ(host.events().size(), 1U);
}

// Descriptors of the host, and the processor time it has used.
std::size_t descriptors(pid_t pid) {
  const std::filesystem::directory_iterator all("/proc/" + std::to_string(pid) + "/fd");
  return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}
std::chrono::milliseconds cpu_time(pid_t pid) {
  const std::string stat = contents("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string field;
  long ticks = 0;
  for (int i = 3; i <= 15 && fields >> field; ++i) {
    if (i >= 14) ticks += std::stol(field);
  }
  return std::chrono::milliseconds{ticks * 1000 / ::sysconf(_SC_CLK_TCK)};
}

TEST_F(Http, DescriptorsRunOutAndTheOpenConnectionsAreServedNewOnesOnceSomeClose) {
  ASSERT_TRUE(host.start());
  for (int i = 0; i < 4; ++i) ASSERT_EQ(ask(post("hi", "", "/in/raw")).status, 200);  // UBSan needs descriptors to look at an object the first time
  const pid_t pid = host.process().pid();
  rlimit before{};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, nullptr, &before), 0);
  const rlimit tight{descriptors(pid) + 40, before.rlim_max};
  ASSERT_EQ(::prlimit(pid, RLIMIT_NOFILE, &tight, nullptr), 0);

  std::vector<RawClient> clients;
  for (int i = 0; i < 80; ++i) {
    clients.push_back(host.connect());  // the kernel takes what the host does not
    clients.back().send(post("hi", "", "/in/raw"));
  }
  std::vector<RawClient> served;
  const auto serve_some = [&] {
    std::vector<RawClient> waiting;
    for (RawClient& client : clients) {
      pollfd wait{client.descriptor(), POLLIN, 0};
      const bool is_answered = ::poll(&wait, 1, 0) == 1 && client.read_answer().status == 200;
      (is_answered ? served : waiting).push_back(std::move(client));
    }
    clients.swap(waiting);
  };
  ASSERT_TRUE(poll_until([&] {
    serve_some();
    return served.size() >= 30 && host.diagnostics().find("no descriptor left") != std::string::npos;
  })) << served.size() << " are served\n" << host.diagnostics();

  const auto cpu_before = cpu_time(pid);
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(poll_until([&] {
    serve_some();
    return std::chrono::steady_clock::now() - begin > 500ms;
  }));
  EXPECT_LT(cpu_time(pid) - cpu_before, (std::chrono::steady_clock::now() - begin) / 2) << "it spins";
  EXPECT_GE(clients.size(), 20U) << "more than the descriptors allow";
  for (RawClient& open : served) {
    open.send(post("again", "", "/in/raw"));
    EXPECT_EQ(open.read_answer().status, 200);
  }
  EXPECT_TRUE(poll_until([&] {
    served.clear();
    serve_some();
    return clients.empty();
  })) << clients.size() << " are not served";
  served.clear();  // they hold the descriptors that the admin socket needs
  EXPECT_TRUE(poll_until([&] { return host.is_ready(); }));
}

}  // namespace
}  // namespace hookhost::test
