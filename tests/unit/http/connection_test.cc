// Order and limits of connections.
#include <sys/resource.h>

#include "http_fixture.h"

namespace hookhost::http {
namespace {

using namespace std::chrono_literals;

class ConnectionTest : public HttpTest {};

TEST_F(ConnectionTest, AnswersPipelinedRequestsInOrder) {
  start();
  RawClient client = connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += post("n" + std::to_string(i));
  client.send(all);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.read_answer().body, "POST /in/x n" + std::to_string(i));
}

TEST_F(ConnectionTest, HoldsPipelinedRequestsBackUntilTheFirstIsAnswered) {
  start();
  RawClient client = connect();
  client.send(post("first", "", "/later") + post("second"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  EXPECT_EQ(handler_.requests().size(), 1U);
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "\"kept\"");
  EXPECT_EQ(client.read_answer().body, "\"kept\"");
  EXPECT_EQ(client.read_answer().body, "POST /in/x second");
}

TEST_F(ConnectionTest, ClosesAfterTheAnswerWhenTooMuchIsSentAhead) {
  start();
  RawClient client = connect();
  client.send(post("first", "", "/later"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  client.send(std::string(3 * 1024 * 1024, 'x'));
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "1");
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(ConnectionTest, KeepsBodiesExactly) {
  start();
  std::string body;
  for (int i = 0; i < 512; ++i) body += static_cast<char>(i & 0xFF);
  EXPECT_EQ(ask(post(body)).status, 200);
  ASSERT_EQ(handler_.requests().size(), 1U);
  EXPECT_EQ(handler_.requests()[0].body, body);
}

TEST_F(ConnectionTest, KeepsHeadersAsSentAndInOrder) {
  start();
  EXPECT_EQ(ask(post("", "X-Sig: one\r\nx-sig: two\r\n", "/in/x?q=1")).header("X-Context"), "context");
  const RequestHead head = handler_.requests().at(0).head;
  EXPECT_EQ(all_headers(head, "X-SIG"), (std::vector<std::string_view>{"one", "two"}));
  EXPECT_EQ(head.headers.at(3).name, "x-sig");
  EXPECT_EQ(head.path(), "/in/x");
  EXPECT_EQ(head.query(), "q=1");
  EXPECT_TRUE(head.peer.starts_with("127.0.0.1:")) << head.peer;
}

TEST_F(ConnectionTest, ReceivesALargeBodyInPieces) {
  start();
  RawClient client = connect();
  const std::string body(20'000'000, 'y');
  std::thread sender([&] { client.send(post(body, "", "/large")); });
  const RawAnswer answer = client.read_answer();
  sender.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body.size(), body.size() + std::string("POST /large ").size());
}

TEST_F(ConnectionTest, SaysContinueWhenAsked) {
  start();
  RawClient client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.read_answer(true, true).status, 100);
  client.send("hi");
  EXPECT_EQ(client.read_answer().status, 200);
}

TEST_F(ConnectionTest, RefusesInsteadOfContinue) {
  start();
  RawClient client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5000\r\n\r\n");
  EXPECT_EQ(client.read_answer(true, true).status, 413);
  EXPECT_TRUE(client.is_closed_by_server());
}

TEST_F(ConnectionTest, TheAnswerTo413ArrivesThoughTheClientGoesOnSending) {
  start();
  RawClient client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000\r\n\r\n");
  client.send(std::string(4'000'000, 'x'));
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST_F(ConnectionTest, AnswersAtOnceWhenTheBodyComesWithTheExpectation) {
  start();
  RawClient client = connect();
  client.send(post("hi", "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.read_answer(true, true).status, 200);
  client.send(post("hi", "Expect: 100-continue\r\n", "/unknown"));
  EXPECT_EQ(client.read_answer(true, true).status, 404);
}

TEST_F(ConnectionTest, AClosingConnectionReadsOnForTheLingerTimeoutOnly) {
  options_.linger_timeout = 100ms;
  start();
  RawClient client = connect();
  client.send(post("bye", "Connection: close\r\n"));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(eventually([&] { return !client.send("x"); })) << "it neither closes nor stops sending";
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
}

TEST_F(ConnectionTest, AClosingConnectionReadsOnFor8MiBOnly) {
  options_.linger_timeout = 1h;
  start();
  RawClient client = connect();
  client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 900000000\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
  const std::string mebibyte(1 << 20, 'x');
  int sent = 0;
  while (sent < 100 && client.send(mebibyte)) ++sent;
  EXPECT_GE(sent, 8);
  EXPECT_LT(sent, 100);
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
}

TEST_F(ConnectionTest, TheAbsoluteFormNamesTheSamePath) {
  start();
  EXPECT_EQ(ask(post("hi", "", "http://example.org:8080/in/x?q=1")).status, 200);
  EXPECT_EQ(ask(post("hi", "", "http://example.org/unknown")).status, 404);
  const RequestHead head = handler_.requests().at(0).head;
  EXPECT_EQ(head.path(), "/in/x");
  EXPECT_EQ(head.query(), "q=1");
}

TEST_F(ConnectionTest, HeadHasNoBody) {
  start();
  RawClient client = connect();
  client.send("HEAD /x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(client.read_answer(false).header("Content-Length"), "8");
  client.send(post("next"));
  EXPECT_EQ(client.read_answer().body, "POST /in/x next");
}

// Its requests are answered at once, so that its socket never runs empty: others have their turn all the same.
TEST_F(ConnectionTest, AClientThatSendsWithoutEndHoldsUpNobody) {
  options_.threads = 1;
  start();
  RawClient greedy = connect();
  std::string many;
  for (int i = 0; i < 2000; ++i) many += "GET /unknown HTTP/1.1\r\nHost: h\r\n\r\n";
  std::thread sender([&] {
    while (greedy.send(many)) {
    }
  });
  std::thread reader([&] {
    while (greedy.read_answer().status != 0) {
    }
  });
  EXPECT_TRUE(eventually([&] { return server_->stats().requests > 4000; }));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(ask(post("hi")).status, 200) << i;
  ::shutdown(greedy.descriptor(), SHUT_RDWR);
  sender.join();
  reader.join();
}

TEST_F(ConnectionTest, ABigAnswerReachesAClientThatReads) {
  start();
  EXPECT_EQ(ask(post("x", "", "/big")).body.size(), 4'000'000U);
}

TEST_F(ConnectionTest, StreamsAnAnswerInChunks) {
  start();
  RawClient client = connect();
  client.send(post("x", "", "/stream") + post("next"));
  const RawAnswer answer = client.read_answer();
  EXPECT_EQ(answer.header("Transfer-Encoding"), "chunked");
  EXPECT_EQ(answer.body, "begin " + std::string(200'000, 's'));
  EXPECT_EQ(client.read_answer().body, "POST /in/x next");
}

TEST_F(ConnectionTest, StreamsToHttp10UntilTheEnd) {
  start();
  RawClient client = connect();
  client.send("POST /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(client.read_answer().body, "begin " + std::string(200'000, 's'));
}

TEST_F(ConnectionTest, RefusesConnectionsAboveTheLimit) {
  options_.connections_max = 2;
  start();
  std::vector<RawClient> open;
  for (int i = 0; i < 2; ++i) {
    open.push_back(connect());
    open.back().send(post("hi"));
    EXPECT_EQ(open.back().read_answer().status, 200);
  }
  RawClient third = connect();
  const RawAnswer refused = third.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.header("Retry-After"), "");
  EXPECT_TRUE(third.is_closed_by_server());
  open[0].send(post("still served"));
  EXPECT_EQ(open[0].read_answer().status, 200);
  third.close();
  open.pop_back();
  EXPECT_TRUE(eventually([&] { return ask(post("hi")).status == 200; }));
}

// In a process of its own, where 200 descriptors are for clients and server both.
TEST(ConnectionDeathTest, ConnectionsMaxIsLoweredToTheDescriptorLimit) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto served = [] {
    const rlimit limit{200, 200};
    ::setrlimit(RLIMIT_NOFILE, &limit);
    EchoHandler handler;
    ServerOptions options;
    options.address = "127.0.0.1:0";
    const auto server = std::move(Server::start(options, handler)).value();
    std::vector<RawClient> open;
    for (int status = 200; status == 200;) {
      open.emplace_back(server->port()).send(post("hi"));
      status = open.back().read_answer().status;
    }
    std::_Exit(server->stats().refused_connections == 1 ? static_cast<int>(open.size()) - 1 : 0);
  };
  EXPECT_EXIT(served(), testing::ExitedWithCode(200 - 64 - 64), "connections_max is lowered");
}

TEST_F(ConnectionTest, RefusesRequestsAboveTheWaitingLimit) {
  options_.waiting_requests_max = 1;
  start();
  RawClient first = connect();
  first.send(post("x", "", "/later"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  RawClient second = connect();
  second.send(post("y"));
  const RawAnswer refused = second.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.header("Retry-After"), "");
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "1");
  EXPECT_EQ(first.read_answer().status, 200);
  second.send(post("y"));
  EXPECT_EQ(second.read_answer().status, 200);
}

TEST_F(ConnectionTest, BoundsTheBytesOfAllBodies) {
  options_.buffered_bytes_max = 100'000;
  start();
  RawClient client = connect();
  client.send("POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + std::string(500'000, 'x'));
  const RawAnswer refused = client.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.header("Retry-After"), "");
  client.close();
  EXPECT_TRUE(eventually([&] { return ask(post("hi")).status == 200; }));
}

// The client of an unanswered request leaves, its descriptor's number is used again at once, and the answer comes then: in every second
// round after the server has seen that it is gone, in the others at about that moment.
TEST_F(ConnectionTest, AnAnswerNeverReachesAnotherClient) {
  start();
  for (int round = 0; round < 100; ++round) {
    {
      RawClient leaver = connect();
      leaver.send(post("x", "", "/later"));
      ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
      leaver.reset();
    }
    if (round % 2 == 0) {
      ASSERT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
    }
    std::vector<RawClient> others;
    for (int i = 0; i < 4; ++i) others.push_back(connect());
    for (Responder& responder : handler_.take_kept()) responder.send_json(200, "\"not yours\"");
    for (RawClient& other : others) {
      other.send(post("mine"));
      ASSERT_EQ(other.read_answer().body, "POST /in/x mine");
    }
  }
}

TEST_F(ConnectionTest, AnswersFromManyThreadsWhileClientsComeAndGo) {
  start();
  std::atomic<bool> is_over{false};
  std::thread answerer([&] {
    while (!is_over) {
      for (Responder& responder : handler_.take_kept()) responder.send_json(200, "\"late\"");
    }
  });
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  for (int each = 0; each < 4; ++each) {
    clients.emplace_back([&, each] {
      for (int round = 0; round < 60; ++round) {
        RawClient client = connect();
        client.send(post("x", "", "/later"));
        if ((round + each) % 3 == 0) continue;  // leaves before the answer
        if (client.read_answer().body != "\"late\"") ++wrong;
        client.send(post("y"));
        if (client.read_answer().body != "POST /in/x y") ++wrong;
      }
    });
  }
  for (auto& client : clients) client.join();
  is_over = true;
  answerer.join();
  EXPECT_EQ(wrong, 0);
  handler_.take_kept().clear();
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 0; }));
  EXPECT_EQ(server_->stats().waiting_requests, 0U);
}

TEST_F(ConnectionTest, RefusesAddressesItCannotUse) {
  for (const char* address : {"", "nohost", "127.0.0.1:99999", "127.0.0.1:x", "::1:80"}) {
    options_.address = address;
    const auto started = Server::start(options_, handler_);
    ASSERT_FALSE(started.has_value()) << address;
    EXPECT_EQ(started.error().code, ErrorCode::usage);
  }
  start();
  options_.address = "127.0.0.1:" + std::to_string(server_->port());
  const auto second = Server::start(options_, handler_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, ErrorCode::io_error);
}

}  // namespace
}  // namespace hookhost::http
