// Receivers that take a request and never answer: what they may have of the host, and that nobody else goes short.
#include <gmock/gmock.h>

#include "system/endpoint_fixture.h"

namespace hookhost::test {
namespace {

using testing::HasSubstr;
using testing::Not;

class HangingEndpoint : public EndpointTest {
 protected:
  ~HangingEndpoint() override { released_ = true; }

  std::atomic<bool> released_{false};
  // Answers when it is let go.
  HttpReceiver hanging_{HttpReceiver::Answer([this](const std::string&) {
    poll_until([&] { return released_.load(); }, std::chrono::seconds{300});
    return HttpReceiver::status(200);
  })};
  HttpReceiver good_{HttpReceiver::Answer([](const std::string&) { return HttpReceiver::status(200); })};

  static std::string url_of(const HttpReceiver& receiver, const std::string& path) { return "http://127.0.0.1:" + std::to_string(receiver.port()) + "/" + path; }
  // Of each path how many different bodies came.
  static std::map<std::string, std::size_t> received(const HttpReceiver& receiver) {
    std::map<std::string, std::set<std::string>> bodies;
    const auto heads = receiver.heads(), all = receiver.bodies();
    for (std::size_t n = 0; n < std::min(heads.size(), all.size()); ++n) {
      const auto begin = heads[n].find('/') + 1;
      bodies[heads[n].substr(begin, heads[n].find(' ', begin) - begin)].insert(all[n]);
    }
    std::map<std::string, std::size_t> out;
    for (const auto& [path, some] : bodies) out[path] = some.size();
    return out;
  }
  bool get_all(const std::set<std::string>& names, std::size_t events) {
    return poll_until([&] {
      const auto now = received(good_);
      return std::all_of(names.begin(), names.end(), [&](const auto& name) { return now.contains(name) && now.at(name) == events; });
    }, std::chrono::seconds{120});
  }
};

TEST_F(HangingEndpoint, NinetyNineOthersGetEverythingWhileItHoldsNoMoreThanItsConcurrency) {
  constexpr std::int64_t kEvents = 40, kChats = 20;
  std::set<std::string> names;
  for (int n = 0; n < 99; ++n) {
    const std::string name = "good_" + std::to_string(n);
    add_endpoint(name, url_of(good_, name), ", events: [\"*\"], concurrency: 1");
    names.insert(name);
  }
  add_endpoint("hanging", url_of(hanging_, "hanging"), ", events: [\"*\"], timeout: 5m, concurrency: 4");
  ASSERT_TRUE(host.start());
  for (std::int64_t n = 0; n < kEvents; ++n) send_messages(n, n + 1, "chat_" + std::to_string(n % kChats));
  EXPECT_TRUE(get_all(names, kEvents)) << host.diagnostics();
  EXPECT_TRUE(poll_until([&] { return text(host.subscriber("hanging"), "in_flight") == "4"; }));
  EXPECT_EQ(hanging_.connections(), 4U);
  EXPECT_EQ(hanging_.bodies().size(), 4U) << "and it still has them";
  released_ = true;
  EXPECT_TRUE(host.catches_up("hanging"));
  EXPECT_EQ(received(hanging_).at("hanging"), static_cast<std::size_t>(kEvents)) << "nor does it miss any";
}

// Without a bound deliveries would have taken all, and no client could connect any more.
TEST_F(HangingEndpoint, WithFewDescriptorsManyNeitherStopTheWayInNorAnotherEndpoint) {
  constexpr std::int64_t kEvents = 150;
  constexpr std::size_t kClients = 80;
  add_endpoint("good", url_of(good_, "good"));
  std::set<std::string> names;
  for (int n = 0; n < 5; ++n) {
    const std::string name = "hanging_" + std::to_string(n);
    add_endpoint(name, url_of(hanging_, name), ", events: [\"*\"], timeout: 5m, concurrency: 200");
    names.insert(name);
  }
  host.write_config();
  const ChildProcess limited(Spawn{{"/bin/sh", "-c", "ulimit -n 600 && exec \"$0\" serve -c \"$1\"", paths::host(), host.config_path()}, {}, host.path(""),
                                   host.path("serve.out"), host.path("serve.err")});
  ASSERT_TRUE(poll_until([&] { return host.is_ready(); }, std::chrono::seconds{120})) << host.diagnostics();
  for (std::int64_t n = 0; n < kEvents; ++n) send_messages(n, n + 1, "chat_" + std::to_string(n));
  EXPECT_TRUE(poll_until([&] { return received(hanging_).size() == names.size(); })) << "each has its first";
  EXPECT_TRUE(get_all({"good"}, kEvents)) << host.diagnostics();
  std::vector<RawClient> clients;
  for (std::size_t n = 0; n < kClients; ++n) {
    clients.push_back(host.connect());
    clients.back().send(signed_post(message("chat_1", static_cast<std::int64_t>(1'000 + n))));
    EXPECT_EQ(clients.back().read_answer().status, 200) << "client " << n;
  }
  EXPECT_TRUE(get_all({"good"}, kEvents + kClients));
  EXPECT_LE(hanging_.connections(), 10U) << "of the thousand that they would like";
  EXPECT_THAT(host.diagnostics(), Not(HasSubstr("no descriptor left")));
  for (const auto& name : names) EXPECT_EQ(text(host.subscriber(name), "dead_letters"), "0") << "nobody is blamed for what there is no room for";
  released_ = true;
  for (const auto& name : names) EXPECT_TRUE(host.catches_up(name));
  for (const auto& [name, count] : received(hanging_)) EXPECT_EQ(count, kEvents + kClients) << name;
}

}  // namespace
}  // namespace hookhost::test
