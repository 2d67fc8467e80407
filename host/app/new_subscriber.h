// Where a subscriber of the configuration begins that has no position: where its start_at says, unless delivery.db was lost.
#pragma once

#include <string>

#include "api/start_at.h"
#include "state/delivery_store.h"

namespace hookhost::app {

// So long the position of one that has left the configuration is kept.
inline constexpr Duration kDetachedKept = std::chrono::hours{30 * 24};

// Those of the first start after a loss begin where nothing kept is missed. One that is named later may have been out of the configuration then,
// or be new: nobody can tell but its owner, so it is held where nothing is missed instead of beginning at the moment.
[[nodiscard]] inline delivery::StartAt place_of_new(const std::string& name, const config::When& wish, const state::DeliveryStore& store, WallTime now) {
  auto out = api::start_at(wish, store.positions_lost());
  const auto settled = store.positions_settled_at();
  using Kind = delivery::StartAt::Kind;
  const bool by_the_moment = out.kind == Kind::now || out.kind == Kind::age || out.kind == Kind::hold;
  if (!settled || now >= *settled + kDetachedKept || !by_the_moment) return out;
  out.kind = Kind::hold;
  out.position_lost = true;
  out.held_because = "delivery.db was lost before " + to_rfc3339(*settled).substr(0, 10) +
                     ", so whether it had a position is not known. It was here before: resume it; it is new: hookhost replay " + name + " --from now";
  return out;
}

// Held for another reason than its start_at.
[[nodiscard]] inline bool is_held_unasked(const delivery::StartAt& place) {
  return place.kind == delivery::StartAt::Kind::hold && place.held_because != delivery::StartAt{}.held_because;
}

}  // namespace hookhost::app
