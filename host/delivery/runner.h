// One subscriber: its instance's life, its streams, its outcomes and its commits. Everything runs on the loop's thread; what may block goes to
// jobs and the scanner, whose answers carry the generation of the instance they were asked for.
//
//   runner.cc          start of the instance (runner_start: its job)
//   runner_end.cc      its restart, drain and stop; calls that outlive it
//   runner_feed.cc     reading (live, catch-up, drain passes) and handing over
//   runner_outcome.cc  what outcomes mean
//   runner_recovery.cc stopping by itself and coming back
//   runner_crash.cc    attempts that ended what they ran in
//   runner_commit.cc   batches: prepared, checkpoint, commit
//   runner_order.cc    a change of the order
//   runner_orders.cc   what the operator asks: pause, resume, replays, dead letters
//   runner_view.cc     status
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "delivery/availability.h"
#include "delivery/core.h"
#include "delivery/earlier_events.h"
#include "delivery/filter.h"
#include "delivery/kv_overlay.h"
#include "delivery/rate_limit.h"
#include "delivery/replay.h"
#include "delivery/runner_start.h"
#include "delivery/status.h"
#include "delivery/stream.h"
#include "delivery/subscriber.h"
#include "delivery/unsent.h"

namespace hookhost::delivery {

// What one without an instance is, and why.
struct Idle {
  std::string state = "not_running";
  std::string reason;
};

class Runner : public std::enable_shared_from_this<Runner> {
 public:
  Runner(Core& core, state::SubscriberRow row, std::uint32_t member);

  // --- The instance ------------------------------------------------------------------------------------------------------------
  // Precondition: none is attached. `started`: how the first start ended.
  void attach(SubscriberOptions options, std::shared_ptr<Subscriber> subscriber, Done started);
  // Feeds no more, waits for what runs until `deadline`, commits, stops; then `done`. At once when there is none.
  void drain(MonotonicTime deadline, std::function<void()> done);
  [[nodiscard]] bool attached() const { return subscriber_ != nullptr; }
  [[nodiscard]] const SubscriberOptions& options() const { return options_; }
  // What attach() was given.
  [[nodiscard]] SubscriberOptions wished_options() const;
  [[nodiscard]] const std::shared_ptr<Subscriber>& subscriber() const { return subscriber_; }
  [[nodiscard]] bool is_draining() const { return draining_; }
  [[nodiscard]] const state::SubscriberRow& row() const { return row_; }
  [[nodiscard]] std::uint32_t member() const { return member_; }
  void set_idle(Idle idle) { idle_ = std::move(idle); }
  [[nodiscard]] EarlierCount& earlier() { return earlier_; }
  void set_new() { new_ = true; }
  [[nodiscard]] bool take_new() { return std::exchange(new_, false); }
  // What the store knows, for a subscriber that is not attached yet.
  void recall(const state::Loaded& loaded, std::uint64_t dead_letters, const std::vector<state::GapRow>& gaps);
  void clear_gaps() { gaps_ = 0; }

  // --- Feeding -----------------------------------------------------------------------------------------------------------------
  [[nodiscard]] bool live() const { return live_; }
  void offer_live(const event_log::EventPtr& event);
  void note_removed(const std::vector<std::pair<Offset, Offset>>& removed);  // it will never be handed these
  void pump();   // whatever can go on now goes on
  void touch();  // pump me this round
  void write_position();  // of a subscriber without events, now and then

  // --- Orders ------------------------------------------------------------------------------------------------------------------
  void pause(std::string reason, Done done);
  void leave_configuration(Done done);   // detached; keeps the condition for the return
  void return_to_configuration(Done done);
  void resume(Done done);
  [[nodiscard]] bool retry_now(Offset offset);
  // `row`: with its copy; `event`: that, decoded. Precondition: running and fed.
  void retry_parked(state::ParkedRow row, const event_log::EventPtr& event, Done done);
  void erase_parked(state::StreamId stream, Offset offset, Done done);
  void begin_replay(state::ReplayRow row, Done done);
  void begin_reset(state::ReplayRow row, Offset position, Done done);
  void skip_to(Offset position, Done done);  // resumes there: what it owed before is no longer asked for
  void resume_replay(state::StreamId replay, const Done& done);
  void cancel_replay(Done done);
  [[nodiscard]] bool running() const { return phase_ == Phase::running && !draining_; }
  [[nodiscard]] bool fed() const { return phase_ == Phase::running && row_.condition == state::Condition::live && !draining_; }
  [[nodiscard]] const Traits* traits() const { return subscriber_ ? &subscriber_->traits() : nullptr; }
  [[nodiscard]] const state::ReplayRow* replay() const { return replay_ ? &replay_->row : nullptr; }
  [[nodiscard]] Offset next_position() const;  // every event below it was read by the main stream

