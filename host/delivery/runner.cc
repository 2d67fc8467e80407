#include "delivery/runner.h"

#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/notes.h"
#include "delivery/order_change.h"

namespace hookhost::delivery {
namespace {

// The sink of one instance: what a later one would not understand is told by the generation.
class InstanceSink final : public Sink {
 public:
  InstanceSink(std::shared_ptr<Inbox> inbox, std::weak_ptr<Runner> runner, std::uint64_t generation)
      : inbox_(std::move(inbox)), runner_(std::move(runner)), generation_(generation) {}

  void completed(std::vector<Completion> completions) override {
    inbox_->post([runner = runner_, generation = generation_, list = std::move(completions)]() mutable {
      if (const auto self = runner.lock()) self->completed(generation, list);
    });
  }
  void lost(std::string reason, std::vector<std::uint64_t> blamed) override {
    inbox_->post([runner = runner_, generation = generation_, why = std::move(reason), ids = std::move(blamed)] {
      if (const auto self = runner.lock()) self->lost(generation, why, ids);
    });
  }

 private:
  const std::shared_ptr<Inbox> inbox_;
  const std::weak_ptr<Runner> runner_;
  const std::uint64_t generation_;
};

}  // namespace

Runner::Runner(Core& core, state::SubscriberRow row, std::uint32_t member)
    : core_(core), row_(std::move(row)), committed_row_(row_), member_(member), needed_(row_.position.frontier) {
  read_notes();
  if (row_.condition == state::Condition::detached) before_detached_ = Notes::parse(row_.plan).before_detached.value_or(state::Condition::live);
}

void Runner::read_notes() {
  const Notes notes = Notes::parse(row_.plan);
  run_ = notes.run;
  recovering_ = notes.recovering;
  gone_ = notes.gone && row_.condition == state::Condition::stopped;
  order_noted_ = notes.order;
}

SubscriberOptions Runner::wished_options() const {
  SubscriberOptions out = options_;
  out.order_by = order_wished_;
  return out;
}

void Runner::recall(const state::Loaded& loaded, std::uint64_t dead_letters, const std::vector<state::GapRow>& gaps) {
  const auto need = [&](std::optional<Offset> offset) {
    if (offset) needed_ = std::min(needed_, *offset);
  };
  for (const auto& lane : loaded.lanes) {
    need(lane.head);
    need(lane.first_skipped);
    if (is_in_use(lane, loaded.replays)) ++lanes_at_rest_;
  }
  for (const auto& replay : loaded.replays) need(replay.position.frontier);
  recall_crashes(loaded.crashes);
  dead_letters_ = dead_letters;
  held_ = loaded.held.size();
  gaps_ = static_cast<std::uint64_t>(std::count_if(gaps.begin(), gaps.end(), [](const auto& gap) { return !gap.acknowledged; }));
}

void Runner::touch() {
  if (touched_) return;
  touched_ = true;
  core_.touched.push_back(weak_from_this());
}

void Runner::note_error(const std::string& error) {
  last_error_ = error.substr(0, 1024);
  last_error_at_ = core_.wall;
}

void Runner::attach(SubscriberOptions options, std::shared_ptr<Subscriber> subscriber, Done started) {
  options_ = std::move(options);
  order_wished_ = options_.order_by;
  start_ended_ = std::move(started);
  subscriber_ = std::move(subscriber);
  filter_ = std::make_shared<EventFilter>(filter_of(options_));
  rate_ = RateLimit(options_.rate);
  idle_ = {};
  start_failures_ = 0;
  restart_when_quiet();
}

// Starts once no commit of an earlier instance is under way.
void Runner::restart_when_quiet() {
  if (subscriber_ == nullptr || phase_ == Phase::starting || phase_ == Phase::running || phase_ == Phase::stopping) return;
  start_wanted_ = !commit_idle();
  if (start_wanted_) return;  // committed() comes back here
  start_instance();
}

Duration Runner::restart_pause() {
  Duration pause = core_.options.restart_delay;
  for (std::uint32_t n = 0; n < start_failures_ && pause < core_.options.restart_delay_max; ++n) pause *= 2;
  ++start_failures_;
  return core_.jitter.around(std::min(pause, core_.options.restart_delay_max));
}

void Runner::start_instance() {
  phase_ = Phase::starting;
  ++generation_;
  lost_early_.reset();
  kv_ = std::make_shared<KvOverlay>(core_.store, row_.id);
  StartRequest prototype;
  prototype.sink = std::make_shared<InstanceSink>(core_.inbox, weak_from_this(), generation_);
  prototype.kv = kv_;
  auto answer = bound([](Runner& self, std::shared_ptr<Result<Started>> result) { self.started(std::move(*result)); });
  standing_ = std::make_shared<Standing>();
  Starting starting{core_.store, core_.jobs.outside(), row_.id, subscriber_, std::move(prototype), order_wished_, standing_};
  core_.jobs.run([starting = std::move(starting), answer, before = std::exchange(before_start_, {})] {
    const Result<> prepared = carry_out(before);
    answer(std::make_shared<Result<Started>>(prepared ? start_blocking(starting) : Result<Started>(fail(prepared.error()))));
  });
}

void Runner::started(Result<Started> result) {
  touch();
  if (!result) {
    phase_ = Phase::failed;
    phase_reason_ = result.error().message;
    note_error(phase_reason_);
    const auto code = result.error().code;
    if (!before_start_.empty() && !draining_) return restart_when_quiet();
    tell_start(fail(result.error()));
    const bool final = code == ErrorCode::invalid_config || code == ErrorCode::not_supported || code == ErrorCode::not_found;
    diagnose(Level::error, "delivery", "a subscriber did not start: " + phase_reason_, {{"subscriber", row_.id.value}});
    if (final || draining_) return;
    core_.timers.at(core_.now + restart_pause(), [weak = weak_from_this(), generation = generation_] {
      const auto self = weak.lock();
      if (self && self->generation_ == generation && self->phase_ == Phase::failed) self->restart_when_quiet();
    });
    return;
  }
  phase_ = Phase::running;
  phase_reason_.clear();
  build_streams(result.value());
  tell_start(success());
  if (lost_early_) return restart(*lost_early_);
  if (!before_start_.empty() && !draining_) replace_instance();  // ordered while it started
}

void Runner::build_streams(Started& started) {
  auto& loaded = started.loaded;
  // The condition may have changed while it started, also before an order wrote another one.
  const bool differs = loaded.row.condition != row_.condition;
  const std::string plan = loaded.row.plan;
  order_noted_ = Notes::parse(plan).order;
  options_.order_by = order_noted_.value_or(order_wished_);
  reads_until_ = reading_bound(options_.order_by, order_wished_, loaded.row.position);
  reorders_ = false;
  loaded.row.condition = row_.condition;
  loaded.row.reason = row_.reason;
  loaded.row.changed_at = row_.changed_at;
  loaded.row.plan = row_.plan;
  row_ = loaded.row;
  row_.token = started.token;
  committed_row_ = loaded.row;
  committed_row_.plan = plan;
  main_reading_ = Reading{};
  main_ = std::make_unique<Stream>(state::kMainStream, row_.position, pool_, options_.order_by, core_.options);
  fresh_ = true;
  join_at_.reset();
  // Not all in one second, when many start together.
  position_written_ = core_.now - core_.options.position_interval * (member_ % 30) / 30;
  main_->set_now(core_.now);
  close_lanes();
  main_->set_closed(closed_lanes_);
  for (const auto& lane : loaded.lanes) {
    if (lane.stream == state::kMainStream) main_->load(lane, due_at(lane));
  }
  recall_crashes(loaded.crashes);
  for (auto& replay : loaded.replays) {
    if (replay.state == "running" && !replay_) set_replay(std::move(replay), loaded.lanes);
  }
  dead_letters_ = started.dead_letters;
  held_ = loaded.held.size();
  recount_ = false;
  probing_ = recovering_ && options_.recovers;
  if (held_ > 0 && row_.condition == state::Condition::live) load_held();
  plan_probe();
  if (differs) {
    changes_.row = true;
    changed();
  }
  needed_ = main_->oldest_needed();
  if (side_) needed_ = std::min(needed_, side_->oldest_needed());
}

MonotonicTime Runner::due_at(const state::LaneRow& row) { return core_.now + until_due(row.due, core_.wall, options_.retry); }

void Runner::set_replay(state::ReplayRow row, const std::vector<state::LaneRow>& lanes) {
  auto narrowing = parse_narrowing(row.filter);
  if (!narrowing) {
    note_error(narrowing.error().message);
    return;
  }
  EventFilter filter = std::move(narrowing.value());
  filter.events = options_.events;
  filter.team = options_.team;
  side_ = std::make_unique<Stream>(row.id, row.position, pool_, options_.order_by, core_.options);
  side_->set_now(core_.now);
  side_->set_closed(closed_lanes_);
  side_reading_ = Reading{};  // an earlier replay's may still be under way
  for (const auto& lane : lanes) {
    if (lane.stream == row.id) side_->load(lane, due_at(lane));
  }
  ReplayRun run;
  run.filter = std::make_shared<EventFilter>(std::move(filter));
  run.rate = RateLimit(row.rate);
  run.goes_first = row.mode != "continue";
  run.kv = run.goes_first;
  run.began = run.last_outcome = core_.now;
  run.handled_before = row.handled + row.failed;
  run.row = std::move(row);
  if (run.goes_first && live_) leave_live(core_.live_end);
  main_->set_other(side_.get(), run.goes_first);
  side_->set_other(main_.get(), false);
  side_->record_closed(true);
  replay_ = std::move(run);
  touch();
}

}  // namespace hookhost::delivery
