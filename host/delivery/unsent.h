// What one stream of a subscriber still owes, so that whoever lets it go can say how much that is. Private to the room.
#pragma once

#include <vector>

#include "delivery/filter.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

// As the stream is in memory, or as the store has it.
struct Unsent {
  state::Position position;
  Offset until;                       // it reads no further
  EventFilter filter;
  std::vector<state::LaneRow> lanes;  // of this stream; their heads and what they skipped count
};

// Of a subscriber without an instance: the main stream as far as `end`, then the replays that run.
[[nodiscard]] Result<std::vector<Unsent>> unsent_of(const state::Loaded& loaded, const SubscriberOptions& options, Offset end);

// How many events. Blocks on reading. Of an order by a JSON pointer, which only bodies tell, what waits behind a blocked key is left out.
[[nodiscard]] Result<std::uint64_t> count_unsent(EventFeed& feed, const Unsent& unsent, const OrderBy& order);

}  // namespace hookhost::delivery