  // --- Looking -----------------------------------------------------------------------------------------------------------------
  [[nodiscard]] SubscriberStatus status() const;
  [[nodiscard]] std::uint64_t blocked_keys() const;  // of the streams that are there
  // False: nothing of it is in memory, what waits stands in the store (stored_deliveries).
  bool deliveries(const DeliveryQuery& query, std::vector<DeliveryStatus>& out) const;
  // Those of a cancelled replay wait for nothing but its resumption.
  [[nodiscard]] static bool is_in_use(const state::LaneRow& lane, const std::vector<state::ReplayRow>& running);
  static void stored_deliveries(const state::Loaded& loaded, const DeliveryQuery& query, std::vector<DeliveryStatus>& out);
  [[nodiscard]] std::optional<ReplayProgress> progress() const;
  [[nodiscard]] Offset oldest_needed() const { return needed_; }
  // What its streams owe, the main one as far as `end`; none: no instance runs, the store has it (unsent_of).
  [[nodiscard]] std::vector<Unsent> unsent(Offset end) const;

  // --- From the instance (through its sink), on the loop -----------------------------------------------------------------------
  void completed(std::uint64_t generation, std::vector<Completion>& completions);
  void lost(std::uint64_t generation, const std::string& reason, const std::vector<std::uint64_t>& blamed);
  // An attempt that ended what it ran in, an instance or the process. Counts one life's crash once; how many the event has now. Also before an
  // instance is attached.
  void count_crash(state::CrashRow crash, std::function<void(Result<std::uint32_t>)> done);

 private:
  enum class Phase : std::uint8_t { none, starting, running, stopping, failed };
  enum class CommitPhase : std::uint8_t { idle, quiescing, preparing, checkpointing, committing };

  // What happened since the last batch was made.
  struct Changes {
    bool row = false;
    bool position = false;
    bool replay = false;
    bool tally = false;
    state::Batch batch;            // parked, kv, attempts, gaps, erased rows of ended streams
    std::vector<Offset> covered;   // ok and ignored
    std::uint32_t outcomes = 0;
    std::uint64_t kv_bytes = 0;
    std::vector<Done> waiters;
    std::vector<Done> row_waiters;  // what they wait for outlives the instance
    std::optional<MonotonicTime> since;
    bool urgent = false;
  };

  struct ReplayRun {
    state::ReplayRow row;
    std::shared_ptr<const EventFilter> filter;
    RateLimit rate;
    bool goes_first = false;   // live waits for it
    bool kv = true;
    bool cancelling = false;
    bool failing = false;      // a call insisted on kv: it ends, and not as one that could go on
    Done cancelled;
    MonotonicTime began{};
    std::uint64_t handled_before = 0;
    MonotonicTime last_outcome{};
  };

  // A call that did not return when its instance was stopped.
  struct Straggler {
    std::uint64_t generation = 0;
    std::uint64_t id = 0;
    event_log::EventPtr event;
  };

  struct Scanning {
    std::shared_ptr<ScanPlace> place = std::make_shared<ScanPlace>();
    bool busy = false;
  };
  // Of one stream.
  struct Reading {
    Scanning ahead;
    Scanning again;  // behind lanes that are free again, where it is known to stand
    Scanning pass;   // what is not known
  };

  // runner.cc
  void start_instance();
  void started(Result<Started> result);
  void tell_start(const Result<>& result) {
    if (const auto tell = std::exchange(start_ended_, nullptr)) tell(result);
  }
  void build_streams(Started& started);
  void set_replay(state::ReplayRow row, const std::vector<state::LaneRow>& lanes);
  [[nodiscard]] MonotonicTime due_at(const state::LaneRow& row);
  void read_notes();
  [[nodiscard]] Duration restart_pause();  // longer each time, until something is handled
  void restart_when_quiet();
  void load_held(std::optional<state::StreamId> only = {});
  void add_again(state::ParkedRow row, const event_log::EventPtr& event, Done done);
  void start_over(state::Batch batch, Done done);
  void started_over(const state::SubscriberRow& written, std::uint64_t serial, const Result<>& result);
  void write_orders();
  void recount_if_due();
  void note_error(const std::string& error);
  [[nodiscard]] bool commit_idle() const { return commit_phase_ == CommitPhase::idle; }

  // runner_orders.cc
  void set_condition(state::Condition condition, std::string reason);
  void commit_condition(Done done, std::optional<std::uint32_t> failed_run = {});
  void commit_row(Done done);

