// What a stranger may send to the TLS port: no end of the process, no connection that stays, and others are served meanwhile.
#include <random>

#include "http_fixture.h"
#include "support/tls_client.h"

namespace hookhost::http {
namespace {

using namespace std::chrono_literals;
using test::TlsClient;

class HostileTls : public HttpTest {
 protected:
  static void SetUpTestSuite() { certificate_ = test::make_test_certificate(); }
  void SetUp() override {
    options_.tls = TlsOptions{certificate_.certificate, certificate_.key};
    options_.header_timeout = 500ms;
    options_.write_timeout = 1h;  // nothing here may need it
    options_.threads = 1;
    const char* given = std::getenv("HOOKHOST_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::cout << "HOOKHOST_SEED=" << seed << '\n';
    random_.seed(seed);
    start();
  }
  void TearDown() override {
    expect_others_are_served();
    EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; })) << server_->stats().connections << " stay open";
    EXPECT_EQ(server_->stats().waiting_requests, 0U);
    HttpTest::TearDown();
  }
  void expect_others_are_served() {
    TlsClient client(server_->port());
    ASSERT_TRUE(client.send(post("hi", "Connection: close\r\n")));
    EXPECT_TRUE(client.receive_answer().ends_with("hi"));
  }
  std::size_t below(std::size_t bound) { return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_); }
  std::string flipped(std::string bytes) {
    bytes[below(bytes.size())] ^= static_cast<char>(1U << below(8));
    return bytes;
  }
  std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    for (char& byte : bytes) byte = static_cast<char>(below(256));
    return bytes;
  }

  static test::TestCertificate certificate_;
  std::mt19937_64 random_;
};
test::TestCertificate HostileTls::certificate_;

TEST_F(HostileTls, AHelloThatEndsAtEachOfItsBytes) {
  const std::string hello = test::client_hello();
  for (std::size_t size = 1; size < hello.size(); ++size) {
    RawClient client = connect();
    client.send(hello.substr(0, size));
    if (size % 2 == 0) client.reset();
  }
  RawClient in_pieces = connect();
  for (const char byte : hello) in_pieces.send({&byte, 1});
  in_pieces.end_output();
  EXPECT_FALSE(in_pieces.receive_all().empty()) << "one byte at a time is a hello all the same";
}

TEST_F(HostileTls, NoiseBareOrInARecordOfAnyKind) {
  for (int round = 0; round < 150; ++round) {
    RawClient client = connect();
    const std::size_t size = below(2000);
    const char length[2] = {static_cast<char>(size >> 8), static_cast<char>(size)};
    client.send(round % 3 == 0 ? noise(size + 1) : std::string(1, static_cast<char>(20 + below(5))) + "\x03\x03" + std::string(length, 2) + noise(size));
    if (round % 5 == 0) client.reset();
  }
}

TEST_F(HostileTls, AHelloWithFlippedBits) {
  const std::string hello = test::client_hello();
  for (int round = 0; round < 150; ++round) {
    RawClient client = connect();
    client.send(flipped(round % 2 == 0 ? hello : flipped(hello)));
    client.end_output();
    EXPECT_TRUE(client.is_closed_by_server()) << "round " << round;
  }
}

