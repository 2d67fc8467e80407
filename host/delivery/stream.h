// One ordered reading of the event log for one subscriber: its own (live and catch-up), or a replay that runs beside it. Pure bookkeeping: what
// was read, what may be handed over next, what a position and the rows of blocked lanes are. No input or output, no clock.
//
// Invariant: every matching event below read() is finished, in the window, behind a lane's first_skipped, or the head or a prior of a lane.
// Invariant: of one lane at most one event is taken and not finished; they are taken in ascending order, priors first.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/types.h"
#include "delivery/lane.h"
#include "delivery/lane_key.h"
#include "delivery/options.h"
#include "delivery/pending.h"
#include "delivery/window.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

class Stream {
 public:
  // `pool`, `order` and `options` must outlive the stream.
  Stream(state::StreamId id, const state::Position& position, PendingPool& pool, const OrderBy& order, const EngineOptions& options);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // The subscriber's other stream: never two events of one lane at once over both. `goes_first`: while the other one has a lane open, this
  // stream's events of that lane wait behind it (a replay that live waits for). nullptr: none.
  void set_other(const Stream* other, bool goes_first);
  // Lanes of which a call of an earlier instance still runs: their events wait as behind a blocked key, until one is taken out and poked.
  // `lanes` must outlive the stream.
  void set_closed(const std::unordered_set<LaneNumber>& lanes) { closed_lanes_ = &lanes; }

  [[nodiscard]] state::StreamId id() const { return id_; }
  // What time it is, for everything that follows.
  void set_now(MonotonicTime now) { now_ = now; }

  // --- Reading -----------------------------------------------------------------------------------------------------------------
  [[nodiscard]] Offset read() const { return read_; }
  [[nodiscard]] std::size_t room() const;  // how many more events may be offered now
  [[nodiscard]] std::size_t room_bytes() const;
  void offer(event_log::EventPtr event);   // the next matching one, at or above read()
  void advance(Offset next);               // everything below was looked at

  // --- Handing over ------------------------------------------------------------------------------------------------------------
  struct Work {
    LaneNumber lane = kNoLane;
    PendingNumber pending = kNoPending;  // kNoPending: its event must be fetched first, then fetched() or vanished()
    Offset offset;
    bool prior = false;
  };
  // The next that may be handed over; its lane counts as running until finish, block or requeue.
  [[nodiscard]] std::optional<Work> take();
  [[nodiscard]] bool has_listed() const { return !listed_.empty(); }
  PendingNumber fetched(const Work& work, event_log::EventPtr event);
  void vanished(const Work& work);              // there is no such event any more: the lane goes on without it
  void abandon(const Work& work);               // it could not be fetched now
  void poke(LaneNumber lane);  // its time has come, or the other stream is through with it

  // --- Outcomes (of what was taken) --------------------------------------------------------------------------------------------
  void finish(PendingNumber number);                    // ok, ignored, or a dead letter
  // Tries again later; its lane waits. False for a prior that stays one, because the lane owes more that comes before everything else.
  bool block(PendingNumber number, Setback setback);
  void requeue(PendingNumber number);  // as if never taken
  // The oldest unfinished event, when it is running, becomes a lane's head, so that the position passes a call that hangs; a queued one goes
  // behind its lane. False when nothing could be moved.
  bool demote_oldest(WallTime wall);
  // Everything queued goes behind its lane: afterwards the position is read(), but for what runs.
  void spill();

  // --- Lanes -------------------------------------------------------------------------------------------------------------------
  void load(const state::LaneRow& row, MonotonicTime due_at);
  // A dead letter or a held event goes (before everything else of its lane). `event` names the lane.
  void add_prior(const event_log::Event& event, bool held);
  // The head of some lane with this offset is due now. False when there is none.
  bool make_due(Offset head, WallTime wall);
  [[nodiscard]] bool is_open(LaneNumber lane) const;     // something of it is owed
  [[nodiscard]] bool is_running(LaneNumber lane) const;
  [[nodiscard]] std::size_t open_lanes() const { return open_; }
  [[nodiscard]] bool only_waits() const;  // nothing moves until some lane's next attempt is due
  [[nodiscard]] bool idle() const { return window_.empty() && lanes_.empty(); }  // nothing is left but to read on
  [[nodiscard]] const std::unordered_map<LaneNumber, Lane>& lanes() const { return lanes_; }

  // --- Draining: finding again what stands behind lanes that are no longer blocked -----------------------------------------------
  // Where a lane's events stand is remembered as they are read past. Only what did not fit, and what an earlier life has read past, must be
  // looked for in a pass over everything.
  struct Again {
    std::vector<Offset> offsets;  // ascending; none: nothing to read
    std::size_t bytes_max = 0;
  };
  // What to read now. The answer before it, if there was one, has been given or never comes.
  [[nodiscard]] Again next_again();
  void offer_again(event_log::EventPtr event);
  // Everything asked for below `next` was offered or is not there any more: the latter.
  [[nodiscard]] std::vector<Offset> again_up_to(Offset next);

