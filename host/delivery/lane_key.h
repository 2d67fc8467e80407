// Which lane an event belongs to. In memory a lane is its number, a hash of its name; in the store it is the name. Two names with the same
// number share a lane, which costs them some waiting and breaks nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "delivery/options.h"
#include "event_log/event.h"

namespace hookhost::delivery {

using LaneNumber = std::uint64_t;
inline constexpr LaneNumber kNoLane = 0;

// kNoLane when the event has no order.
[[nodiscard]] LaneNumber lane_number(const OrderBy& order, const event_log::Event& event);
// The same from the parts alone, for OrderBy::Kind::key.
[[nodiscard]] LaneNumber lane_number(std::string_view source, std::string_view team, std::string_view key);

// The name under which the lane is stored; for an event without order one of its own, "#" and its offset.
[[nodiscard]] std::string lane_name(const OrderBy& order, const event_log::Event& event);
// lane_number(lane_name) == lane_number(event) for events with an order.
[[nodiscard]] LaneNumber lane_number(std::string_view name);

// For people: the separators are shown as slashes.
[[nodiscard]] std::string readable_lane(std::string_view name);

}  // namespace hookhost::delivery
