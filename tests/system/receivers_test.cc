// Receivers that misbehave in every way, behind endpoints of a real host: what each attempt came to, when it is tried again, when the host stops
// and goes on.
#include <gmock/gmock.h>
#include <poll.h>

#include "support/tls_receiver.h"
#include "system/endpoint_fixture.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;

// Does something bad with the first request of each event, and answers those that follow.
class BadAtFirst {
 public:
  using Bad = std::function<bool(int peer)>;  // false: the connection is closed

  explicit BadAtFirst(Bad bad)
      : bad_(std::move(bad)), http_(HttpReceiver::Serve([this](int peer, const std::string& body) {
          if (is_first(body)) return bad_(peer);
          const bool sent = send_all(peer, HttpReceiver::status(200));
          const std::scoped_lock lock(mutex_);
          if (sent) accepted_.push_back(body);
          return sent;
        })) {}

  static bool send_all(int peer, const std::string& bytes) { return ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size()); }
  static Bad answer(const std::string& bytes) {
    return [bytes](int peer) { return send_all(peer, bytes); };
  }
  // Whether the other side gives up within that time.
  static bool hangs_up(int peer, std::chrono::milliseconds within) {
    pollfd hung_up{peer, POLLRDHUP, 0};
    return ::poll(&hung_up, 1, static_cast<int>(within.count())) > 0;
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(http_.port()) + "/hook"; }
  [[nodiscard]] const HttpReceiver& http() const { return http_; }
  [[nodiscard]] std::vector<std::string> accepted() const {
    const std::scoped_lock lock(mutex_);
    return accepted_;
  }

 private:
  bool is_first(const std::string& body) {
    const std::scoped_lock lock(mutex_);
    return seen_.insert(body).second;
  }

  const Bad bad_;
  mutable std::mutex mutex_;
  std::set<std::string> seen_;
  std::vector<std::string> accepted_;
  HttpReceiver http_;  // last: ends first
};

class BadReceivers : public EndpointTest {
 protected:
  // Of an endpoint, in the order in which they were made.
  [[nodiscard]] std::vector<json::object> attempts(const std::string& name) const {
    const RawAnswer answer = host.admin("GET", "/api/attempts?subscriber=" + name, host.authorization());
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<json::object> out;
    if (answer.status != 200) return out;
    const json::value all = json::parse(answer.body);
    for (const auto& one : all.as_array()) out.insert(out.begin(), one.as_object());
    return out;
  }
  // What waits for its next attempt.
  [[nodiscard]] std::vector<json::object> blocked() const {
    const RawAnswer answer = host.admin("GET", "/api/deliveries?subscriber=crm&state=blocked", host.authorization());
    EXPECT_EQ(answer.status, 200) << answer.body;
    std::vector<json::object> out;
    if (answer.status != 200) return out;
    const json::value all = json::parse(answer.body);
    for (const auto& one : all.as_array()) out.push_back(one.as_object());
    return out;
  }
  void retry_now(const json::object& delivery) const {
    EXPECT_EQ(call("POST", "/api/deliveries/retry-now", json::serialize(json::object{{"subscriber", "crm"}, {"event", text(delivery, "id")}})).status, 200);
  }
  json::object first_attempt(const std::string& name) {
    EXPECT_TRUE(poll_until([&] { return !attempts(name).empty(); })) << host.diagnostics();
    const auto all = attempts(name);
    return all.empty() ? json::object{} : all.front();
  }

  static constexpr int kChats = 2, kOfEachChat = 3;

