// What a change of a subscriber's order asks of the store. Private to the room.
#pragma once

#include <optional>

#include "base/result.h"
#include "delivery/options.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

// The lanes and the held events of a replay that is cut off go with it: should it go on, it reads again from the oldest of them.
void step_back(state::ReplayRow& replay, const state::Loaded& loaded);

// Makes `wished` the order by which lanes are made from now on, here and in the store, unless some wait that another one made. The lanes of a cancelled
// replay wait for nothing but its resumption: they do not keep the order. Blocks. Error: as a commit's.
[[nodiscard]] Result<> take_up_order(state::DeliveryStore& store, const OrderBy& wished, state::Loaded& loaded);

// How far a subscriber reads before `wished` is taken up; nullopt: on. Where one of the two is `all`, a key that waits may hold up everything: what is new
// waits until then. Everything else flows by the order in use. What an earlier life has read past lies below the bound.
[[nodiscard]] std::optional<Offset> reading_bound(const OrderBy& in_use, const OrderBy& wished, const state::Position& position);

}  // namespace hookhost::delivery
