// The end of a server, whatever is under way.
#include <thread>

#include "http_fixture.h"

namespace hookhost::http {
namespace {

using namespace std::chrono_literals;

class EndingTest : public HttpTest {};

TEST_F(EndingTest, DrainAnswersWhatIsInFlightAndClosesTheRest) {
  start();
  RawClient idle = connect();
  idle.send(post("hi"));
  EXPECT_EQ(idle.read_answer().status, 200);
  RawClient busy = connect();
  busy.send(post("x", "", "/later"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  bool is_clean = false;
  std::thread drain([&] { is_clean = server_->drain(20s); });
  EXPECT_TRUE(idle.is_closed_by_server());
  idle.close();
  EXPECT_FALSE(connect().is_connected());
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "\"last\"");
  const RawAnswer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "\"last\"");
  EXPECT_EQ(answer.header("Connection"), "close");
  busy.close();
  drain.join();
  EXPECT_TRUE(is_clean);
}

TEST_F(EndingTest, DrainClosesBehindAnAnswerThatIsHalfSent) {
  start();
  RawClient client = connect();
  client.send(post("hi", "", "/big"));
  pollfd first_bytes{client.descriptor(), POLLIN, 0};
  ASSERT_EQ(::poll(&first_bytes, 1, 20'000), 1);
  bool is_clean = false;
  std::thread drain([&] { is_clean = server_->drain(20s); });
  EXPECT_TRUE(eventually([&] { return !connect().is_connected(); })) << "it has begun";
  EXPECT_EQ(client.read_answer().body.size(), 4'000'000U);
  EXPECT_TRUE(client.is_closed_by_server());
  client.close();
  drain.join();
  EXPECT_TRUE(is_clean);
}

TEST_F(EndingTest, DrainCutsWhatDoesNotEnd) {
  start();
  RawClient busy = connect();
  busy.send(post("x", "", "/later"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  EXPECT_FALSE(server_->drain(20ms));
  EXPECT_TRUE(busy.is_closed_by_server());
  for (Responder& responder : handler_.take_kept()) EXPECT_FALSE(responder.is_open());
}

TEST_F(EndingTest, AnAnswerAfterTheServersEndIsDropped) {
  start();
  RawClient client = connect();
  client.send(post("x", "", "/later"));
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 1; }));
  server_.reset();
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "1");
  EXPECT_TRUE(client.is_closed_by_server());
}

// Each of them once was kept for ever by the thread that was to go on with it: the leak checker sees it.
TEST_F(EndingTest, AServerThatEndsAmidAnswersAndRequestsKeepsNoConnection) {
  start();
  std::vector<RawClient> clients;
  for (int n = 0; n < 20; ++n) {
    clients.push_back(connect());
    ASSERT_TRUE(clients.back().send(n % 2 == 0 ? post("unread", "", "/big") : post("first", "", "/later") + post("behind", "", "/big")));
  }
  ASSERT_TRUE(eventually([&] { return handler_.kept_count() == 10 && server_->stats().connections == 20; }));
  for (Responder& responder : handler_.take_kept()) responder.send_json(200, "1");
  server_.reset();
  for (RawClient& client : clients) EXPECT_TRUE(client.is_closed_by_server());
}

}  // namespace
}  // namespace hookhost::http