  struct Pass {
    Offset from, until;                                           // what to read next
    std::shared_ptr<const std::unordered_set<LaneNumber>> lanes;  // whose events are wanted
  };
  // What to read, if anything, beginning a pass when one is needed.
  [[nodiscard]] std::optional<Pass> next_pass();
  void offer_pass(event_log::EventPtr event);
  void passed_up_to(Offset next);

  // --- What a commit writes ----------------------------------------------------------------------------------------------------
  [[nodiscard]] state::Position position() const;
  [[nodiscard]] Offset frontier() const { return window_.frontier(read_); }
  [[nodiscard]] Offset oldest_needed() const;
  [[nodiscard]] const Window& window() const { return window_; }
  // The rows that changed since the last call.
  void collect(std::vector<state::LaneRow>& rows, std::vector<std::pair<state::StreamId, std::string>>& erased);
  [[nodiscard]] bool dirty() const { return !dirty_.empty() || !erased_.empty(); }
  // Heads that were given a due time since the last call.
  [[nodiscard]] std::vector<std::pair<MonotonicTime, LaneNumber>> take_dues() { return std::exchange(dues_, {}); }
  // Lanes that closed since the last call; kept only when `on`.
  void record_closed(bool on) { record_closed_ = on; }
  [[nodiscard]] std::vector<LaneNumber> take_closed() { return std::exchange(closed_, {}); }
  [[nodiscard]] WallTime last_read_at() const { return last_read_at_; }

 private:
  [[nodiscard]] bool is_closed(LaneNumber number) const { return closed_lanes_ != nullptr && closed_lanes_->contains(number); }
  [[nodiscard]] bool held_back(LaneNumber number) const {
    return is_closed(number) || (other_first_ && other_ != nullptr && other_->is_open(number));
  }
  [[nodiscard]] bool has_work(LaneNumber number, const Lane& lane) const;
  void list(LaneNumber number, Lane& lane);
  void enqueue(Lane& lane, PendingNumber number);
  void pop(Lane& lane);
  void skip(LaneNumber number, Lane& lane, Offset offset);
  Owed& open(Lane& lane, const event_log::Event& event, Offset offset);
  void set_skipped(LaneNumber number, Lane& lane, Offset offset);
  void pass_skipped(LaneNumber number, Lane& lane, Offset offset);  // everything of the lane up to this one is done, or its head
  void drop_queue(LaneNumber number, Lane& lane, bool keep_running, std::uint32_t keep = 0);
  [[nodiscard]] bool may_drain(LaneNumber number, const Lane& lane) const;  // nothing comes before what was skipped
  void seek_more(LaneNumber number, Lane& lane);  // has what was skipped found, if it is its turn
  [[nodiscard]] std::size_t room_again() const;        // as room(), for what is found again: twice the window
  [[nodiscard]] std::size_t room_bytes_again() const;
  [[nodiscard]] std::uint32_t kept_when_blocked() const;
  [[nodiscard]] std::size_t places_room(LaneNumber number, const Lane& lane) const;
  void take_place(Owed& owed);
  void give_back_places(LaneNumber number, Lane& lane, const std::vector<Offset>& offsets);  // they come before those it has
  void forget_places(LaneNumber number, Owed& owed, Offset from);
  void enqueue_again(LaneNumber number, Lane& lane, event_log::EventPtr event);
  bool begin_pass();
  void leave_pass(Owed& owed);
  void settle(LaneNumber number, Lane& lane);  // after something ended: closes it, or lets it go on
  void mark(LaneNumber number, Lane& lane);
  void free(PendingNumber number);
  void end_pass();

  const state::StreamId id_;
  PendingPool& pool_;
  const OrderBy& order_;
  const EngineOptions& options_;
  const Stream* other_ = nullptr;
  bool other_first_ = false;
  const std::unordered_set<LaneNumber>* closed_lanes_ = nullptr;
  MonotonicTime now_{};

  Offset read_;
  std::vector<Offset> done_before_;  // finished in an earlier life, above read_, descending
  Window window_;
  std::uint64_t bytes_ = 0;
  std::size_t queued_ = 0;  // all that is in memory for this stream
  WallTime last_read_at_{};

  struct Listed {
    LaneNumber lane;
    PendingNumber pending;  // for events without order
  };
  std::deque<Listed> listed_;
  std::unordered_map<LaneNumber, Lane> lanes_;
  std::size_t open_ = 0;
  std::vector<LaneNumber> dirty_;
  std::unordered_set<std::string> erased_;
  std::vector<std::pair<MonotonicTime, LaneNumber>> dues_;
  bool record_closed_ = false;
  std::vector<LaneNumber> closed_;

  std::size_t places_ = 0;               // of all lanes
  std::deque<LaneNumber> hungry_;        // want places read, in this order
  std::vector<LaneNumber> asked_;        // of which some are being read
  std::unordered_set<LaneNumber> incomplete_;
  bool pass_wanted_ = false;             // something changed since a pass could not begin
  bool pass_active_ = false;
  Offset pass_at_;
  std::size_t pass_left_ = 0;            // lanes that are still in it
  std::shared_ptr<const std::unordered_set<LaneNumber>> pass_lanes_;
};

}  // namespace hookhost::delivery
