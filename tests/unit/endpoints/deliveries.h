// Endpoints behind the real engine, over memory, and the verbs of their stories.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "delivery/engine.h"
#include "endpoints/endpoint_subscriber.h"
#include "support/fake_delivery_store.h"
#include "support/fake_feed.h"
#include "support/http_receiver.h"
#include "support/poll.h"

namespace hookhost::endpoints {

using test::HttpReceiver;
using test::poll_until;
using namespace std::chrono_literals;

class Deliveries : public testing::Test {
 protected:
  void SetUp() override {
    engine = std::make_unique<delivery::Engine>(feed, store, clock(), options);
    ASSERT_TRUE(engine->start());
  }
  void TearDown() override {
    if (engine) engine->stop(clock().monotonic() + 2s);
  }
  virtual const Clock& clock() { return system_clock(); }

  static Endpoint endpoint(const std::string& url) {
    Endpoint out{.id = SubscriberId("crm"), .url = url, .events = {Pattern{}}, .secrets = {{"a-secret", {}}}, .allow_http = true};
    out.allowed_networks = {parse_network("127.0.0.1/32").value()};
    out.policy = {.retry = {50ms, 100ms, 200ms}, .timeout = 10s, .disable_after = 0, .disable_after_at_least = 0s, .recovers = false};
    return out;
  }
  void add(const Endpoint& endpoint) {
    ASSERT_TRUE(engine->accept(endpoint.id, "endpoint", {.kind = delivery::StartAt::Kind::beginning}));
    ASSERT_TRUE(engine->attach(subscriber_options(endpoint), make_subscriber(endpoint, sender)));
  }
  Offset append(const std::string& key, const std::string& body) { return feed.append({.key = key, .body = body}); }
  delivery::SubscriberStatus status(const std::string& id = "crm") { return engine->status(SubscriberId(id)).value(); }
  bool delivered(std::uint64_t count) {
    return poll_until([&] { return status().outcomes.ok == count; });
  }
  std::vector<state::AttemptRow> attempts() { return store.attempts(SubscriberId("crm"), {}).value(); }
  // What the first attempt came to.
  state::AttemptRow first_attempt() {
    EXPECT_TRUE(poll_until([&] { return !attempts().empty(); }));
    return attempts().front();
  }

  delivery::EngineOptions options{.commit_interval = 2ms, .poll_max = 20ms, .seed = 7};
  test::FakeFeed feed;
  test::FakeDeliveryStore store;
  http_client::Transfers transfers;
  Sender sender{transfers, "hookhost/1", system_clock()};
  std::unique_ptr<delivery::Engine> engine;
};

}  // namespace hookhost::endpoints
