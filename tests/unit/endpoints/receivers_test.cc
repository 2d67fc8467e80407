// Receivers that misbehave in every way, seen from the endpoint's side.
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <future>
#include <map>
#include <random>
#include <set>

#include "deliveries.h"
#include "signing/verify.h"
#include "support/temp_dir.h"
#include "support/tls_receiver.h"

namespace hookhost::endpoints {
namespace {

using Receivers = Deliveries;

std::string header_of(const std::string& head, const std::string& name) {
  const auto at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 4;
  return head.substr(from, head.find("\r\n", from) - from);
}

TEST_F(Receivers, AFailingOneIsTriedAgainOnScheduleWithTheSameIdAndAFreshSignature) {
  std::atomic<int> left{3};
  HttpReceiver receiver([&](const std::string&) { return HttpReceiver::status(left-- > 0 ? 500 : 204); });
  add(endpoint(receiver.url()));
  append("k", "the body");
  ASSERT_TRUE(delivered(1));
  const auto heads = receiver.heads();
  const auto times = receiver.times();
  ASSERT_EQ(heads.size(), 4U);
  std::set<std::string> ids;
  const std::vector<signing::Secret> secrets{{"a-secret", {}}};
  for (std::size_t n = 0; n < heads.size(); ++n) {
    EXPECT_EQ(header_of(heads[n], "Hookhost-Attempt"), std::to_string(n + 1));
    ids.insert(header_of(heads[n], "webhook-id"));
    std::vector<std::pair<std::string, std::string>> owned;
    for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature", "X-Kakiyo-Signature"}) owned.emplace_back(name, header_of(heads[n], name));
    std::vector<signing::HeaderView> views;
    for (const auto& [name, value] : owned) views.push_back({name, value});
    for (const auto scheme : {signing::Scheme::kakiyo, signing::Scheme::standard_webhooks}) {
      EXPECT_TRUE(signing::verify({.scheme = scheme}, secrets, views, receiver.bodies()[n], system_clock().wall()).ok);
    }
  }
  EXPECT_EQ(ids.size(), 1U);
  const std::vector<Duration> delays{50ms, 100ms, 200ms};
  for (std::size_t n = 0; n < delays.size(); ++n) EXPECT_GE(times[n + 1] - times[n], delays[n] * 8 / 10) << "after attempt " << n + 1;
}

TEST_F(Receivers, ItsRetryAfterIsWaitedFor) {
  std::atomic<bool> first{true};
  HttpReceiver receiver([&](const std::string&) { return first.exchange(false) ? HttpReceiver::status(429, "Retry-After: 1\r\n") : HttpReceiver::status(200); });
  add(endpoint(receiver.url()));
  append("k", "x");
  ASSERT_TRUE(delivered(1));
  const auto times = receiver.times();
  ASSERT_EQ(times.size(), 2U);
  EXPECT_GE(times[1] - times[0], 1s);
}

TEST_F(Receivers, OneThatIsGoneStopsTheEndpointAndAResumeDeliversEverything) {
  std::atomic<bool> gone{true};
  HttpReceiver receiver([&](const std::string&) { return HttpReceiver::status(gone ? 410 : 200); });
  add(endpoint(receiver.url()));
  for (int n = 0; n < 20; ++n) append("k" + std::to_string(n % 3), std::to_string(n));
  ASSERT_TRUE(poll_until([&] { return status().state == "stopped" && status().in_flight == 0; }));
  gone = false;
  ASSERT_TRUE(engine->resume(SubscriberId("crm")));
  ASSERT_TRUE(delivered(20));
  EXPECT_EQ(status().dead_letters, 0U);
}

TEST_F(Receivers, FourGivenUpInARowStopAnEndpointOfTheKakiyoProfile) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(500); });
  auto with = endpoint(receiver.url());
  with.policy.retry = {1ms, 1ms, 1ms};
  with.policy.disable_after = values_of(Profile::kakiyo).disable_after;
  add(with);
  for (int n = 0; n < 10; ++n) append("k" + std::to_string(n), "x");
  ASSERT_TRUE(poll_until([&] { return status().state == "stopped" && status().in_flight == 0; }));
  EXPECT_GE(status().held, 4U);
  EXPECT_EQ(status().dead_letters, 0U);
}

TEST_F(Receivers, AHangingOneIsATimeout) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver receiver([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  auto with = endpoint(receiver.url());
  with.policy.timeout = 100ms;
  add(with);
  append("k", "x");
  const auto attempt = first_attempt();
  release.set_value();
  EXPECT_EQ(attempt.outcome, "retry");
  EXPECT_EQ(attempt.http_status, 0);
  EXPECT_NE(attempt.error.find("Timeout"), std::string::npos) << attempt.error;
  EXPECT_TRUE(delivered(1));
}

TEST_F(Receivers, AResetIsTriedAgain) {
  std::atomic<bool> first{true};
  HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
    if (first.exchange(false)) {
      const linger now{1, 0};
      ::setsockopt(peer, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      return false;
    }
    const std::string answer = HttpReceiver::status(200);
    return ::send(peer, answer.data(), answer.size(), MSG_NOSIGNAL) > 0;
  }));
  add(endpoint(receiver.url()));
  append("k", "x");
  EXPECT_EQ(first_attempt().outcome, "retry");
  EXPECT_TRUE(delivered(1));
}

