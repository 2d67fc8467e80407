// Clients that are slow, silent or do not read: what ends them, and that nobody else waits.
#include <sys/resource.h>

#include "http_fixture.h"

namespace hookhost::http {
namespace {

using namespace std::chrono_literals;

class DeadlineTest : public HttpTest {
 protected:
  // A request that is answered, so that what follows is the connection's second one.
  RawClient connect_and_ask() {
    RawClient client = connect();
    client.send(post("one"));
    EXPECT_EQ(client.read_answer().status, 200);
    return client;
  }
  // Sends `begin` and then a byte every few milliseconds until the server has had enough.
  void expect_408_dripping(RawClient client, const std::string& begin) {
    const std::uint64_t before = server_->stats().timeouts;
    client.send(begin);
    EXPECT_TRUE(eventually([&] { return !client.send("x") || server_->stats().timeouts == before + 1; }));
    expect_408(client);
  }
  static void expect_408(RawClient& client) {
    const RawAnswer answer = client.read_answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_EQ(answer.header("Connection"), "close");
    EXPECT_NE(answer.body.find("\"timeout\""), std::string::npos) << answer.body;
    EXPECT_TRUE(client.is_closed_by_server());
  }
  static std::chrono::microseconds cpu_time() {
    rusage used{};
    ::getrusage(RUSAGE_SELF, &used);
    return std::chrono::seconds{used.ru_utime.tv_sec + used.ru_stime.tv_sec} + std::chrono::microseconds{used.ru_utime.tv_usec + used.ru_stime.tv_usec};
  }
};

TEST_F(DeadlineTest, ASlowHeadIs408OnEveryRequest) {
  options_.header_timeout = 100ms;
  start();
  for (const bool is_second : {false, true}) {
    RawClient client = is_second ? connect_and_ask() : connect();
    client.send("POST / HT");
    expect_408(client);
    expect_408_dripping(is_second ? connect_and_ask() : connect(), "POST / HTTP/1.1\r\nHost: h\r\nX: ");
  }
}

TEST_F(DeadlineTest, ASlowBodyIs408OnEveryRequest) {
  options_.body_timeout = 100ms;
  start();
  for (const bool is_second : {false, true}) {
    RawClient client = is_second ? connect_and_ask() : connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\nab");
    expect_408(client);
    expect_408_dripping(is_second ? connect_and_ask() : connect(), "POST /large HTTP/1.1\r\nHost: h\r\nContent-Length: 30000000\r\n\r\n");
    expect_408_dripping(is_second ? connect_and_ask() : connect(), "POST /large HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1000000\r\n");
  }
}

TEST_F(DeadlineTest, AnIdleConnectionIsClosedWithoutAnAnswer) {
  options_.idle_timeout = options_.linger_timeout = 100ms;
  start();
  RawClient after_one = connect_and_ask();
  EXPECT_EQ(after_one.receive_all(), "");
  EXPECT_TRUE(after_one.is_closed_by_server());
  RawClient silent = connect();
  EXPECT_EQ(silent.receive_all(), "");
  EXPECT_TRUE(silent.is_closed_by_server());
  RawClient empty_lines = connect();  // they begin no request
  EXPECT_TRUE(eventually([&] { return !empty_lines.send("\r\n"); }));
  EXPECT_EQ(server_->stats().timeouts, 0U);
}

TEST_F(DeadlineTest, AWaitingRequestHasNone) {
  options_.idle_timeout = options_.header_timeout = options_.body_timeout = 30ms;
  start();
  RawClient client = connect();
  client.send(post("x", "", "/later"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  RawClient other = connect();  // is swept away meanwhile
  EXPECT_TRUE(other.is_closed_by_server());
  for (Responder& responder : handler_.take_kept()) {
    EXPECT_TRUE(responder.is_open());
    responder.send_json(200, "1");
  }
  EXPECT_EQ(client.read_answer().status, 200);
}

// The clock stands still, so that nothing but write_timeout can be what ends it.
TEST_F(DeadlineTest, AClientThatDoesNotReadIsCutAfterWriteTimeoutAndHoldsUpNobody) {
  ManualClock clock;
  options_.clock = &clock;
  options_.threads = 1;
  start();
  RawClient deaf(server_->port(), 4096);
  deaf.send(post("x", "", "/big"));
  EXPECT_TRUE(eventually([&] { return server_->stats().requests == 1; }));
  EXPECT_EQ(ask(post("hi")).status, 200);
  EXPECT_TRUE(eventually([&] { return server_->stats().connections == 1; }));
  const auto cpu_before = cpu_time();
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(eventually([&] { return std::chrono::steady_clock::now() - begin > 300ms; }));
  EXPECT_LT(cpu_time() - cpu_before, (std::chrono::steady_clock::now() - begin) / 2) << "a thread spins";
  EXPECT_EQ(server_->stats().cut_not_reading, 0U);
  clock.advance(options_.write_timeout);
  EXPECT_TRUE(eventually([&] { return server_->stats().cut_not_reading == 1 && server_->stats().connections == 0; }));
  EXPECT_EQ(ask(post("hi")).status, 200);
  server_.reset();  // before its clock
}

}  // namespace
}  // namespace hookhost::http
