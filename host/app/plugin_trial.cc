#include "app/plugin_trial.h"

#include <algorithm>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>
#include <thread>

namespace hookhost::app {
namespace {

using namespace std::chrono_literals;

constexpr Duration kGrace = 1s;  // a call that is told of its timeout may still come back

std::string milliseconds(Duration duration) { return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(duration).count()) + " ms"; }

// What `work` answers on a thread of its own; nothing when that takes longer than `patience`: then the thread is left where it is.
template <class Work>
auto within(Duration patience, Work work) -> std::optional<decltype(work())> {
  auto promise = std::make_shared<std::promise<decltype(work())>>();
  auto answer = promise->get_future();
  std::thread([promise, work = std::move(work)]() mutable { promise->set_value(work()); }).detach();
  if (answer.wait_for(patience) != std::future_status::ready) return std::nullopt;
  return answer.get();
}

}  // namespace

// Hears one call at a time.
class PluginTrial::Ear final : public delivery::Sink {
 public:
  void completed(std::vector<delivery::Completion> completions) override {
    const std::scoped_lock lock(mutex_);
    for (auto& one : completions) heard_.insert_or_assign(one.id, std::move(one));
    heard_something_.notify_all();
  }
  void lost(std::string, std::vector<std::uint64_t>) override {}

  std::optional<delivery::Completion> wait_for(std::uint64_t id, Duration patience) {
    std::unique_lock lock(mutex_);
    if (!heard_something_.wait_for(lock, patience, [&] { return heard_.contains(id); })) return std::nullopt;
    return heard_.at(id);
  }

 private:
  std::mutex mutex_;
  std::condition_variable heard_something_;
  std::map<std::uint64_t, delivery::Completion> heard_;
};

class PluginTrial::Kv final : public delivery::KvReader {
 public:
  Result<std::optional<std::string>> get(std::string_view key) override {
    const std::scoped_lock lock(mutex_);
    const auto found = values_.find(key);
    return found == values_.end() ? std::nullopt : std::optional<std::string>(found->second);
  }
  Result<std::vector<std::pair<std::string, std::string>>> scan(std::string_view prefix, std::string_view after, std::size_t limit) override {
    const std::scoped_lock lock(mutex_);
    std::vector<std::pair<std::string, std::string>> out;
    auto at = after < prefix ? values_.lower_bound(prefix) : values_.upper_bound(after);
    for (; at != values_.end() && at->first.starts_with(prefix) && out.size() < limit; ++at) out.emplace_back(*at);
    return out;
  }
  void write(std::vector<state::KvWrite> writes) {
    const std::scoped_lock lock(mutex_);
    for (auto& write : writes) {
      if (write.value) {
        values_.insert_or_assign(std::move(write.key), std::move(*write.value));
      } else {
        values_.erase(write.key);
      }
    }
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> values_;
};

PluginTrial::PluginTrial(std::shared_ptr<const plugins::Library> library, plugins::InstanceSettings instance, Duration patience, const Clock& clock)
    : subscriber_(plugins::make_subscriber(std::move(library), {.instance = std::move(instance), .health = nullptr}, std::make_shared<plugins::PluginMetrics>(), clock)),
      patience_(patience),
      clock_(clock),
      ear_(std::make_shared<Ear>()),
      kv_(std::make_shared<Kv>()) {}

PluginTrial::Step PluginTrial::failed(std::string message, MonotonicTime begun) const { return {"failed", std::move(message), clock_.monotonic() - begun}; }

PluginTrial::Step PluginTrial::hung(const std::string& where, MonotonicTime begun) {
  hangs_ = true;
  return {"hangs", where + " did not return within " + milliseconds(patience_), clock_.monotonic() - begun};
}

PluginTrial::Step PluginTrial::start() {
  const auto begun = clock_.monotonic();
  const auto token = within(patience_, [subscriber = subscriber_, request = delivery::StartRequest{.test = true, .sink = ear_, .kv = kv_}] {
    return subscriber->start(request);
  });
  if (!token) return hung("create or start", begun);
  if (!*token) return failed(token->error().message, begun);
  token_ = token->value();
  return {"ok", "", clock_.monotonic() - begun};
}

PluginTrial::Step PluginTrial::hand(const event_log::EventPtr& event) {
  const auto begun = clock_.monotonic();
  delivery::Delivery one;
  one.id = ++delivered_;
  one.event = event;
  one.attempt = Attempt{1};
  one.timeout = patience_;
  one.test = true;
  subscriber_->submit({one});
  auto completion = ear_->wait_for(one.id, patience_ + kGrace);
  if (!completion) return hung("handle", begun);
  if (delivery::is_done(completion->outcome.status)) done_.push_back(event->offset);
  kv_->write(std::move(completion->kv));
  return {std::string(delivery::to_string(completion->outcome.status)), std::move(completion->outcome.error), completion->took};
}

PluginTrial::Step PluginTrial::checkpoint() {
  const auto begun = clock_.monotonic();
  auto promise = std::make_shared<std::promise<Result<>>>();
  auto answer = promise->get_future();
  subscriber_->checkpoint({++token_, std::exchange(done_, {})}, [promise](Result<> done) { promise->set_value(std::move(done)); });
  if (answer.wait_for(patience_) != std::future_status::ready) return hung("checkpoint", begun);
  const Result<> done = answer.get();
  return done ? Step{"ok", "", clock_.monotonic() - begun} : failed(done.error().message, begun);
}

PluginTrial::Step PluginTrial::stop() {
  const auto begun = clock_.monotonic();
  const bool stopped = within(patience_, [subscriber = subscriber_, deadline = begun + 2 * patience_] {
                         subscriber->stop(deadline);
                         return true;
                       }).has_value();
  return stopped ? Step{"ok", "", clock_.monotonic() - begun} : hung("stop or destroy", begun);
}

}  // namespace hookhost::app