TEST_F(Receivers, ABodyWithoutEndIsReadToItsBoundAndJudgedByItsStatus) {
  HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
    const std::string head = "HTTP/1.1 200 OK\r\n\r\n", more(4096, 'x');
    for (bool open = ::send(peer, head.data(), head.size(), MSG_NOSIGNAL) > 0; open;) open = ::send(peer, more.data(), more.size(), MSG_NOSIGNAL) > 0;
    return false;
  }));
  add(endpoint(receiver.url()));
  append("k", "x");
  ASSERT_TRUE(delivered(1));
  EXPECT_EQ(first_attempt().answer, std::string(1024, 'x'));
}

TEST_F(Receivers, ABodyThatDripsIsATimeout) {
  std::atomic<bool> ended{false};
  HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
    const std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n";
    for (bool open = ::send(peer, head.data(), head.size(), MSG_NOSIGNAL) > 0; open && !ended;) {
      pollfd hung_up{peer, POLLRDHUP, 0};
      ::poll(&hung_up, 1, 20);  // how slowly it drips
      open = ::send(peer, "x", 1, MSG_NOSIGNAL) > 0;
    }
    return false;
  }));
  auto with = endpoint(receiver.url());
  with.policy.timeout = 200ms;
  add(with);
  append("k", "x");
  EXPECT_EQ(first_attempt().outcome, "retry");
  ended = true;
}

TEST_F(Receivers, ARedirectIsNotFollowed) {
  HttpReceiver elsewhere([](const std::string&) { return HttpReceiver::status(200); });
  HttpReceiver receiver([&](const std::string&) { return HttpReceiver::status(307, "Location: " + elsewhere.url() + "\r\n"); });
  add(endpoint(receiver.url()));
  append("k", "x");
  const auto attempt = first_attempt();
  EXPECT_EQ(attempt.http_status, 307);
  EXPECT_NE(attempt.error.find("redirects are not followed"), std::string::npos);
  EXPECT_EQ(elsewhere.connections(), 0U);
}

TEST_F(Receivers, ANameThatDoesNotResolveIsARetryLikeAnyOther) {
  add(endpoint("http://nobody.invalid/"));
  append("k", "x");
  const auto attempt = first_attempt();
  EXPECT_EQ(attempt.outcome, "retry");
  EXPECT_NE(attempt.error.find("nobody.invalid"), std::string::npos) << attempt.error;
}

TEST_F(Receivers, ACertificateThatNobodyVouchesForIsNotTrustedOneOfTheConfiguredAuthorityIs) {
  HttpReceiver plain([](const std::string&) { return HttpReceiver::status(200); });
  const auto identity = test::make_test_certificate();
  test::TlsReceiver receiver(identity, plain.port());
  auto with = endpoint(receiver.url());
  with.allowed_networks.push_back(parse_network("::1").value());
  add(with);
  append("k", "x");
  const auto attempt = first_attempt();
  EXPECT_EQ(attempt.outcome, "retry");
  EXPECT_NE(attempt.error.find("SSL"), std::string::npos) << attempt.error;
  EXPECT_TRUE(plain.bodies().empty());
  const test::TempDir directory;
  with.ca_file = directory.path() + "/ca.pem";
  std::ofstream(with.ca_file) << identity.certificate;
  ASSERT_TRUE(engine->attach(subscriber_options(with), make_subscriber(with, sender)));
  EXPECT_TRUE(poll_until([&] { return status().outcomes.ok == 1; })) << status().last_error;
}

TEST_F(Receivers, RandomFailuresKeepTheOrderOfEachKey) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("HOOKHOST_SEED=" + std::to_string(seed));
  std::mutex mutex;
  std::mt19937 random(seed);
  std::map<std::string, std::vector<int>> accepted;
  HttpReceiver receiver([&](const std::string& body) {
    const std::scoped_lock lock(mutex);
    if (random() % 4 == 0) return HttpReceiver::status(500);
    accepted[body.substr(0, body.find(' '))].push_back(std::stoi(body.substr(body.find(' '))));
    return HttpReceiver::status(200);
  });
  auto with = endpoint(receiver.url());
  with.policy.retry = delivery::Schedule(50, 1ms);
  add(with);
  for (int n = 0; n < 300; ++n) append("k" + std::to_string(n % 7), "k" + std::to_string(n % 7) + " " + std::to_string(n));
  ASSERT_TRUE(delivered(300));
  const std::scoped_lock lock(mutex);
  std::size_t count = 0;
  for (const auto& [key, numbers] : accepted) {
    count += numbers.size();
    EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end())) << key;
  }
  EXPECT_EQ(count, 300U);
}

TEST_F(Receivers, AHangingOneDelaysNoneOfNinetyNineHealthyOnes) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver hanging([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  HttpReceiver healthy([](const std::string&) { return HttpReceiver::status(200); });
  auto hangs = endpoint(hanging.url());
  hangs.policy.timeout = 10min;
  add(hangs);
  for (int n = 0; n < 99; ++n) {
    auto one = endpoint(healthy.url());
    one.id = SubscriberId("healthy" + std::to_string(n));
    add(one);
  }
  for (int n = 0; n < 20; ++n) append("k" + std::to_string(n % 5), "x");
  EXPECT_TRUE(poll_until([&] {
    const auto all = engine->status();
    return std::all_of(all.begin(), all.end(), [](const auto& one) { return one.id.value == "crm" || one.outcomes.ok == 20; });
  }, 60s));
  EXPECT_EQ(status().outcomes.ok, 0U);
  EXPECT_GT(status().in_flight, 0U);
  release.set_value();
  EXPECT_TRUE(delivered(20));
}

}  // namespace
}  // namespace hookhost::endpoints
