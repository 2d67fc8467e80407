#include "plugins/instance_subscriber.h"

#include <future>
#include <mutex>

#include "base/diagnostics.h"
#include "plugins/crew.h"

namespace hookhost::plugins {
namespace {

constexpr std::uint32_t kAheadMax = 1024;  // deliveries that wait for their turn in the crew while calls are short

class InstanceSubscriber final : public PluginSubscriber {
 public:
  InstanceSubscriber(std::shared_ptr<const Library> library, SubscriberSettings settings, std::shared_ptr<PluginMetrics> metrics, const Clock& clock)
      : library_(std::move(library)), settings_(std::move(settings)), metrics_(std::move(metrics)), clock_(clock) {
    traits_.concurrency = settings_.concurrency;
    traits_.max_in_flight = settings_.max_in_flight;
    traits_.ahead_max = kAheadMax;
    traits_.has_checkpoint = true;  // known only once an instance exists; one without the function answers at once
    const OnReplay on_replay = library_->info().on_replay;
    using Declared = delivery::Traits::OnReplay;
    traits_.on_replay = on_replay == OnReplay::safe ? Declared::safe : on_replay == OnReplay::reset_only ? Declared::reset_only : Declared::ask;
  }
  ~InstanceSubscriber() override { stop(clock_.monotonic()); }

  const delivery::Traits& traits() const override { return traits_; }

  Result<std::uint64_t> start(const delivery::StartRequest& request) override {
    stop(clock_.monotonic());
    if (settings_.concurrency > 1 && !library_->info().concurrent) {
      return fail(ErrorCode::invalid_config, "plugins." + settings_.instance.name + ".concurrency: " + library_->info().id +
                                                 " takes one call at a time; leave concurrency at 1");
    }
    auto crew = std::make_shared<Crew>(request.sink, clock_, settings_);
    std::uint64_t token = request.token;
    const std::weak_ptr<Crew> weak = crew;
    HOOKHOST_TRY(auto instance, Instance::start(library_, instance_settings(), metrics_, request, token,
                                                [weak](delivery::Completion completion) {
                                                  if (const auto alive = weak.lock()) alive->finished(std::move(completion));
                                                },
                                                clock_));
    has_checkpoint_ = instance->has_checkpoint();
    traits_.has_checkpoint = has_checkpoint_;
    crew->run(std::move(instance));
    const std::scoped_lock lock(mutex_);
    crew_ = std::move(crew);
    return token;
  }

  void submit(std::vector<delivery::Delivery> deliveries) override {
    if (crew_) crew_->submit(std::move(deliveries));
  }

  void quiesce(std::function<void(Result<>)> quiet) override { crew_->quiesce(std::move(quiet)); }

  void checkpoint(delivery::Checkpoint checkpoint, std::function<void(Result<>)> done) override {
    if (!has_checkpoint_) return done(success());
    crew_->checkpoint(std::move(checkpoint), std::move(done));
  }

  std::vector<std::uint64_t> stop(MonotonicTime deadline) override {
    const auto crew = [this] {
      const std::scoped_lock lock(mutex_);
      return std::exchange(crew_, nullptr);
    }();
    std::vector<std::uint64_t> still_run;
    if (!crew || crew->stop(deadline, still_run)) return still_run;
    diagnose(Level::error, "plugins", "a call did not come back; the instance is written off with its thread, restart the host to be rid of it",
             {{"instance", settings_.instance.name}});
    return still_run;
  }

  Result<bool> reconfigure(const std::string& config, Duration patience) override {
    const auto crew = [this] {
      const std::scoped_lock lock(mutex_);
      return crew_;
    }();
    if (!crew) return false;
    auto promise = std::make_shared<std::promise<Result<bool>>>();
    auto answer = promise->get_future();
    crew->run_between_calls([promise, config](Instance& instance) { promise->set_value(instance.reconfigure(config)); });
    promise.reset();
    if (answer.wait_for(patience) != std::future_status::ready) return false;
    try {
      HOOKHOST_TRY(const bool taken, answer.get());
      if (!taken) return false;
    } catch (const std::future_error&) {  // it stopped first
      return false;
    }
    const std::scoped_lock lock(mutex_);
    if (crew != crew_) return false;  // another instance has begun with the old one
    settings_.instance.config = config;
    return true;
  }

 private:
  [[nodiscard]] InstanceSettings instance_settings() const {
    const std::scoped_lock lock(mutex_);
    return settings_.instance;
  }

  const std::shared_ptr<const Library> library_;
  mutable std::mutex mutex_;  // the engine's calls come one at a time; reconfigure may come beside them
  SubscriberSettings settings_;
  const std::shared_ptr<PluginMetrics> metrics_;
  const Clock& clock_;
  delivery::Traits traits_;
  bool has_checkpoint_ = false;
  std::shared_ptr<Crew> crew_;
};

}  // namespace

std::unique_ptr<PluginSubscriber> make_subscriber(std::shared_ptr<const Library> library, SubscriberSettings settings,
                                                      std::shared_ptr<PluginMetrics> metrics, const Clock& clock) {
  return std::make_unique<InstanceSubscriber>(std::move(library), std::move(settings), std::move(metrics), clock);
}

}  // namespace hookhost::plugins
