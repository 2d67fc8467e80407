#include "delivery/unsent.h"

#include <algorithm>
#include <unordered_map>

#include "delivery/lane_key.h"

namespace hookhost::delivery {
namespace {

std::vector<state::LaneRow> lanes_of(const state::Loaded& loaded, state::StreamId stream) {
  std::vector<state::LaneRow> out;
  std::ranges::copy_if(loaded.lanes, std::back_inserter(out), [stream](const auto& lane) { return lane.stream == stream; });
  return out;
}

}  // namespace

Result<std::vector<Unsent>> unsent_of(const state::Loaded& loaded, const SubscriberOptions& options, Offset end) {
  std::vector<Unsent> out;
  out.push_back({loaded.row.position, end, filter_of(options), lanes_of(loaded, state::kMainStream)});
  for (const auto& replay : loaded.replays) {
    HOOKHOST_TRY(auto filter, parse_narrowing(replay.filter));
    filter.events = options.events;
    filter.team = options.team;
    out.push_back({replay.position, replay.until, std::move(filter), lanes_of(loaded, replay.id)});
  }
  return out;
}

// Invariant: an event at or above the frontier that is not among `done` is owed; so are the head of a lane and all from where it skipped, which
// stand among `done` or below the frontier.
Result<std::uint64_t> count_unsent(EventFeed& feed, const Unsent& unsent, const OrderBy& order) {
  std::uint64_t count = 0;
  Offset from = unsent.position.frontier;
  std::unordered_map<LaneNumber, Offset> skipped_from;
  std::vector<Offset> heads;
  for (const auto& lane : unsent.lanes) {
    if (lane.head) {
      ++count;
      heads.push_back(*lane.head);
    }
    if (!lane.first_skipped) continue;
    from = std::min(from, *lane.first_skipped);
    skipped_from.emplace(lane_number(lane.lane), *lane.first_skipped);
  }
  std::ranges::sort(heads);
  const auto& done = unsent.position.done;
  const auto is_owed = [&](const EventHead& head) {
    if (!unsent.filter.passes(head) || std::ranges::binary_search(heads, head.offset)) return false;
    const auto lane = skipped_from.find(order.kind == OrderBy::Kind::all ? lane_number(order, {}) : lane_number(head.source, head.team, head.key));
    if (lane != skipped_from.end() && head.offset >= lane->second) return true;
    return head.offset >= unsent.position.frontier && !std::ranges::binary_search(done, head.offset);
  };
  HOOKHOST_CHECK(look_at_heads(feed, from, unsent.until, [&](const EventHead& head) { count += is_owed(head) ? 1 : 0; }));
  return count;
}

}  // namespace hookhost::delivery
