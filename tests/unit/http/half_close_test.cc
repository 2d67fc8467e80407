// Clients that stop sending once they have asked: shutdown(SHUT_WR), or close_notify over TLS.
#include <sys/resource.h>

#include "http_fixture.h"
#include "support/tls_client.h"

namespace hookhost::http {
namespace {

using namespace std::chrono_literals;
using test::TlsClient;

std::chrono::microseconds processor_time() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto sum = [](const timeval& a, const timeval& b) { return std::chrono::seconds(a.tv_sec + b.tv_sec) + std::chrono::microseconds(a.tv_usec + b.tv_usec); };
  return sum(usage.ru_utime, usage.ru_stime);
}

// No timeout may be what ends a connection here.
class HalfClose : public HttpTest {
 protected:
  void SetUp() override { options_.header_timeout = options_.body_timeout = options_.idle_timeout = options_.write_timeout = options_.linger_timeout = 1h; }
  void wait_for_kept(std::size_t count) {
    ASSERT_TRUE(eventually([&] { return handler_.kept_count() == count; }));
  }
  void answer_kept(std::string_view body) {
    for (Responder& responder : handler_.take_kept()) responder.send_json(200, body);
  }
  void expect_no_connection() {
    EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; })) << server_->stats().connections << " stay open";
    EXPECT_EQ(server_->stats().waiting_requests, 0U);
  }
};

TEST_F(HalfClose, AWholeRequestIsAnsweredAndThenTheConnectionIsClosed) {
  start();
  for (const std::string_view path : {"/in/x", "/big", "/stream", "/unknown", "/throw", "/drop"}) {
    RawClient client = connect();
    client.send(post("hi", "", path));
    client.end_output();
    EXPECT_EQ(client.read_answer().status, path == "/unknown" ? 404 : path == "/throw" || path == "/drop" ? 500 : 200) << path;
    EXPECT_TRUE(client.is_closed_by_server()) << path;
  }
  expect_no_connection();
}

TEST_F(HalfClose, AnAnswerThatIsStillBeingMadeArrivesAndSaysThatItIsTheLast) {
  start();
  RawClient client = connect();
  client.send(post("hi", "", "/later"));
  client.end_output();
  wait_for_kept(1);
  answer_kept("\"late\"");
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.body, "\"late\"");
  EXPECT_EQ(answer.header("Connection"), "close");
  EXPECT_TRUE(client.is_closed_by_server());
  expect_no_connection();
}

TEST_F(HalfClose, EveryRequestThatWasSentAheadIsAnswered) {
  start();
  RawClient client = connect();
  std::string ahead = post("first", "", "/later") + post("", "", "/big");
  for (int i = 0; i < 50; ++i) ahead += post("n" + std::to_string(i));
  client.send(ahead + post("last", "", "/later") + "POST /in");
  client.end_output();
  wait_for_kept(1);
  answer_kept("1");
  EXPECT_EQ(client.read_answer().body, "1");
  EXPECT_EQ(client.read_answer().body.size(), 4'000'000U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.read_answer().body, "POST /in/x n" + std::to_string(i));
  wait_for_kept(1);
  answer_kept("2");
  EXPECT_EQ(client.read_answer().body, "2");
  EXPECT_TRUE(client.is_closed_by_server());
  expect_no_connection();
}

TEST_F(HalfClose, HalfARequestIsClosedAtOnce) {
  start();
  const std::string length = post("hi");
  const std::string chunked = "POST /in/x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n";
  for (const std::string& request : {length, chunked}) {
    for (std::size_t size = 0; size < request.size(); ++size) {
      RawClient client = connect();
      client.send(std::string_view(request).substr(0, size));
      client.end_output();
      EXPECT_TRUE(client.receive_all().empty()) << size;
      EXPECT_TRUE(client.is_closed_by_server()) << size;
    }
  }
  EXPECT_TRUE(handler_.requests().empty());
  expect_no_connection();
}

TEST_F(HalfClose, WaitingForTheAnswerCostsNoTimeAndAResetIsSeen) {
  start();
  std::vector<RawClient> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(connect());
    clients.back().send(post("hi", "", "/later"));
    clients.back().end_output();
  }
  wait_for_kept(20);
  EXPECT_EQ(ask(post("hi", "Connection: close\r\n")).status, 200);
  const auto before = processor_time();
  const auto end = std::chrono::steady_clock::now() + 300ms;
  ASSERT_TRUE(eventually([&] { return std::chrono::steady_clock::now() > end; }));
  EXPECT_LT(processor_time() - before, 150ms) << "a reactor turns and turns";
  EXPECT_EQ(server_->stats().connections, 20U);
  for (RawClient& client : clients) client.reset();
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
  answer_kept("\"nobody's\"");
  expect_no_connection();
}

TEST_F(HalfClose, AClientThatIsGoneAltogetherIsSeenByItsAnswer) {
  start();
  for (int i = 0; i < 20; ++i) connect().send(post("hi", "", "/later"));
  wait_for_kept(20);
  answer_kept("\"nobody's\"");
  expect_no_connection();
}

TEST_F(HalfClose, OverTlsByAGoodbyeByAnEndOfBytesOrByBoth) {
  const test::TestCertificate certificate = test::make_test_certificate();
  options_.tls = TlsOptions{certificate.certificate, certificate.key};
  start();
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (int how = 1; how < 4; ++how) {
      const std::string note = "TLS " + std::to_string(version) + ", way " + std::to_string(how);
      TlsClient client(server_->port(), version);
      ASSERT_TRUE(client.send(post("first", "", "/later") + post("", "", "/big") + post("last") + "POST")) << note;
      if ((how & 1) != 0) client.say_goodbye();
      if ((how & 2) != 0) client.socket().end_output();
      wait_for_kept(1);
      answer_kept("\"late\"");
      EXPECT_TRUE(client.receive_answer().ends_with("\"late\"")) << note;
      EXPECT_GT(client.receive_answer().size(), 4'000'000U) << note;
      EXPECT_TRUE(client.receive_answer().ends_with("last")) << note;
      EXPECT_TRUE(client.was_ended_properly()) << note;
    }
  }
  expect_no_connection();
}

TEST_F(HalfClose, OverTlsHalfARequestOrHalfAHandshakeIsClosedAtOnce) {
  const test::TestCertificate certificate = test::make_test_certificate();
  options_.tls = TlsOptions{certificate.certificate, certificate.key};
  start();
  for (const std::string_view part : {"", "P", "POST / HTTP/1.1\r\nHost: h\r\n", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhi"}) {
    for (const bool says_goodbye : {true, false}) {
      TlsClient client(server_->port());
      if (!part.empty()) client.send(part);
      says_goodbye ? client.say_goodbye() : client.socket().end_output();
      EXPECT_TRUE(client.was_ended_properly()) << part;
    }
  }
  const std::string hello = test::client_hello();
  for (const std::size_t size : {std::size_t{0}, std::size_t{20}, hello.size()}) {
    RawClient client = connect();
    client.send(hello.substr(0, size));
    client.end_output();
    EXPECT_TRUE(client.is_closed_by_server()) << size;
  }
  expect_no_connection();
}

}  // namespace
}  // namespace hookhost::http