  // runner_feed.cc
  [[nodiscard]] bool main_allowed() const;
  [[nodiscard]] bool allowed(const Stream& stream) const;  // may be read and handed over
  void read_main();
  void read_replay();
  [[nodiscard]] Reading& reading_of(const Stream& stream) { return &stream == main_.get() ? main_reading_ : side_reading_; }
  void ask(const Stream& stream, Scanning Reading::*what, ScanRequest request, void (Runner::*arrived)(Stream&, Scan));
  void read_on(Stream& stream, const Scan* read);
  void scanned(Stream& stream, Scan scan);
  void read_again(Stream& stream);
  void again_scanned(Stream& stream, Scan scan);
  void read_pass(Stream& stream);
  void pass_scanned(Stream& stream, Scan scan);
  bool step_to_live();
  void leave_live(Offset at);
  void set_live(bool live);
  void arm_dues(Stream& stream);
  [[nodiscard]] std::size_t submit_window() const;
  void hand_over();
  void take_from(Stream& stream, std::size_t limit, std::vector<Delivery>& out);
  void take_back_ready();
  void fetch(state::StreamId stream, const Stream::Work& work);
  void fetched(state::StreamId stream, const Stream::Work& work, Result<event_log::EventPtr> event);
  void prepare_delivery(Stream& stream, PendingNumber number, std::vector<Delivery>& out);
  [[nodiscard]] Stream* stream_of(state::StreamId id);
  [[nodiscard]] Stream* other_of(const Stream& stream);
  void wake_at(MonotonicTime when);
  void finish_replay_if_done();
  void end_replay(std::string state);

  // runner_outcome.cc
  void settle(Completion& completion);
  void apply(Stream& stream, PendingNumber number, Completion& completion);
  void succeeded(Stream& stream, PendingNumber number, Completion& completion);
  void failed_attempt(Stream& stream, PendingNumber number, const Completion& completion);
  void park(Stream& stream, PendingNumber number, std::string_view reason, const std::string& error, std::uint32_t attempts);
  void note_attempt(const Pending& pending, std::string_view name, const Outcome& outcome, Duration took);
  void unpark(state::StreamId stream, Offset offset);
  [[nodiscard]] bool is_unparked(state::StreamId stream, Offset offset) const;
  void uncount(const Pending& pending);
  void append_own(std::string type, std::string detail);

  // runner_recovery.cc
  void count_failure(Offset offset);
  void end_run();
  void stop_myself(std::string reason);
  void recovered();
  void plan_probe();
  void probe();
  void probe_failed(Stream& stream, PendingNumber number);

  // runner_crash.cc
  [[nodiscard]] bool tell_crash(Stream& stream, PendingNumber number);
  void forget_crash(state::StreamId stream, Offset offset);
  void recall_crashes(const std::vector<state::CrashRow>& stored);

  // runner_order.cc
  void reorder_if_free();

  // runner_end.cc
  void restart(const std::string& reason);
  void replace_instance();
  void take_back_stop();
  void forget_memory();
  void drain_step();
  void stop_instance(MonotonicTime deadline);
  void stopped(const std::vector<std::uint64_t>& still_run);
  void note_stragglers();
  void keep_stragglers(const std::vector<std::uint64_t>& still_run);
  void close_lanes();
  void returned(std::uint64_t generation, const std::vector<Completion>& completions);

  // runner_commit.cc
  void changed();
  void commit_soon(Done done);
  void commit_if_due();
  [[nodiscard]] bool has_changes() const;
  [[nodiscard]] state::Batch build_batch();
  void send_prepared();
  void commit_quietly();
  void send_checkpoint();
  void send_commit();
  void committed(Result<> result);
  void fail_waiters(std::vector<Done>& waiters, const Error& error);
  [[nodiscard]] bool may_submit_more() const;
  [[nodiscard]] std::uint32_t uncommitted_max() const;

  // Wraps a task so that it can be called from another thread and runs on the loop, unless the instance is another one by then.
  template <class F>
  [[nodiscard]] auto bound(F task) {
    return [weak = weak_from_this(), generation = generation_, inbox = core_.inbox, task = std::move(task)](auto result) {
      inbox->post([weak, generation, task, result = std::move(result)]() mutable {
        if (const auto self = weak.lock(); self && self->generation_ == generation) task(*self, std::move(result));
      });
    };
  }
  // The same for the steps of a commit, which outlive an instance.
  template <class F>
  [[nodiscard]] auto bound_commit(F task) {
    return [weak = weak_from_this(), serial = commit_serial_, inbox = core_.inbox, task = std::move(task)](Result<> result) {
      inbox->post([weak, serial, task, result = std::move(result)]() mutable {
        if (const auto self = weak.lock(); self && self->commit_serial_ == serial) task(*self, std::move(result));
      });
    };
  }

