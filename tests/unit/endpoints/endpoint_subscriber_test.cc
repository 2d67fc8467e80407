#include "endpoints/endpoint_subscriber.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "support/http_receiver.h"
#include "support/poll.h"

namespace hookhost::endpoints {
namespace {

using namespace std::chrono_literals;
using test::HttpReceiver;

class Ear final : public delivery::Sink {
 public:
  void completed(std::vector<delivery::Completion> completions) override {
    const std::scoped_lock lock(mutex_);
    for (auto& one : completions) heard_.push_back(std::move(one));
  }
  void lost(std::string, std::vector<std::uint64_t>) override { ADD_FAILURE() << "an endpoint has no instance to lose"; }
  std::vector<delivery::Completion> heard() const {
    const std::scoped_lock lock(mutex_);
    return heard_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<delivery::Completion> heard_;
};

class EndpointSubscriberTest : public testing::Test {
 protected:
  std::shared_ptr<delivery::Subscriber> started(const std::string& url) {
    Endpoint endpoint{.id = SubscriberId("crm"), .url = url, .secrets = {{"s", {}}}, .allow_http = true};
    endpoint.allowed_networks = {parse_network("127.0.0.1/32").value()};
    auto out = make_subscriber(std::move(endpoint), sender);
    EXPECT_EQ(out->start({.token = 7, .sink = ear, .kv = nullptr}).value(), 7U);
    return out;
  }
  static delivery::Delivery delivery(std::uint64_t id) {
    auto event = std::make_shared<event_log::Event>();
    event->id = EventId("evt_" + std::to_string(id));
    event->body = "body " + std::to_string(id);
    return {.id = id, .event = event, .attempt = Attempt{3}, .timeout = 30s};
  }
  http_client::Transfers transfers;
  Sender sender{transfers, "hookhost/1", system_clock()};
  std::shared_ptr<Ear> ear = std::make_shared<Ear>();
};

TEST_F(EndpointSubscriberTest, EachDeliveryIsARequestAndItsAnswerTheOutcome) {
  HttpReceiver receiver([](const std::string& body) { return HttpReceiver::status(body == "body 2" ? 500 : 200); });
  const auto subscriber = started(receiver.url());
  subscriber->submit({delivery(1), delivery(2)});
  ASSERT_TRUE(test::poll_until([&] { return ear->heard().size() == 2; }));
  for (const auto& completion : ear->heard()) {
    EXPECT_EQ(completion.outcome.status, completion.id == 1 ? delivery::Status::ok : delivery::Status::retry);
    EXPECT_EQ(completion.outcome.http_status, completion.id == 1 ? 200 : 500);
    EXPECT_GT(completion.took, 0s);
  }
  EXPECT_NE(receiver.heads().at(0).find("Hookhost-Attempt: 3\r\n"), std::string::npos);
  subscriber->stop(MonotonicTime{});
}

TEST_F(EndpointSubscriberTest, AStopWaitsForWhatIsOpenAndTellsIt) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver receiver([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  const auto subscriber = started(receiver.url());
  subscriber->submit({delivery(1)});
  ASSERT_TRUE(test::poll_until([&] { return receiver.bodies().size() == 1; }));
  auto stopped = std::async(std::launch::async, [&] { subscriber->stop(system_clock().monotonic() + 30s); });
  release.set_value();
  stopped.get();
  EXPECT_EQ(ear->heard().size(), 1U);
}

TEST_F(EndpointSubscriberTest, WhatIsOpenAtTheDeadlineIsCutOffAndHasNoOutcome) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver receiver([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  const auto subscriber = started(receiver.url());
  subscriber->submit({delivery(1)});
  ASSERT_TRUE(test::poll_until([&] { return receiver.bodies().size() == 1; }));
  subscriber->stop(system_clock().monotonic());
  EXPECT_TRUE(ear->heard().empty());
  release.set_value();
}

}  // namespace
}  // namespace hookhost::endpoints
