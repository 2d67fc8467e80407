#include "delivery/engine.h"

#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/engine_impl.h"

namespace hookhost::delivery {
namespace {

constexpr std::size_t kReceivedMax = 100'000;
constexpr Duration kReorderDrain = std::chrono::seconds{10};

}  // namespace

Error known_as(const SubscriberId& id, std::string_view kind) {
  const bool endpoint = kind == "endpoint";
  return {ErrorCode::refused, id.value + " is known as " + (endpoint ? "an " : "a ") + std::string(kind) +
                                  ", whose position is kept: choose another name; or take it out, reload, and: hookhost " +
                                  (endpoint ? "endpoint remove " : "plugin forget ") + id.value};
}

Error beyond_the_end(Offset offset, Offset end) {
  return {ErrorCode::usage, "offset " + std::to_string(offset.value) + " lies beyond the end of the event log, " + std::to_string(end.value)};
}

Engine::Engine(EventFeed& feed, state::DeliveryStore& store, const Clock& clock, EngineOptions options)
    : impl_(std::make_unique<Impl>(feed, store, clock, options)) {}

Engine::~Engine() { stop(impl_->core.clock.monotonic()); }

Result<> Engine::start() { return impl_->start(); }
void Engine::stop(MonotonicTime deadline) { impl_->stop(deadline); }
bool Engine::alive(Duration within) const { return impl_->alive(within); }

// --- Life --------------------------------------------------------------------------------------------------------------------------

Result<Offset> Engine::Impl::resolve(const StartAt& at) const {
  const Offset begin = core.feed.begin(), end = core.feed.durable_end();
  switch (at.kind) {
    case StartAt::Kind::now:
    case StartAt::Kind::hold: return at.position_lost ? begin : end;
    case StartAt::Kind::beginning: return begin;
    case StartAt::Kind::offset:
      if (at.offset > end && at.position_lost) return begin;
      if (at.offset > end) return fail(beyond_the_end(at.offset, end));
      return std::max(at.offset, begin);
    case StartAt::Kind::time: return core.feed.find_time(at.time);
    case StartAt::Kind::age: return at.position_lost ? begin : core.feed.find_time(core.clock.wall() - at.age);
  }
  return fail(ErrorCode::usage, "this is no place in the event log");
}

// Nothing, where nobody has the name. Error: refused.
Result<std::optional<state::SubscriberRow>> Engine::Impl::known(const SubscriberId& id, std::string_view kind) {
  HOOKHOST_TRY(auto row, on_loop([&]() -> std::optional<state::SubscriberRow> {
    const Runner* runner = find(id);
    return runner == nullptr ? std::nullopt : std::optional(runner->row());
  }));
  if (!row || row->kind == kind) return row;
  return fail(known_as(id, row->kind));
}

Result<> Engine::may_accept(const SubscriberId& id, std::string_view kind, const StartAt& start_at) {
  HOOKHOST_TRY(const auto known, impl_->known(id, kind));
  if (!known) HOOKHOST_CHECK(impl_->resolve(start_at));
  return success();
}

Result<Accepted> Engine::accept(const SubscriberId& id, std::string_view kind, const StartAt& start_at, Earlier earlier) {
  const std::lock_guard lock(impl_->accept_mutex);
  HOOKHOST_TRY(const auto known, impl_->known(id, kind));
  if (known) {
    Accepted out{false, known->condition, known->position.frontier};
    if (known->condition != state::Condition::detached) return out;
    HOOKHOST_CHECK(impl_->ordered(id, [](Runner& runner, Done done) { runner.return_to_configuration(std::move(done)); }));
    HOOKHOST_TRY(out.condition, impl_->on_loop([&] { return impl_->find(id)->row().condition; }));
    return out;
  }
  HOOKHOST_TRY(const Offset place, impl_->resolve(start_at));
  state::SubscriberRow row;
  row.id = id;
  row.kind = kind;
  row.condition = start_at.kind == StartAt::Kind::hold ? state::Condition::held : state::Condition::live;
  if (row.condition == state::Condition::held) row.reason = start_at.held_because;
  row.position.frontier = place;
  row.created_at = row.changed_at = impl_->core.clock.wall();
  state::Batch batch;
  batch.subscriber = id;
  batch.durable = true;
  batch.row = row;
  batch.position = row.position;
  HOOKHOST_CHECK(impl_->core.store.commit_now(std::move(batch)));
  HOOKHOST_CHECK(impl_->on_loop([&] {
    Runner& runner = impl_->add(row);
    if (earlier == Earlier::counted) runner.set_new();
    return true;
  }));
  return Accepted{true, row.condition, place};
}

Result<> Engine::attach(SubscriberOptions options, std::shared_ptr<Subscriber> subscriber, Duration drain, std::function<void(Result<>)> started) {
  if (options.events.empty()) return fail(ErrorCode::usage, options.id.value + " gets no events: give it at least one pattern");
  for (const auto delay : options.retry) {
    if (delay < Duration::zero()) return fail(ErrorCode::usage, options.id.value + ": a retry delay is negative");
  }
  const SubscriberId id = options.id;
  const auto by = std::make_shared<Impl::Attachment>(Impl::Attachment{std::move(options), std::move(subscriber), drain, std::move(started)});
  HOOKHOST_TRY(const bool found, impl_->on_loop([&] {
    if (impl_->find(id) == nullptr) return false;
    by->order = impl_->wanted[id] = ++impl_->last_order;
    impl_->replace(by);
    return true;
  }));
  if (!found) return Impl::unknown(id);
  return success();
}

// Whoever came while the old instance was drained has the last word.
void Engine::Impl::replace(const std::shared_ptr<const Attachment>& by) {
  const SubscriberId& id = by->options.id;
  Runner* runner = find(id);
  if (runner == nullptr || wanted[id] != by->order || stops) {
    if (by->started) by->started(fail(ErrorCode::unavailable, id.value + " was stopped or replaced before it started"));
    return;
  }
  if (runner->attached()) {
    runner->drain(core.clock.monotonic() + by->drain, [this, by] { replace(by); });
    return;
  }
  runner->attach(by->options, by->subscriber, by->started);
  index_stale = true;
  if (runner->take_new()) earlier.count(*runner);
}

// The same subscriber in a new instance. One that is drained already gets another one, or none.
void Engine::Impl::reorder(Runner& runner) {
  if (!runner.attached() || runner.is_draining()) return;
  replace(std::make_shared<Attachment>(Attachment{runner.wished_options(), runner.subscriber(), kReorderDrain, {}, wanted[runner.row().id] = ++last_order}));
}

Result<> Engine::Impl::stop_one(const SubscriberId& id, const Idle& idle, Duration drain) {
  return ordered(id, [this, id, idle, drain](Runner& runner, const Done& done) {
    wanted[id] = ++last_order;
    runner.drain(core.clock.monotonic() + drain, [this, done, idle, weak = runner.weak_from_this()] {
      index_stale = true;
      if (const auto self = weak.lock()) self->set_idle(idle);
      done(success());
    });
  }, drain + kOrderPatience);
}

Result<> Engine::disable(const SubscriberId& id, std::string_view reason, Duration drain) { return impl_->stop_one(id, {"disabled", std::string(reason)}, drain); }

Result<> Engine::not_brought_up(const SubscriberId& id, std::string_view why, Duration drain) { return impl_->stop_one(id, {"failed", std::string(why)}, drain); }

Result<> Engine::detach(const SubscriberId& id, Duration drain) {
  HOOKHOST_CHECK(impl_->stop_one(id, {"disabled", "no longer in the configuration"}, drain));
  return impl_->ordered(id, [](Runner& runner, Done done) { runner.leave_configuration(std::move(done)); });
}

Result<> Engine::forget(const SubscriberId& id) {
  HOOKHOST_TRY(const auto attached, impl_->on_loop([&]() -> std::optional<bool> {
    const Runner* runner = impl_->find(id);
    return runner == nullptr ? std::nullopt : std::optional(runner->attached());
  }));
  if (!attached) return Impl::unknown(id);
  if (*attached) return fail(ErrorCode::refused, id.value + " is in use: take it out of the configuration and reload first");
  state::Batch batch;
  batch.subscriber = id;
  batch.durable = true;
  batch.forget = true;
  HOOKHOST_CHECK(impl_->core.store.commit_now(std::move(batch)));
  HOOKHOST_CHECK(impl_->on_loop([&] {
    if (const Runner* runner = impl_->find(id)) impl_->members[runner->member()].reset();
    impl_->index_stale = true;
    impl_->wanted.erase(id);
    return impl_->runners.erase(id);
  }));
  return success();
}

// --- Orders ------------------------------------------------------------------------------------------------------------------------

Result<> Engine::pause(const SubscriberId& id, std::string_view reason) {
  return impl_->ordered(id, [why = std::string(reason)](Runner& runner, Done done) {
    const auto condition = runner.row().condition;
    if (condition == state::Condition::detached) return done(fail(ErrorCode::refused, "it is detached: nothing is delivered to it"));
    if (condition == state::Condition::stopped) return done(fail(ErrorCode::refused, "it is stopped already; resume goes on"));
    runner.pause(why, std::move(done));
  });
}

Result<> Engine::resume(const SubscriberId& id) {
  return impl_->ordered(id, [](Runner& runner, Done done) {
    if (runner.row().condition == state::Condition::detached) {
      return done(fail(ErrorCode::refused, "it is detached: put it back into the configuration and reload"));
    }
    if (runner.row().condition == state::Condition::live) return done(success());
    runner.resume(std::move(done));
  });
}

Result<> Engine::retry_now(const SubscriberId& id, Offset offset) {
  return impl_->ordered(id, [offset](Runner& runner, const Done& done) {
    if (runner.retry_now(offset)) return done(success());
    done(fail(ErrorCode::not_found, "no delivery of event " + std::to_string(offset.value) + " waits: hookhost deliveries list shows those that do"));
  });
}

Result<> Engine::retry_dead_letter(const SubscriberId& id, state::StreamId stream, Offset offset) {
  HOOKHOST_TRY(auto copy, impl_->core.store.parked_one(id, stream, offset));
  if (!copy) return fail(ErrorCode::not_found, "there is no such dead letter: hookhost dead-letters list shows them");
  HOOKHOST_TRY(auto event, impl_->core.feed.decode(copy->event, offset));
  return impl_->ordered(id, [&](Runner& runner, Done done) {
    if (!runner.fed()) return done(fail(ErrorCode::refused, "nothing is delivered to it now (hookhost status " + id.value + " says why)"));
    runner.retry_parked(std::move(*copy), event, std::move(done));
  });
}

Result<> Engine::discard_dead_letter(const SubscriberId& id, state::StreamId stream, Offset offset) {
  HOOKHOST_TRY(auto copy, impl_->core.store.parked_one(id, stream, offset));
  if (!copy) return fail(ErrorCode::not_found, "there is no such dead letter: hookhost dead-letters list shows them");
  return impl_->ordered(id, [=](Runner& runner, Done done) { runner.erase_parked(stream, offset, std::move(done)); });
}

Result<std::uint32_t> Engine::count_crash(const SubscriberId& id, const state::CrashRow& crash) {
  auto crashes = std::make_shared<std::uint32_t>();
  HOOKHOST_CHECK(impl_->ordered(id, [crash, crashes](Runner& runner, const Done& done) {
    runner.count_crash(crash, [crashes, done](const Result<std::uint32_t>& counted) {
      if (counted) *crashes = counted.value();
      done(counted ? Result<>(success()) : Result<>(fail(counted.error())));
    });
  }));
  return *crashes;
}

Result<> Engine::acknowledge_gaps(const SubscriberId& id) {
  HOOKHOST_TRY(auto gaps, impl_->core.store.gaps(id));
  for (auto& gap : gaps) gap.acknowledged = true;
  state::Batch batch;
  batch.subscriber = id;
  batch.gaps = std::move(gaps);
  HOOKHOST_CHECK(impl_->core.store.commit_now(std::move(batch)));
  return impl_->ordered(id, [](Runner& runner, const Done& done) {
    runner.clear_gaps();
    done(success());
  });
}

// --- Looking -----------------------------------------------------------------------------------------------------------------------

// Of one that has read nothing in this life, as without an instance, the event log knows how long its next event waits. Not on the loop: it reads.
// Once for each place: many may stand at the same one, and stay there.
void Engine::Impl::tell_lag(SubscriberStatus& of) {
  if (of.lag_events == 0 || of.lag > Duration::zero()) return;
  const Offset next = std::max(of.position, core.feed.begin());
  const std::scoped_lock lock(received_mutex_);
  auto known = received_.find(next);
  if (known == received_.end()) {
    if (received_.size() >= kReceivedMax) received_.clear();
    const auto looked = look_at_heads(core.feed, next, next.next(), [&](const EventHead& head) { known = received_.emplace(next, head.received_at).first; });
    if (!looked) diagnose(Level::warn, "delivery", "the lag of a subscriber is not known: " + looked.error().message, {{"subscriber", of.id.value}});
  }
  if (known != received_.end()) of.lag = std::max(Duration::zero(), Duration{core.clock.wall() - known->second});
}

std::vector<SubscriberStatus> Engine::status() {
  auto out = impl_->on_loop([&] {
    std::vector<SubscriberStatus> all;
    for (const auto& [id, runner] : impl_->runners) all.push_back(runner->status());
    return all;
  });
  if (!out) return {};
  for (auto& one : out.value()) impl_->tell_lag(one);
  return std::move(out.value());
}

Result<SubscriberStatus> Engine::status(const SubscriberId& id) {
  HOOKHOST_TRY(auto found, impl_->on_loop([&]() -> std::optional<SubscriberStatus> {
    const Runner* runner = impl_->find(id);
    return runner == nullptr ? std::nullopt : std::optional(runner->status());
  }));
  if (!found) return Impl::unknown(id);
  impl_->tell_lag(*found);
  return std::move(*found);
}

std::vector<DeliveryStatus> Engine::deliveries(const DeliveryQuery& query) {
  std::vector<DeliveryStatus> all;
  const auto elsewhere = impl_->on_loop([&] {
    std::vector<SubscriberId> without_memory;
    for (const auto& [id, runner] : impl_->runners) {
      const bool asked = !query.subscriber || *query.subscriber == id;
      if (asked && !runner->deliveries(query, all)) without_memory.push_back(id);
    }
    return without_memory;
  });
  if (!elsewhere) return {};
  for (const SubscriberId& id : elsewhere.value()) {
    const auto loaded = impl_->core.store.load(id);
    if (loaded && loaded.value()) Runner::stored_deliveries(*loaded.value(), query, all);
  }
  return all;
}

Offset Engine::oldest_needed() {
  const Offset end = impl_->core.feed.durable_end();
  auto out = impl_->on_loop([&] {
    Offset oldest = end;
    for (const auto& [id, runner] : impl_->runners) oldest = std::min(oldest, runner->oldest_needed());
    return oldest;
  });
  return out ? out.value() : Offset{};  // nothing may go while that is not known
}

}  // namespace hookhost::delivery