  // Six events of two chats. Each is delivered at its second attempt, with the id and the order that it had.
  void deliver_all(const BadAtFirst& receiver, const std::string& more = "", bool is_cut = false) {
    add_endpoint("crm", receiver.url(), ", events: [\"*\"], retry: [100ms, 100ms, 100ms, 100ms, 100ms, 1s, 1s, 1s, 1s]" + more);
    ASSERT_TRUE(host.start());
    for (int n = 0; n < kOfEachChat; ++n) {
      for (int chat = 0; chat < kChats; ++chat) send_messages(kChats * n + chat, kChats * n + chat + 1, "chat_" + std::to_string(chat));
    }
    ASSERT_TRUE(host.catches_up("crm"));
    EXPECT_EQ(text(host.subscriber("crm"), "dead_letters"), "0");
    std::map<std::string, std::set<std::string>> ids;
    std::map<std::string, int> last_attempt;
    const auto heads = receiver.http().heads(), bodies = receiver.http().bodies();
    for (std::size_t n = 0; n < std::min(heads.size(), bodies.size()); ++n) {
      ids[bodies[n]].insert(header_in(heads[n], "webhook-id"));
      // What was cut on a kept connection is sent anew at once over another: no attempt of its own.
      const int attempt = std::stoi(header_in(heads[n], "Hookhost-Attempt")), before = std::exchange(last_attempt[bodies[n]], attempt);
      EXPECT_TRUE(attempt == before + 1 || (attempt == before && is_cut)) << attempt << " after " << before;
    }
    EXPECT_EQ(ids.size(), static_cast<std::size_t>(kChats * kOfEachChat));
    for (const auto& [body, own] : ids) EXPECT_EQ(own.size(), 1U) << "its id is not the same in every attempt: " << body;
    std::map<std::string, std::int64_t> last;
    for (const auto& body : receiver.accepted()) {
      const json::value data = json::parse(body).at("data");
      const auto n = data.at("n").to_number<std::int64_t>();
      const auto [before, is_first] = last.emplace(data.at("chatId").as_string(), n);
      EXPECT_TRUE(is_first || before->second < n) << "out of order: " << body;
      before->second = n;
    }
  }
  void expect_first(int status, const std::string& error) {
    const json::object attempt = first_attempt("crm");
    EXPECT_EQ(text(attempt, "outcome"), "retry");
    EXPECT_EQ(text(attempt, "status"), status == 0 ? "null" : std::to_string(status));
    EXPECT_THAT(text(attempt, "error"), HasSubstr(error));
  }
};

TEST_F(BadReceivers, A500IsTriedAgain) {
  const BadAtFirst receiver(BadAtFirst::answer(HttpReceiver::status(500)));
  deliver_all(receiver);
  expect_first(500, "500");
}

TEST_F(BadReceivers, A429IsTriedAgainWhenItsRetryAfterIsOver) {
  const BadAtFirst receiver(BadAtFirst::answer(HttpReceiver::status(429, "Retry-After: 1\r\n")));
  deliver_all(receiver);
  expect_first(429, "429");
  std::map<std::string, std::chrono::steady_clock::time_point> first;
  const auto bodies = receiver.http().bodies();
  const auto times = receiver.http().times();
  for (std::size_t n = 0; n < bodies.size(); ++n) {
    const auto [before, is_first] = first.emplace(bodies[n], times[n]);
    EXPECT_TRUE(is_first || times[n] - before->second >= std::chrono::seconds{1});
  }
}

TEST_F(BadReceivers, AHangIsATimeout) {
  const BadAtFirst receiver([](int peer) { return !BadAtFirst::hangs_up(peer, std::chrono::minutes{1}); });
  deliver_all(receiver, ", timeout: 500ms");
  expect_first(0, "Timeout");
}

TEST_F(BadReceivers, AResetIsTriedAgain) {
  const BadAtFirst receiver([](int peer) {
    const linger now{1, 0};
    ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    return false;
  });
  deliver_all(receiver, "", true);
  expect_first(0, "");
}