  Core& core_;
  state::SubscriberRow row_;            // as it will be with the next commit
  state::SubscriberRow committed_row_;  // as it is in the store
  const std::uint32_t member_;
  SubscriberOptions options_;           // with the order that is in use
  OrderBy order_wished_;                // in use as soon as nothing waits by another one
  std::optional<OrderBy> order_noted_;  // by which the rows of its lanes are made, as soon as there are any
  std::optional<Offset> reads_until_;   // while another order waits that would not bear more
  bool reorders_ = false;               // the engine was asked for an instance that takes it up
  std::shared_ptr<Subscriber> subscriber_;
  std::shared_ptr<const EventFilter> filter_;
  std::shared_ptr<KvOverlay> kv_;

  Phase phase_ = Phase::none;
  std::uint64_t generation_ = 0;
  std::uint32_t start_failures_ = 0;
  std::string phase_reason_;
  Idle idle_;  // while no instance is attached
  Done start_ended_;  // who attached it waits for its first start
  std::optional<std::string> lost_early_;  // the instance is gone again, its start not yet heard of
  std::shared_ptr<Standing> standing_;  // of the last start
  std::uint64_t condition_serial_ = 0;  // of the operator's last word on it
  bool writes_orders_ = false;
  bool start_wanted_ = false;  // as soon as the commit under way has ended
  bool draining_ = false;
  MonotonicTime drain_deadline_{};
  std::function<void()> drained_;
  std::vector<Order> before_start_;  // carried out on a job's thread, after the old instance is gone

  std::vector<Straggler> stragglers_;              // while an instance stops: whatever is out
  std::unordered_set<LaneNumber> closed_lanes_;    // theirs, as the lanes are now
  PendingPool pool_;
  std::unique_ptr<Stream> main_, side_;
  Reading main_reading_, side_reading_;
  std::optional<ReplayRun> replay_;
  bool live_ = false;
  bool fresh_ = false;  // started and not yet live
  std::optional<MonotonicTime> join_at_;
  std::uint64_t held_loads_ = 0;  // the answer to the last one counts
  bool holding_ = false;  // what is held is being loaded; nothing is fed until it stands before its lanes
  bool touched_ = false;
  bool new_ = false;  // accepted for the first time, not attached yet
  std::size_t in_flight_ = 0;
  RateLimit rate_;
  Duration took_{};  // a call, of late
  std::size_t fetching_ = 0;
  std::size_t side_out_ = 0;  // of both, those of the replay
  Availability availability_;
  std::map<std::pair<state::StreamId, Offset>, state::CrashRow> crashes_;  // their outcomes are not told, or not in another row
  std::optional<MonotonicTime> wake_;
  MonotonicTime scan_again_{};
  std::vector<Delivery> ready_;  // fetched, to be submitted with the next hand_over

  Changes changes_;
  CommitPhase commit_phase_ = CommitPhase::idle;
  state::Batch batch_;                 // on its way
  std::vector<Offset> batch_covered_;
  std::vector<Done> batch_waiters_;
  std::uint32_t batch_outcomes_ = 0;
  std::uint64_t batch_kv_bytes_ = 0;
  Offset batch_needed_;
  std::uint64_t batch_number_ = 1;     // of the changes that gather now
  std::uint64_t commit_serial_ = 0;    // tells one round of the commit from an abandoned one
  Offset needed_;
  MonotonicTime needed_at_{};
  MonotonicTime position_written_{};

  std::uint32_t run_ = 1;        // the failed run that parked rows are marked with
  std::unordered_set<std::uint64_t> run_events_;  // the offsets that it counts, since the instance started
  bool recovering_ = false;      // resumed after a stop, nothing ok yet
  bool gone_ = false;            // it stopped because the receiver wants nothing more: not tried again by itself
  bool probing_ = false;         // resumed by itself: one event at a time until one is ok
  std::uint32_t probes_ = 0;     // that failed since it stopped
  std::optional<state::Condition> before_detached_;
  OutcomeCounts counts_;
  std::string last_error_, down_because_;
  std::optional<WallTime> last_error_at_;
  EarlierCount earlier_;
  std::uint64_t dead_letters_ = 0, held_ = 0, gaps_ = 0;
  std::uint64_t lanes_at_rest_ = 0;  // blocked keys, while no instance runs and they stand in the store only
  bool recount_ = false;  // the store is asked for the counts of parked events, once what is under way stands there
  MonotonicTime recount_at_{};
};

}  // namespace hookhost::delivery
