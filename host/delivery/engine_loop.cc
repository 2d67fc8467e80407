// The loop: tasks, timers, live events, then whatever subscribers can do next.
#include <algorithm>

#include "base/diagnostics.h"
#include "base/thread_name.h"
#include "delivery/engine_impl.h"

namespace hookhost::delivery {
namespace {

constexpr std::size_t kLiveEvents = 256;
constexpr std::size_t kLiveBytes = 8ULL << 20;
constexpr int kReadsARound = 4;
constexpr Duration kPositionsEvery = std::chrono::seconds{1};
constexpr Duration kAgain = std::chrono::seconds{1};
// What stop() waits beyond the deadline: the last commits and the instances' own ends.
constexpr Duration kStopGrace = std::chrono::seconds{5};

}  // namespace

Engine::Impl::Impl(EventFeed& feed, state::DeliveryStore& store, const Clock& clock, const EngineOptions& options)
    : core(feed, store, clock, options) {}

Result<> Engine::Impl::start() {
  HOOKHOST_TRY(auto rows, core.store.subscribers());
  for (auto& row : rows) {
    HOOKHOST_CHECK(correct_position(row));
    Runner& runner = add(std::move(row));
    HOOKHOST_TRY(auto loaded, core.store.load(runner.row().id));
    HOOKHOST_TRY(const auto dead, core.store.count_parked(runner.row().id, state::ParkedRow::Kind::dead));
    HOOKHOST_TRY(const auto gaps, core.store.gaps(runner.row().id));
    if (loaded) runner.recall(*loaded, dead, gaps);
  }
  HOOKHOST_TRY(live_cursor_, core.feed.cursor());
  core.live_end = core.feed.durable_end();
  core.feed.on_durable([inbox = core.inbox] { inbox->post([] {}); });
  core.scanner.start();
  running_ = true;
  thread_ = std::thread([this] { run(); });
  return success();
}

// A position beyond the end of the event log is reported, not trusted: with it, the next events would be passed over.
Result<> Engine::Impl::correct_position(state::SubscriberRow& row) {
  const Offset end = core.feed.durable_end();
  const Offset said = row.position.done.empty() ? row.position.frontier : std::max(row.position.frontier, row.position.done.back().next());
  if (said <= end) return success();
  diagnose(Level::error, "delivery",
           "a position lies beyond the end of the event log: is this delivery.db of another data directory? The subscriber goes on at the end",
           {{"subscriber", row.id.value}, {"position", said.value}, {"end", end.value}});
  row.position.frontier = std::min(row.position.frontier, end);
  std::erase_if(row.position.done, [&](Offset done) { return done >= end; });
  return core.store.commit_now({.subscriber = row.id, .position = row.position});
}

void Engine::Impl::stop(MonotonicTime deadline) {
  if (!thread_.joinable()) return;
  auto all = std::make_shared<std::promise<void>>();
  auto ended = all->get_future();
  core.inbox->post([this, deadline, all] {
    stops = true;
    auto left = std::make_shared<std::size_t>(runners.size() + 1);
    const auto one = [left, all] {
      if (--*left == 0) all->set_value();
    };
    for (auto& [id, runner] : runners) runner->drain(deadline, one);
    one();
  });
  all.reset();
  const Duration left = std::max(Duration::zero(), Duration{deadline - core.clock.monotonic()});
  ended.wait_for(left + kStopGrace);
  core.feed.on_durable({});
  running_ = false;
  core.inbox->post([] {});
  thread_.join();
  core.inbox->close();
  core.scanner.stop();
  core.jobs.finish(kStopGrace);
}

bool Engine::Impl::alive(Duration within) const {
  return running_ && core.clock.monotonic() - MonotonicTime{Duration{last_round_.load()}} <= within;
}

void Engine::Impl::run() {
  name_this_thread("delivery");
  while (running_) round();
}

Duration Engine::Impl::patience() const {
  if (!core.touched.empty()) return Duration::zero();
  const MonotonicTime now = core.clock.monotonic();
  if (core.live_end < core.feed.durable_end() && now >= dispatch_again_) return Duration::zero();
  Duration out = core.options.poll_max;
  if (const auto next = core.timers.next()) out = std::min(out, std::max(Duration::zero(), Duration{*next - now}));
  return out;
}

void Engine::Impl::round() {
  auto tasks = core.inbox->take(patience());
  core.now = core.clock.monotonic();
  core.wall = core.clock.wall();
  last_round_ = core.now.time_since_epoch().count();
  for (auto& task : tasks) task();
  core.timers.run(core.now);
  dispatch();
  for (const auto& touched : std::exchange(core.touched, {})) {
    if (const auto runner = touched.lock()) runner->pump();
  }
  for (const auto& free : std::exchange(core.reordered, {})) {
    if (const auto runner = free.lock()) reorder(*runner);
  }
  for (const auto& changed : std::exchange(core.earlier_changed, {})) {
    if (const auto runner = changed.lock()) earlier.count_again(*runner);
  }
  if (core.now >= positions_at_ + kPositionsEvery) {
    positions_at_ = core.now;
    for (auto& [id, runner] : runners) runner->write_position();
  }
}

// Each new event that any of them matches is read once, for all live subscribers together.
void Engine::Impl::dispatch() {
  if (core.now < dispatch_again_) return;
  for (int reads = 0; reads < kReadsARound; ++reads) {
    const Offset end = core.feed.durable_end();
    if (core.live_end >= end) return;
    if (core.live_count == 0) {
      core.live_end = end;
      // Those that wait at the old end have new events to catch up with.
      for (auto& [id, runner] : runners) {
        if (runner->attached()) runner->touch();
      }
      return;
    }
    if (index_stale) rebuild_index();
    auto read = live_cursor_->scan(core.live_end, end, kLiveEvents, kLiveBytes, kScanLookedMax, [this](const EventHead& head) {
      matched_.clear();
      index_.match(head, matched_);
      return std::any_of(matched_.begin(), matched_.end(), [this](std::uint32_t member) { return members[member]->live(); });
    });
    if (!read) {
      diagnose(Level::error, "delivery", "new events cannot be read: " + read.error().message);
      dispatch_again_ = core.now + kAgain;
      return;
    }
    if (!read.value().removed.empty()) {
      for (auto& [id, runner] : runners) {
        if (runner->live() && runner->next_position() <= core.live_end) runner->note_removed(read.value().removed);
      }
    }
    for (const auto& event : read.value().events) {
      matched_.clear();
      index_.match(*event, matched_);
      for (const auto member : matched_) {
        if (members[member]->live()) members[member]->offer_live(event);
      }
    }
    core.live_end = read.value().next;
  }
}

void Engine::Impl::rebuild_index() {
  index_stale = false;
  index_.clear();
  for (const auto& [id, runner] : runners) {
    if (runner->attached()) index_.add(runner->member(), runner->options().events, runner->options().team);
  }
}

Result<> Engine::Impl::ordered(const SubscriberId& id, const std::function<void(Runner&, Done)>& task, Duration patience) {
  auto promise = std::make_shared<std::promise<Result<>>>();
  auto begun = std::make_shared<std::promise<void>>();
  auto future = promise->get_future();
  auto beginning = begun->get_future();
  const bool posted = core.inbox->post([this, promise, begun, id, task] {
    const Done done = [promise](const Result<>& result) { promise->set_value(result); };
    if (Runner* runner = find(id)) {
      task(*runner, done);
    } else {
      done(unknown(id));
    }
    begun->set_value();
  });
  promise.reset();
  begun.reset();
  if (!posted) return ended();
  try {
    beginning.get();  // Order: `task` may look at what is the caller's
    if (future.wait_for(patience) != std::future_status::ready) {
      return fail(ErrorCode::unavailable, "the order was taken, but it takes long: a call of " + id.value +
                                              " may hang. hookhost status " + id.value + " shows when it is carried out");
    }
    return future.get();
  } catch (const std::future_error&) {  // the loop ended first
    return ended();
  }
}

Runner* Engine::Impl::find(const SubscriberId& id) {
  const auto found = runners.find(id);
  return found == runners.end() ? nullptr : found->second.get();
}

Runner& Engine::Impl::add(state::SubscriberRow row) {
  const SubscriberId id = row.id;
  auto runner = std::make_shared<Runner>(core, std::move(row), static_cast<std::uint32_t>(members.size()));
  members.push_back(runner);
  runners[id] = runner;
  return *runner;
}

}  // namespace hookhost::delivery
