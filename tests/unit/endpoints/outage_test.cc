// A receiver that is down for a minute while its chats go on, with the standard profile as it is: real requests, the engine's own time.
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <map>

#include "deliveries.h"

namespace hookhost::endpoints {
namespace {

constexpr int kChats = 20;

// A port of 127.0.0.1 on which nobody listens, and that nobody else gets meanwhile.
class SilentPort {
 public:
  SilentPort() {
    const int one = 1;
    ::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);  // so that the receiver can have it
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size);
    number_ = ntohs(address.sin_port);
  }
  ~SilentPort() { ::close(socket_); }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  [[nodiscard]] std::uint16_t number() const { return number_; }

 private:
  const int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  std::uint16_t number_ = 0;
};

class OutageOfAReceiver : public Deliveries {
 protected:
  OutageOfAReceiver() { options.poll_max = 1ms; }
  const Clock& clock() override { return manual; }
  void TearDown() override {
    Deliveries::TearDown();
    engine.reset();  // Order: before its clock
  }
  // Each chat gets one message more.
  void each_chat_goes_on() {
    for (int chat = 0; chat < kChats; ++chat) append("chat_" + std::to_string(chat), std::to_string(chat) + " " + std::to_string(messages));
    ++messages;
  }
  // Time goes on, a little at a time, until `done`; meanwhile it is not disabled.
  testing::AssertionResult in_time(Duration step, const std::function<bool()>& done) {
    const bool came = poll_until([&] {
      manual.advance(step);
      return stopped() || done();
    });
    if (came && !stopped()) return testing::AssertionSuccess();
    return testing::AssertionFailure() << status().state << ", " << status().outcomes.ok << " delivered";
  }
  bool stopped() { return status().state == "stopped"; }

  ManualClock manual;
  int messages = 0;  // of each chat
};

TEST_F(OutageOfAReceiver, OfAMinuteWithTwentyActiveChatsDisablesNothingAndNothingIsMissed) {
  const SilentPort port;
  auto standard = endpoint("http://127.0.0.1:" + std::to_string(port.number()) + "/hook");
  standard.policy = values_of(Profile::standard);
  add(standard);
  const auto begun = manual.monotonic();
  while (manual.monotonic() < begun + 1min) {
    each_chat_goes_on();
    const auto until = manual.monotonic() + 3s;
    ASSERT_TRUE(in_time(50ms, [&] { return manual.monotonic() >= until; }));
  }
  ASSERT_TRUE(in_time(1ms, [&] { return status().blocked_keys == kChats; })) << "every chat waits for its oldest message";
  EXPECT_EQ(status().outcomes.ok, 0U);
  const auto tried = attempts();
  EXPECT_GE(tried.size(), static_cast<std::size_t>(kChats));
  for (const auto& attempt : tried) EXPECT_EQ(attempt.outcome, "retry");

  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); }, port.number());
  const auto all = static_cast<std::uint64_t>(kChats * messages);
  ASSERT_TRUE(in_time(1s, [&] { return status().outcomes.ok == all; }));
  EXPECT_LE(manual.monotonic() - begun, 1min + 5min * 12 / 10 + 30s) << "the second pause of the schedule";
  EXPECT_EQ(status().state, "live");
  EXPECT_EQ(status().dead_letters, 0U);
  EXPECT_TRUE(feed.own_types().empty()) << "the host has nothing to say of it";
  std::map<int, int> next;
  for (const auto& body : receiver.bodies()) {
    const int chat = std::stoi(body), message = std::stoi(body.substr(body.find(' ')));
    EXPECT_EQ(message, next[chat]++) << "of chat " << chat << ": each once, in order";
  }
}

}  // namespace
}  // namespace hookhost::endpoints
