// One lane of one stream, as it is while something of it is in memory or in the store.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/types.h"
#include "delivery/pending.h"
#include "delivery/places.h"

namespace hookhost::delivery {

// Why a lane's event waits.
struct Setback {
  std::uint32_t attempts = 0;
  std::uint32_t crashes = 0;
  WallTime due;
  MonotonicTime due_at;
  std::string last_outcome;
  std::string last_error;
};

// A dead letter or a held event that is delivered again before anything else of its lane.
struct Prior {
  Offset offset;
  bool held = false;
  Setback setback;  // since it goes again
};

// What a lane owes beside its queue. A lane with this part is open: its row is in the store or will be with the next commit.
struct Owed {
  std::string name;
  std::optional<Offset> head;  // waits for its next attempt
  Setback setback;             // of the head
  // The lane's events from here on were read past and not handed over; stored. Those below scan_from are all in the queue or, behind it, in
  // places. complete: so are all up to the stream's reading place; else a pass finds the others.
  std::optional<Offset> first_skipped;
  Places places;
  Offset scan_from;
  bool complete = false;
  bool in_pass = false;
  bool hungry = false;        // stands in the list of lanes that want places read
  std::uint32_t asked = 0;    // so many of the places are being read
  std::uint32_t ask = kAskMin;  // how many are asked for at once: more with each time, few again after a setback

  static constexpr std::uint32_t kAskMin = 8;
  std::uint32_t drained = 0;  // how many in the queue were found again (they come before ordinary ones)
  std::deque<Prior> priors;
  bool stored = false;        // the store has a row, or a batch on its way there has
};

struct Lane {
  PendingNumber first = kNoPending, last = kNoPending;
  std::uint32_t count = 0;
  bool running = false;  // one of its events is submitted or being fetched
  bool listed = false;   // stands in the list of lanes with work
  bool dirty = false;    // its row must be written
  std::unique_ptr<Owed> owed;
};

}  // namespace hookhost::delivery
