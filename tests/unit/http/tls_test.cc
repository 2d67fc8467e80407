#include "http_fixture.h"
#include "support/tls_client.h"

namespace hookhost::http {
namespace {

using namespace std::chrono_literals;
using test::TlsClient;

class TlsTest : public HttpTest {
 protected:
  static void SetUpTestSuite() { certificate_ = test::make_test_certificate(); }
  void SetUp() override { options_.tls = TlsOptions{certificate_.certificate, certificate_.key}; }
  static test::TestCertificate certificate_;
};
test::TestCertificate TlsTest::certificate_;

TEST_F(TlsTest, AnswersSeveralRequestsOnOneConnection) {
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.is_connected());
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client.send(post("n" + std::to_string(i))));
    EXPECT_TRUE(client.receive_answer().ends_with("POST /in/x n" + std::to_string(i)));
  }
}

TEST_F(TlsTest, AnswersPipelinedRequests) {
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("one", "", "/later") + post("two")));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "\"kept\"");
  EXPECT_TRUE(client.receive_answer().find("\"kept\"") != std::string::npos);
}

TEST_F(TlsTest, SendsALargeAnswer) {
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("x", "", "/big")));
  EXPECT_GT(client.receive_answer().size(), 4'000'000U);
}

TEST_F(TlsTest, ReceivesALargeBody) {
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n"));
  ASSERT_TRUE(client.send(std::string(1'000'000, 'z')));
  EXPECT_GT(client.receive_answer().size(), 1'000'000U);
}

TEST_F(TlsTest, EndsWithCloseNotify) {
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("bye", "Connection: close\r\n")));
  EXPECT_TRUE(client.receive_answer().ends_with("bye"));
  EXPECT_TRUE(client.was_ended_properly());
}

TEST_F(TlsTest, SpeaksTls12And13Only) {
  start();
  EXPECT_EQ(TlsClient(server_->port(), TLS1_3_VERSION).version(), "TLSv1.3");
  TlsClient older(server_->port(), TLS1_2_VERSION);
  EXPECT_TRUE(older.is_connected());
  EXPECT_EQ(older.version(), "TLSv1.2");
  EXPECT_FALSE(TlsClient(server_->port(), TLS1_1_VERSION).is_connected());
}

TEST_F(TlsTest, ASilentClientHoldsUpNobodyAndIsCut) {
  options_.threads = 1;
  options_.header_timeout = 300ms;
  start();
  RawClient silent = connect();
  RawClient half = connect();
  half.send(std::string("\x16\x03\x01", 3));
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("hi")));
  EXPECT_TRUE(client.receive_answer().ends_with("hi"));
  EXPECT_TRUE(silent.is_closed_by_server());
  EXPECT_TRUE(half.is_closed_by_server());
}

TEST_F(TlsTest, PlainHttpAndGarbageAreCut) {
  start();
  RawClient plain = connect();
  plain.send(post("hi"));
  EXPECT_TRUE(plain.is_closed_by_server());
  EXPECT_TRUE(eventually([&] { return server_->stats().tls_failures > 0; }));
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("hi")));
  EXPECT_TRUE(client.receive_answer().ends_with("hi"));
}

TEST_F(TlsTest, AClientThatLeavesInTheHandshakeHarmsNobody) {
  start();
  for (int i = 0; i < 20; ++i) {
    RawClient leaver = connect();
    leaver.send(std::string("\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03", 11));
    leaver.reset();
  }
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("hi")));
  EXPECT_TRUE(client.receive_answer().ends_with("hi"));
}

// With a hello that the server answers, so that it writes to who is gone.
TEST_F(TlsTest, AClientThatLeavesAmidTheHandshakeHarmsNobody) {
  start();
  const std::string hello = test::client_hello();
  for (int i = 0; i < 20; ++i) {
    RawClient leaver = connect();
    leaver.send(hello);
    if (i % 2 == 0) leaver.reset();
  }
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send(post("hi")));
  EXPECT_TRUE(client.receive_answer().ends_with("hi"));
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 1; }));
}

TEST_F(TlsTest, TheAnswerTo413ArrivesThoughTheClientGoesOnSending) {
  start();
  TlsClient client(server_->port());
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2000000\r\n\r\n"));
  ASSERT_TRUE(client.send(std::string(2'000'000, 'x')));
  EXPECT_TRUE(client.receive_answer().starts_with("HTTP/1.1 413 "));
  EXPECT_TRUE(client.was_ended_properly());
}

TEST_F(TlsTest, RefusesBadCertificatesAndKeys) {
  const test::TestCertificate other = test::make_test_certificate();
  const std::vector<TlsOptions> bad{{"nonsense", certificate_.key}, {certificate_.certificate, "nonsense"}, {certificate_.certificate, other.key}};
  for (const TlsOptions& tls : bad) {
    options_.address = "127.0.0.1:0";
    options_.tls = tls;
    const auto started = Server::start(options_, handler_);
    ASSERT_FALSE(started.has_value());
    EXPECT_EQ(started.error().code, ErrorCode::invalid_config);
    EXPECT_EQ(started.error().message.find("PRIVATE"), std::string::npos);
  }
}

}  // namespace
}  // namespace hookhost::http
