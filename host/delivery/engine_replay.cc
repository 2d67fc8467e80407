// Replays: what one would do, starting it, following it.
#include <algorithm>
#include <set>

#include "delivery/engine_impl.h"

namespace hookhost::delivery {
namespace {

EventFilter filter_of(const ReplayRequest& request, const SubscriberOptions& options) {
  EventFilter filter = filter_of(options);
  filter.types = request.types;
  filter.key = request.key;
  if (request.id) filter.id = request.id->value;
  return filter;
}

void choose_live(const ReplayRequest& request, bool handled_any, ReplayPlan& plan) {
  if (request.live) {
    plan.live = *request.live;
    plan.live_reason = "as asked";
  } else if (request.reset) {
    plan.live = LiveMode::wait;
    plan.live_reason = "a reset starts over: live events wait until it has caught up";
  } else if (!handled_any) {
    plan.live = LiveMode::wait;
    plan.live_reason = "the subscriber has handled nothing yet: every event once, in key order";
  } else {
    plan.live = LiveMode::carry_on;
    plan.live_reason = "the subscriber has a past: live events are not delayed";
  }
}

// Handed its events in another order than theirs, it has to start over.
bool takes_only_a_reset(const Traits& traits, const state::SubscriberRow& row) {
  return traits.on_replay == Traits::OnReplay::reset_only && row.handled_any;
}

std::string way_on(const state::ReplayRow& row, bool only_a_reset) {
  if (!only_a_reset) return "hookhost replays resume " + std::to_string(row.id) + " lets it go on";
  return "hookhost replay " + row.subscriber.value + " --from " + std::to_string(row.from.value) + " --reset starts over";
}

// Of a replay that begins or goes on. `reset`: it begins with one.
std::string refusal_of(const Situation& now, bool reset, LiveMode live, bool uses_kv) {
  const std::string name = now.row.id.value;
  if (!now.attached) return name + " has no running instance: enable it first";
  if (now.row.condition == state::Condition::paused || now.row.condition == state::Condition::stopped) {
    return name + " is " + std::string(state::to_string(now.row.condition)) + ": " + resume_command(now.row.kind, now.row.id) + " first";
  }
  if (now.running && !reset) {
    return "replay " + std::to_string(*now.running) + " runs: wait for it, or hookhost replays cancel " + std::to_string(*now.running);
  }
  if (live == LiveMode::carry_on && uses_kv) return kv_refusal(now.row.id);
  if (!reset && takes_only_a_reset(now.traits, now.row)) {
    return name + " takes a replay only with --reset, which clears what it keeps in the host and starts over";
  }
  return {};
}

Result<> count_matching(EventFeed& feed, const EventFilter& filter, ReplayPlan& plan) {
  HOOKHOST_TRY(const auto removed, look_at_heads(feed, plan.from, plan.until, [&](const EventHead& head) {
    if (!filter.passes(head)) return;
    ++plan.matching;
    if (!plan.first) plan.first = head.received_at;
    plan.last = head.received_at;
  }));
  for (const auto& [from, until] : removed) {
    plan.events_removed.push_back(from);
    plan.events_removed.push_back(until);
  }
  return success();
}

ReplayProgress progress_of(const state::ReplayRow& row) {
  ReplayProgress out;
  out.id = row.id;
  out.subscriber = row.subscriber;
  out.mode = row.mode;
  out.state = row.state;
  if (row.state == "failed") out.reason = kv_refusal(row.subscriber);
  out.from = row.from;
  out.until = row.until;
  out.position = std::min(row.position.frontier, row.until);
  out.total = row.total;
  out.handled = row.handled;
  out.failed = row.failed;
  out.rate = row.rate;
  out.created_at = row.created_at;
  if (row.finished_at != WallTime{}) out.finished_at = row.finished_at;
  return out;
}

}  // namespace

Result<Situation> Engine::Impl::situation(const SubscriberId& id) {
  HOOKHOST_TRY(auto found, on_loop([&]() -> std::optional<Situation> {
    const Runner* runner = find(id);
    if (runner == nullptr) return std::nullopt;
    Situation out;
    out.options = runner->options();
    out.row = runner->row();
    out.next = runner->next_position();
    out.attached = runner->attached();
    if (runner->traits() != nullptr) out.traits = *runner->traits();
    if (runner->replay() != nullptr) out.running = runner->replay()->id;
    return out;
  }));
  if (!found) return unknown(id);
  return std::move(*found);
}

std::string kv_refusal(const SubscriberId& subscriber) {
  return subscriber.value + " keeps state in the host (kv), which a replay beside live may not write: --reset clears it and builds it anew from --from, "
         "--live wait writes it while live events wait";
}

Result<ReplayPlan> Engine::replay_plan(const ReplayRequest& request) {
  if (request.from.kind == StartAt::Kind::hold) return fail(ErrorCode::usage, "--from hold makes no sense: name a place, a time or an age");
  if (request.reset && request.live == LiveMode::carry_on) {
    return fail(ErrorCode::usage, "--reset --live continue makes no sense: a reset starts over, so live has to wait");
  }
  if (request.rate < 0) return fail(ErrorCode::usage, "--rate must not be negative");
  HOOKHOST_TRY(const auto now, impl_->situation(request.subscriber));
  ReplayPlan plan;
  HOOKHOST_TRY(plan.from, impl_->resolve(request.from));
  choose_live(request, now.row.handled_any, plan);
  plan.position = request.reset || !now.row.handled_any ? now.row.position.frontier : now.next;
  // One that has handled nothing, or starts over, may as well begin later.
  if ((request.reset || !now.row.handled_any) && plan.from > plan.position) {
    plan.position = plan.from;
    plan.moves = true;
  }
  plan.until = plan.position;
  if (request.until) {
    HOOKHOST_TRY(const Offset until, impl_->resolve(*request.until));
    plan.until = std::min(plan.until, until);
  }
  plan.until = std::max(plan.until, plan.from);
  HOOKHOST_CHECK(count_matching(impl_->core.feed, filter_of(request, now.options), plan));
  HOOKHOST_TRY(const auto kv, impl_->core.store.kv_scan(request.subscriber, "", "", 1));
  plan.refusal = refusal_of(now, request.reset, plan.live, !kv.empty());
  if (plan.refusal.empty() && now.row.handled_any && !request.reset && plan.from > plan.position) {
    plan.refusal = "the subscriber is at " + std::to_string(plan.position.value) + ", before --from: it comes there by itself";
  }
  plan.needs_confirmation = now.attached && now.traits.on_replay == Traits::OnReplay::ask && plan.matching > 0 && (now.row.handled_any || request.reset);
  if (plan.live == LiveMode::carry_on) plan.notes.emplace_back("kv writes are refused in a replay beside live; it ends if the plugin insists on them");
  if (now.row.handled_any && !request.reset) plan.notes.emplace_back("events it has handled before are handled again: at least once");
  if (!plan.events_removed.empty()) plan.notes.emplace_back("retention has removed some of these events");
  return plan;
}

Result<state::StreamId> Engine::replay_start(const ReplayRequest& request) {
  HOOKHOST_TRY(const auto plan, replay_plan(request));
  return replay_start(request, plan);
}

Result<state::StreamId> Engine::replay_start(const ReplayRequest& request, const ReplayPlan& plan) {
  if (!plan.refusal.empty()) return fail(ErrorCode::refused, plan.refusal);
  if (plan.needs_confirmation && !request.yes) {
    return fail(ErrorCode::refused, std::to_string(plan.matching) + " events would be replayed; confirm with --yes");
  }
  HOOKHOST_TRY(const auto id, impl_->core.store.next_replay_id());
  state::ReplayRow row;
  row.id = id;
  row.subscriber = request.subscriber;
  row.mode = request.reset ? "reset" : plan.live == LiveMode::wait ? "wait" : "continue";
  row.state = "running";
  row.filter = narrowing_text(filter_of(request, {}));
  row.from = plan.from;
  row.until = plan.until;
  row.position.frontier = plan.from;
  row.rate = request.rate;
  row.total = plan.matching;
  row.created_at = impl_->core.clock.wall();
  HOOKHOST_CHECK(impl_->ordered(request.subscriber, [row, plan, reset = request.reset](Runner& runner, Done done) {
    if (runner.replay() != nullptr && !reset) return done(fail(ErrorCode::conflict, "another replay of this subscriber runs"));
    if (plan.moves && !reset && runner.row().handled_any) return done(fail(ErrorCode::conflict, "it has begun meanwhile; ask again"));
    if (reset || plan.moves) return runner.begin_reset(row, plan.position, std::move(done));
    if (!runner.running()) return done(fail(ErrorCode::unavailable, "the subscriber's instance is not running now (hookhost status says why); try again"));
    runner.begin_replay(row, std::move(done));
  }));
  return id;
}

Result<std::vector<ReplayProgress>> Engine::replays(std::optional<SubscriberId> id) {
  HOOKHOST_TRY(auto rows, impl_->core.store.replays(id));
  std::map<state::StreamId, ReplayProgress> running;
  std::set<SubscriberId> only_a_reset;
  HOOKHOST_CHECK(impl_->on_loop([&] {
    for (const auto& [name, runner] : impl_->runners) {
      if (const auto progress = runner->progress()) running[progress->id] = *progress;
      if (runner->traits() != nullptr && takes_only_a_reset(*runner->traits(), runner->row())) only_a_reset.insert(name);
    }
    return true;
  }));
  std::vector<ReplayProgress> out;
  for (const auto& row : rows) {
    const auto live = running.find(row.id);
    out.push_back(live != running.end() && row.state == "running" ? live->second : progress_of(row));
    if (row.state == "cancelled") out.back().way_out = way_on(row, only_a_reset.contains(row.subscriber));
  }
  std::sort(out.begin(), out.end(), [](const auto& left, const auto& right) { return left.id > right.id; });
  return out;
}

Result<ReplayProgress> Engine::replay(state::StreamId id) {
  HOOKHOST_TRY(auto all, replays());
  for (auto& one : all) {
    if (one.id == id) return std::move(one);
  }
  return fail(ErrorCode::not_found, "there is no replay " + std::to_string(id) + ": hookhost replays list shows them");
}

Result<> Engine::replay_cancel(state::StreamId id) {
  HOOKHOST_TRY(const auto one, replay(id));
  if (one.state != "running" && one.state != "blocked") return fail(ErrorCode::refused, "replay " + std::to_string(id) + " is " + one.state + " already");
  return impl_->ordered(one.subscriber, [id](Runner& runner, Done done) {
    if (runner.replay() == nullptr || runner.replay()->id != id) {
      return done(fail(ErrorCode::unavailable, "its subscriber is not running now; try again"));
    }
    runner.cancel_replay(std::move(done));
  });
}

Result<> Engine::replay_resume(state::StreamId id) {
  HOOKHOST_TRY(auto rows, impl_->core.store.replays(std::nullopt));
  const auto found = std::find_if(rows.begin(), rows.end(), [id](const auto& row) { return row.id == id; });
  if (found == rows.end()) return fail(ErrorCode::not_found, "there is no replay " + std::to_string(id) + ": hookhost replays list shows them");
  if (found->state != "cancelled") return fail(ErrorCode::refused, "replay " + std::to_string(id) + " is " + found->state + ": only a cancelled one goes on");
  // Live events were handled since it was cancelled: one that takes them only in their order has to start over, also where this began with a reset.
  HOOKHOST_TRY(const auto now, impl_->situation(found->subscriber));
  HOOKHOST_TRY(const auto kv, impl_->core.store.kv_scan(found->subscriber, "", "", 1));
  const auto live = found->mode == "continue" ? LiveMode::carry_on : LiveMode::wait;
  if (auto refusal = refusal_of(now, false, live, !kv.empty()); !refusal.empty()) return fail(ErrorCode::refused, std::move(refusal));
  return impl_->ordered(found->subscriber, [id](Runner& runner, const Done& done) {
    if (runner.replay() != nullptr) return done(fail(ErrorCode::conflict, "another replay of this subscriber runs"));
    if (!runner.running()) return done(fail(ErrorCode::unavailable, "the subscriber's instance is not running now (hookhost status says why); try again"));
    runner.resume_replay(id, done);
  });
}

Result<Engine::Skipped> Engine::resume_from_now(const SubscriberId& id) {
  HOOKHOST_TRY(const auto now, impl_->situation(id));
  if (now.row.condition == state::Condition::detached) return fail(ErrorCode::refused, "it is detached: put it back into the configuration and reload");
  if (!now.attached) return fail(ErrorCode::refused, id.value + " has no running instance: enable it first");
  const Offset end = impl_->core.feed.durable_end();
  Skipped skipped;
  HOOKHOST_TRY(auto unsent, impl_->on_loop([&]() -> std::vector<Unsent> {
    const Runner* runner = impl_->find(id);
    if (runner == nullptr) return {};
    skipped.deliveries = runner->status().held;
    return runner->unsent(end);
  }));
  if (unsent.empty()) {
    HOOKHOST_TRY(const auto stored, impl_->core.store.load(id));
    if (!stored) return Impl::unknown(id);
    HOOKHOST_TRY(unsent, unsent_of(*stored, now.options, end));
  }
  skipped.replay = unsent.size() > 1;
  for (const Unsent& one : unsent) {
    HOOKHOST_TRY(const auto count, count_unsent(impl_->core.feed, one, now.options.order_by));
    skipped.deliveries += count;
  }
  HOOKHOST_CHECK(impl_->ordered(id, [end](Runner& runner, Done done) { runner.skip_to(end, std::move(done)); }));
  return skipped;
}

}  // namespace hookhost::delivery