TEST_F(HostileTls, AFlippedBitOfARequestsRecordsReachesNoHandler) {
  for (int round = 0; round < 40; ++round) {
    TlsClient client(server_->port(), round % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
    ASSERT_TRUE(client.is_connected());
    const std::string sealed = client.seal(post("forged"));
    // A length that grew makes the server wait for the rest: it comes, and is wrong.
    client.socket().send(flipped(sealed) + std::string(70'000, 'x'));
    EXPECT_TRUE(client.socket().is_closed_by_server()) << "round " << round;
  }
  for (const Request& request : handler_.requests()) EXPECT_NE(request.body, "forged");
}

TEST_F(HostileTls, AnAlertOfAnyKindAtAnyTime) {
  for (const char level : {'\x01', '\x02', '\x7f'}) {
    for (int kind = 0; kind < 256; kind += 5) {
      RawClient client = connect();
      client.send(std::string("\x15\x03\x03\x00\x02", 5) + level + static_cast<char>(kind));
      if (kind % 2 == 0) client.send(test::client_hello());
    }
    TlsClient client(server_->port());
    client.socket().send(std::string("\x15\x03\x03\x00\x02", 5) + level + '\x28');
    EXPECT_TRUE(client.socket().is_closed_by_server()) << "a bare one among sealed records";
  }
}

TEST_F(HostileTls, NoRenegotiation) {
  TlsClient client(server_->port(), TLS1_2_VERSION);
  ASSERT_TRUE(client.is_connected());
  EXPECT_FALSE(client.renegotiate());
}

TEST_F(HostileTls, ARenegotiationInManyRecordsIsCut) {
  TlsClient client(server_->port(), TLS1_2_VERSION);
  client.renegotiate_at_length();
  EXPECT_TRUE(eventually([&] { return server_->stats().tls_failures == 1; }));
  EXPECT_TRUE(client.socket().is_closed_by_server());
}

TEST_F(HostileTls, NewKeysAgainAndAgain) {
  TlsClient client(server_->port());
  for (int request = 0; request < 20; ++request) {
    for (int asked = 0; asked < 32; ++asked) ASSERT_TRUE(client.update_keys());
    ASSERT_TRUE(client.send(post("hi")));
    EXPECT_TRUE(client.receive_answer().ends_with("hi")) << request;
  }
}

// Each costs the server more than the client.
TEST_F(HostileTls, NewKeysAndNothingElseAreCut) {
  TlsClient client(server_->port());
  int asked = 0;
  while (asked < 100'000 && client.update_keys()) ++asked;
  EXPECT_LT(asked, 100'000);
  EXPECT_TRUE(eventually([&] { return server_->stats().tls_failures == 1; }));
  EXPECT_LT(client.socket().receive_all().size(), 64U * 1024) << "what it got for them";
}

TEST_F(HostileTls, RepliesThatAreNotReadAreNotKept) {
  TlsClient client(server_->port(), TLS1_3_VERSION, 4096);
  ASSERT_TRUE(client.send(post("", "", "/big")));
  pollfd first_bytes{client.socket().descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&first_bytes, 1, 20'000), 1);
  int rounds = 0;
  const auto ask = [&] {
    for (int asked = 0; asked < 30; ++asked) {
      if (!client.update_keys()) return false;
    }
    return client.send("P");
  };
  while (rounds < 5'000 && ask()) ++rounds;
  EXPECT_LT(rounds, 5'000) << "4 MB of replies wait behind the answer";
}

TEST_F(HostileTls, ARequestInRecordsOfOneByteEach) {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    TlsClient client(server_->port(), version);
    std::string records;
    for (const char byte : post(std::string(900, 'b'))) records += client.seal({&byte, 1});
    client.socket().send(records);
    EXPECT_TRUE(client.receive_answer().ends_with("bbb"));
  }
}

TEST_F(HostileTls, WhatComesBehindAGoodbyeIsNotKept) {
  TlsClient idle(server_->port());
  ASSERT_TRUE(idle.is_connected());
  idle.say_goodbye();
  EXPECT_TRUE(idle.was_ended_properly()) << "long before its idle timeout";

  TlsClient waits(server_->port());
  ASSERT_TRUE(waits.send(post("late", "", "/later")));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  waits.say_goodbye();
  waits.socket().send(std::string(1'000'000, 'x'));
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "\"kept\"");
  EXPECT_NE(waits.receive_answer().find("\"kept\""), std::string::npos) << "what it asked before is answered";
  EXPECT_TRUE(waits.socket().is_closed_by_server());
}

}  // namespace
}  // namespace hookhost::http
