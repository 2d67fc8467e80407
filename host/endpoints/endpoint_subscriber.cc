#include "endpoints/endpoint_subscriber.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "endpoints/request.h"
#include "endpoints/verdict.h"

namespace hookhost::endpoints {
namespace {

// Beside the requests that are open, these come again after a kill. Fewer would mean a commit for every few requests.
constexpr std::uint32_t uncommitted_max(std::uint32_t concurrency) { return std::max<std::uint32_t>(64, 8 * concurrency); }

// From a start to its stop. Requests that outlive the subscriber keep it.
class Instance final : public http_client::Listener, public std::enable_shared_from_this<Instance> {
 public:
  Instance(std::shared_ptr<const Endpoint> endpoint, Sender& sender, std::shared_ptr<delivery::Sink> sink)
      : endpoint_(std::move(endpoint)), party_(party_of(*endpoint_)), sender_(sender), sink_(std::move(sink)), group_(sender_.transfers.new_group()) {}

  void send(const delivery::Delivery& delivery) {
    if (!take_room()) return no_room_for(delivery);
    if (!route_) route_ = route_of(*endpoint_, group_);  // not before: most endpoints are idle
    auto request = make_request(*endpoint_, {delivery.event, delivery.attempt, delivery.replay}, sender_.user_agent, sender_.clock.wall());
    request.route = route_;
    request.listener = shared_from_this();
    request.id = delivery.id;
    sender_.transfers.send(std::move(request));
  }

  void ended(std::vector<http_client::Ended> transfers) override {
    const WallTime now = sender_.clock.wall();
    std::vector<delivery::Completion> completions;
    completions.reserve(transfers.size());
    std::size_t looking_up = 0;
    for (const auto& [id, answer, took, is_looking_up] : transfers) {
      completions.push_back({.id = id, .outcome = outcome_of(answer, now), .kv = {}, .took = took});
      looking_up += is_looking_up ? 1 : 0;
    }
    sender_.open.give_back(party_, transfers.size(), looking_up);  // Order: what comes in their place finds room
    bool tell = false;
    {
      const std::scoped_lock lock(mutex_);
      open_ -= transfers.size();
      tell = !stopped_;
    }
    if (tell) sink_->completed(std::move(completions));
    const std::scoped_lock lock(mutex_);
    running_ -= transfers.size();
    if (running_ == 0) idle_.notify_all();
  }

  void stop(MonotonicTime deadline) {
    std::unique_lock lock(mutex_);
    if (!idle_.wait_until(lock, deadline, [&] { return running_ == 0; })) {
      stopped_ = true;  // what is cut off now has no outcome: it comes again
      sender_.transfers.cancel(group_);
      idle_.wait(lock, [&] { return running_ == 0; });
      return;
    }
    sender_.transfers.cancel(group_);  // nothing runs: what is kept for it goes
  }

 private:
  bool take_room() {
    const std::scoped_lock lock(mutex_);
    if (!sender_.open.take(party_, open_)) return false;
    ++open_;
    ++running_;
    return true;
  }

  void no_room_for(const delivery::Delivery& delivery) {
    std::vector<delivery::Completion> completions;
    completions.push_back({.id = delivery.id, .outcome = no_room(), .kv = {}, .took = {}});
    sink_->completed(std::move(completions));
  }

  const std::shared_ptr<const Endpoint> endpoint_;
  const std::string party_;
  Sender& sender_;
  const std::shared_ptr<delivery::Sink> sink_;
  const std::uint64_t group_;
  std::shared_ptr<const http_client::Route> route_;
  std::mutex mutex_;
  std::condition_variable idle_;
  std::size_t open_ = 0;
  std::size_t running_ = 0;  // those, and those that ended and are not told of yet
  bool stopped_ = false;
};

class EndpointSubscriber final : public delivery::Subscriber {
 public:
  EndpointSubscriber(Endpoint endpoint, Sender& sender) : endpoint_(std::make_shared<Endpoint>(std::move(endpoint))), sender_(sender) {
    traits_.concurrency = endpoint_->concurrency;
    traits_.max_in_flight = static_cast<std::uint32_t>(std::min<std::size_t>(endpoint_->concurrency, sender_.open.of_one_max()));
    traits_.uncommitted_max = uncommitted_max(endpoint_->concurrency);
    traits_.on_replay = delivery::Traits::OnReplay::safe;  // a receiver knows a replay by its header and an event by its id
  }

  [[nodiscard]] const delivery::Traits& traits() const override { return traits_; }

  [[nodiscard]] Result<std::uint64_t> start(const delivery::StartRequest& request) override {
    instance_ = std::make_shared<Instance>(endpoint_, sender_, request.sink);
    return request.token;
  }

  void submit(std::vector<delivery::Delivery> deliveries) override {
    for (const auto& delivery : deliveries) instance_->send(delivery);
  }

  void checkpoint(delivery::Checkpoint, std::function<void(Result<>)> done) override { done(success()); }

  std::vector<std::uint64_t> stop(MonotonicTime deadline) override {
    if (instance_) instance_->stop(deadline);
    instance_ = nullptr;
    return {};
  }

 private:
  const std::shared_ptr<const Endpoint> endpoint_;
  Sender& sender_;
  delivery::Traits traits_;
  std::shared_ptr<Instance> instance_;
};

}  // namespace

std::shared_ptr<delivery::Subscriber> make_subscriber(Endpoint endpoint, Sender& sender) {
  return std::make_shared<EndpointSubscriber>(std::move(endpoint), sender);
}

}  // namespace hookhost::endpoints
