#include "app/endpoint_runner.h"

#include "app/version.h"
#include "base/diagnostics.h"
#include "endpoints/request.h"
#include "endpoints/verdict.h"

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kThreads = 2;
const char* const kRemoved = "removed";

// A request that is cut off when its endpoint is changed comes again: receivers know it by its id.
constexpr Duration kDrain = 2s;

// Hears of the one request of a test.
class TestSent final : public http_client::Listener {
 public:
  explicit TestSent(std::function<void(const http_client::Ended&)> done) : done_(std::move(done)) {}
  void ended(std::vector<http_client::Ended> transfers) override { done_(transfers.front()); }

 private:
  const std::function<void(const http_client::Ended&)> done_;
};

state::AttemptRow attempt_row(const event_log::Event& event, const delivery::Outcome& outcome, WallTime at, Duration took) {
  return {.stream = state::kTestStream,
          .offset = state::kNoOffset,
          .id = event.id,
          .type = event.type,
          .attempt = 1,
          .at = at,
          .took = took,
          .outcome = std::string(delivery::to_string(outcome.status)),
          .error = outcome.error,
          .http_status = outcome.http_status,
          .answer = outcome.answer};
}

}  // namespace

void EndpointRunner::begin(std::size_t requests_max) {
  transfers_.emplace(kThreads, requests_max);
  sender_.emplace(*transfers_, std::string("hookhost/") + kVersion, clock_, requests_max);
}

Result<> EndpointRunner::run(endpoints::Endpoint endpoint) {
  if (!sends()) return success();
  auto options = endpoints::subscriber_options(endpoint);
  return engine_.attach(std::move(options), endpoints::make_subscriber(std::move(endpoint), *sender_), kDrain);
}

Result<> EndpointRunner::stop(const std::string& id, const std::string& reason) { return engine_.disable(SubscriberId{id}, reason, kDrain); }

Result<> EndpointRunner::cut(const std::string& id, const std::string& reason) { return engine_.disable(SubscriberId{id}, reason, Duration{}); }

Result<> EndpointRunner::forget(const std::string& id) {
  HOOKHOST_CHECK(cut(id, kRemoved));
  return engine_.forget(SubscriberId{id});
}

void EndpointRunner::send_test(const endpoints::Endpoint& endpoint, const event_log::EventPtr& event) {
  if (!sends()) return;
  const WallTime at = clock_.wall();
  std::string party = endpoints::party_of(endpoint);
  if (!sender_->open.take(party, 0)) return keep_test(endpoint.id, attempt_row(*event, endpoints::no_room(), at, {}));
  auto request = endpoints::make_request(endpoint, {.event = event, .attempt = {}, .replay = false, .test = true}, sender_->user_agent, at);
  request.route = endpoints::route_of(endpoint, 0);
  request.listener = std::make_shared<TestSent>([this, party = std::move(party), id = endpoint.id, event, at](const http_client::Ended& sent) {
    sender_->open.give_back(party, 1, sent.is_looking_up ? 1 : 0);
    keep_test(id, attempt_row(*event, endpoints::outcome_of(sent.answer, clock_.wall()), at, sent.took));
  });
  transfers_->send(std::move(request));
}

void EndpointRunner::keep_test(const SubscriberId& id, state::AttemptRow attempt) {
  state::Batch batch;
  batch.subscriber = id;
  batch.attempts.push_back(std::move(attempt));
  store_.commit(std::move(batch), [id](const Result<>& kept) {
    if (!kept) diagnose(Level::warn, "app", "a test's attempt was not kept: " + kept.error().message, {{"subscriber", id.value}});
  });
}

}  // namespace hookhost::app