TEST_F(BadReceivers, ABodyThatDripsIsATimeout) {
  const BadAtFirst receiver([](int peer) {
    bool open = BadAtFirst::send_all(peer, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
    while (open && !BadAtFirst::hangs_up(peer, std::chrono::milliseconds{20})) open = BadAtFirst::send_all(peer, "x");
    return false;
  });
  deliver_all(receiver, ", timeout: 500ms");
  expect_first(0, "Timeout");
}

TEST_F(BadReceivers, ABodyWithoutEndIsCutAndItsStatusCounts) {
  const HttpReceiver receiver(HttpReceiver::Serve([](int peer, const std::string&) {
    bool open = BadAtFirst::send_all(peer, "HTTP/1.1 200 OK\r\n\r\n");
    while (open) open = BadAtFirst::send_all(peer, std::string(4096, 'x'));
    return false;
  }));
  add_endpoint("crm", "http://127.0.0.1:" + std::to_string(receiver.port()) + "/hook");
  ASSERT_TRUE(host.start());
  send_messages(0, 3);
  ASSERT_TRUE(host.catches_up("crm"));
  EXPECT_EQ(receiver.bodies().size(), 3U) << "each once";
  EXPECT_EQ(text(first_attempt("crm"), "answer"), std::string(1024, 'x'));
}

TEST_F(BadReceivers, ARedirectToAMetadataAddressIsNotFollowed) {
  const BadAtFirst receiver(BadAtFirst::answer(HttpReceiver::status(302, "Location: http://169.254.169.254/latest/meta-data/\r\n")));
  deliver_all(receiver);
  expect_first(302, "redirects are not followed");
}

TEST_F(BadReceivers, ACertificateOfNobodyAndANameOfNobodyAreFailuresLikeAnyOther) {
  Receiver healthy, behind_tls;
  const auto identity = make_test_certificate();
  const TlsReceiver bad_tls(identity, behind_tls.port());
  std::string url = bad_tls.url();
  url.replace(url.find("localhost"), 9, "127.0.0.1");
  add_endpoint("bad_tls", url, ", events: [\"*\"], retry: [10h]");
  add_endpoint("no_name", "http://nobody.invalid/hook", ", events: [\"*\"], retry: [10h]");
  add_endpoint("healthy", healthy.url());
  ASSERT_TRUE(host.start());
  send_messages(0, 5);
  ASSERT_TRUE(reaches(healthy, 5)) << "beside them";
  EXPECT_THAT(text(first_attempt("bad_tls"), "error"), HasSubstr("SSL"));
  EXPECT_THAT(text(first_attempt("no_name"), "error"), HasSubstr("nobody.invalid"));
  for (const char* name : {"bad_tls", "no_name"}) {
    EXPECT_EQ(text(first_attempt(name), "outcome"), "retry") << name;
    EXPECT_EQ(text(host.subscriber(name), "blocked_keys"), "1") << name;
  }
  EXPECT_EQ(behind_tls.count(), 0U) << "nothing was sent to whom nobody vouches for";
}

// Of every attempt the time of the next one is asked for, and then it is made at once.
TEST_F(BadReceivers, TheStandardScheduleIsKeptWithinItsJitter) {
  using std::chrono::hours, std::chrono::minutes, std::chrono::seconds;
  const std::vector<Duration> schedule{seconds{5}, minutes{5}, minutes{30}, hours{2}, hours{5}, hours{10}, hours{14}, hours{20}, hours{24}};
  Receiver receiver;
  receiver.answer_with(500);
  add_endpoint("crm", receiver.url());
  ASSERT_TRUE(host.start());
  send_messages(0, 1);
  for (std::size_t n = 0; n < schedule.size(); ++n) {
    SCOPED_TRACE("after attempt " + std::to_string(n + 1));
    json::object waiting;
    ASSERT_TRUE(poll_until([&] {
      const auto all = blocked();
      if (all.empty()) return false;
      waiting = all.front();
      return text(waiting, "attempts") == std::to_string(n + 1);
    }));
    ASSERT_TRUE(poll_until([&] { return attempts("crm").size() == n + 1; }));
    const auto made = parse_time(text(attempts("crm").back(), "at")), due = parse_time(text(waiting, "next_attempt_at"));
    ASSERT_TRUE(made && due) << json::serialize(waiting);
    const Duration pause = due.value() - made.value();
    EXPECT_GE(pause, schedule[n] * 8 / 10);
    EXPECT_LE(pause, schedule[n] * 12 / 10);
    retry_now(waiting);
  }
  ASSERT_TRUE(poll_until([&] { return text(host.subscriber("crm"), "dead_letters") == "1"; })) << "after the last one";
  EXPECT_EQ(receiver.count(), schedule.size() + 1);
}

TEST_F(BadReceivers, OneThatIsDownForAMinuteWhileTwentyChatsGoOnIsNotDisabledByTheStandardProfileAndMissesNothing) {
  using Clock = std::chrono::steady_clock;
  constexpr int kActive = 20;
  const auto down = std::chrono::seconds{quick() ? 7 : 60};
  const std::uint16_t port = free_port();
  add_endpoint("crm", "http://127.0.0.1:" + std::to_string(port) + "/hook", ", events: [\"*\"], profile: standard");
  ASSERT_TRUE(host.start());
  std::int64_t sent = 0;
  for (const auto begun = Clock::now(); Clock::now() < begun + down;) {
    for (int chat = 0; chat < kActive; ++chat, ++sent) send_messages(sent, sent + 1, "chat_" + std::to_string(chat));
    EXPECT_NE(state_of("crm"), "stopped");
    const auto next = Clock::now() + std::chrono::seconds{1};
    poll_until([&] { return Clock::now() >= next; });
  }
  // The oldest message of each chat waits for the second pause of the schedule, five minutes.
  ASSERT_TRUE(poll_until([&] {
    const auto heads = blocked();
    return heads.size() == kActive && std::all_of(heads.begin(), heads.end(), [](const auto& head) { return text(head, "attempts") == "2"; });
  })) << json::serialize(host.subscriber("crm"));
  EXPECT_EQ(state_of("crm"), "live");
  Receiver receiver(port);
  for (const auto& head : blocked()) retry_now(head);
  ASSERT_TRUE(host.catches_up("crm"));
  EXPECT_EQ(text(host.subscriber("crm"), "dead_letters"), "0");
  std::vector<std::int64_t> next(kActive);
  for (std::size_t chat = 0; chat < next.size(); ++chat) next[chat] = static_cast<std::int64_t>(chat);
  for (const auto& body : receiver.bodies()) {
    const auto n = json::parse(body).at("data").at("n").to_number<std::int64_t>();
    auto& expected = next[static_cast<std::size_t>(n % kActive)];
    EXPECT_EQ(n, expected) << "each once, in order per chat";
    expected += kActive;
  }
  EXPECT_EQ(receiver.count(), static_cast<std::size_t>(sent));
}

TEST_F(BadReceivers, FourGivenUpInARowDisableTheKakiyoProfileAndSwitchedOnItGetsExactlyWhatWasHeld) {
  Receiver receiver;
  ASSERT_NO_FATAL_FAILURE(start_with_two_delivered(receiver, ", events: [\"*\"], profile: kakiyo, retry: [10ms]"));
  receiver.answer_with(500);
  for (int n = 2; n < 6; ++n) send_messages(n, n + 1, "chat_" + std::to_string(n % 2));
  ASSERT_TRUE(poll_until([&] { return state_of("crm") == "stopped"; })) << state_of("crm");
  EXPECT_EQ(receiver.count(), 2U + 4U * 2U) << "each was tried twice";
  for (int n = 6; n < 8; ++n) send_messages(n, n + 1, "chat_" + std::to_string(n % 2));
  receiver.answer_with(200);
  EXPECT_EQ(host.run({"endpoint", "resume", "crm"}).status, 0);
  ASSERT_TRUE(reaches(receiver, 10 + 6));
  ASSERT_TRUE(host.catches_up("crm"));
  const auto bodies = receiver.bodies();
  EXPECT_EQ(bodies.size(), 16U);
  std::map<int, std::vector<std::int64_t>> by_chat;
  for (std::size_t i = 10; i < bodies.size(); ++i) {
    const auto n = json::parse(bodies[i]).at("data").at("n").to_number<std::int64_t>();
    by_chat[static_cast<int>(n % 2)].push_back(n);
  }
  EXPECT_EQ(by_chat, (std::map<int, std::vector<std::int64_t>>{{0, {2, 4, 6}}, {1, {3, 5, 7}}}));
}

}  // namespace
}  // namespace hookhost::test
