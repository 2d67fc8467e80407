// An engine over memory, and the verbs of its stories.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "delivery/engine.h"
#include "support/fake_delivery_store.h"
#include "support/fake_feed.h"
#include "support/poll.h"
#include "support/scripted_subscriber.h"

namespace hookhost::delivery {

using test::poll_until;
using test::ScriptedSubscriber;
using namespace std::chrono_literals;

class EngineTest : public ::testing::Test {
 protected:
  const SubscriberId id{"crm"};

  void open() {
    engine = std::make_unique<Engine>(feed, store, clock(), options);
    ASSERT_TRUE(engine->start());
  }
  virtual const Clock& clock() { return system_clock(); }

  SubscriberOptions wishes() const {
    SubscriberOptions out;
    out.id = id;
    out.events = {Pattern{}};
    out.retry = {5ms, 5ms, 5ms};
    out.stop_after = 0;
    return out;
  }
  void attach(const std::shared_ptr<ScriptedSubscriber>& subscriber, const SubscriberOptions& with,
              StartAt start = {.kind = StartAt::Kind::beginning}) {
    const auto accepted = engine->accept(id, "plugin", start);
    ASSERT_TRUE(accepted) << accepted.error().text();
    const auto attached = engine->attach(with, subscriber);
    ASSERT_TRUE(attached) << attached.error().text();
  }
  void attach(const std::shared_ptr<ScriptedSubscriber>& subscriber, StartAt start = {.kind = StartAt::Kind::beginning}) {
    attach(subscriber, wishes(), start);
  }
  // The host ends in good order.
  void close() {
    engine->stop(clock().monotonic() + 5s);
    engine.reset();
  }
  // kill -9: nothing is committed any more; then the next host starts.
  void kill_and_open() {
    store.cut();
    engine->stop(clock().monotonic());
    engine.reset();
    store.mend();
    open();
  }
  SubscriberStatus status() {
    auto found = engine->status(id);
    EXPECT_TRUE(found);
    return found ? found.value() : SubscriberStatus{};
  }
  bool becomes(const std::string& state) {
    return poll_until([&] { return status().state == state; });
  }
  // Live, at the end, nothing owed.
  bool settled() {
    return poll_until([&] {
      const auto now = status();
      return now.state == "live" && now.lag_events == 0 && now.pending == 0 && now.blocked_keys == 0;
    });
  }
  static std::map<std::string, std::vector<std::uint64_t>> by_key(const std::vector<ScriptedSubscriber::Call>& calls) {
    std::map<std::string, std::vector<std::uint64_t>> out;
    for (const auto& call : calls) {
      if (call.status == Status::ok) out[call.key].push_back(call.offset.value);
    }
    return out;
  }
  static void expect_once_in_order(const std::vector<ScriptedSubscriber::Call>& calls, std::size_t events) {
    std::size_t count = 0;
    for (const auto& [key, offsets] : by_key(calls)) {
      count += offsets.size();
      for (std::size_t n = 1; n < offsets.size(); ++n) EXPECT_LT(offsets[n - 1], offsets[n]) << "key " << key;
    }
    EXPECT_EQ(count, events);
  }

  void TearDown() override {
    if (engine) engine->stop(clock().monotonic() + 2s);
    engine.reset();  // Order: before a test's own clock
  }

  EngineOptions options{.commit_interval = 2ms, .restart_delay = 5ms, .restart_delay_max = 20ms, .unavailable_delay = 10ms,
                        .unavailable_delay_max = 40ms, .poll_max = 20ms, .seed = 7};
  test::FakeFeed feed;
  test::FakeDeliveryStore store;
  std::unique_ptr<Engine> engine;
};

}  // namespace hookhost::delivery
