// A change of the order. The rows of lanes that wait name them by the order that they were made by, and so find what stands behind them: another order
// is taken up only when none of them is left, by a new instance.
#include <algorithm>

#include "delivery/notes.h"
#include "delivery/order_change.h"
#include "delivery/runner.h"

namespace hookhost::delivery {

void step_back(state::ReplayRow& replay, const state::Loaded& loaded) {
  std::optional<Offset> oldest;
  const auto note = [&](std::optional<Offset> offset) {
    if (offset) oldest = std::min(*offset, oldest.value_or(*offset));
  };
  for (const auto& lane : loaded.lanes) {
    if (lane.stream != replay.id) continue;
    note(lane.head);
    note(lane.first_skipped);
  }
  for (const auto& held : loaded.held) {
    if (held.stream == replay.id) note(held.offset);
  }
  if (oldest) replay.position = {std::min(*oldest, replay.position.frontier), {}};
}

Result<> take_up_order(state::DeliveryStore& store, const OrderBy& wished, state::Loaded& loaded) {
  Notes notes = Notes::parse(loaded.row.plan);
  if (notes.order == wished || (!notes.order && loaded.lanes.empty())) return success();
  const bool is_change = notes.order.has_value();  // lanes of which it is not said were made by the order that is configured
  const bool waits = std::ranges::any_of(loaded.lanes, [&](const auto& lane) { return Runner::is_in_use(lane, loaded.replays); });
  if (is_change && waits) return success();
  notes.order = wished;
  state::Batch batch;
  batch.subscriber = loaded.row.id;
  batch.plan = loaded.row.plan = notes.text();
  if (is_change) batch.prepared = std::string{};  // it may hold lanes by the order before
  if (is_change && !loaded.lanes.empty()) {
    HOOKHOST_TRY(auto replays, store.replays(loaded.row.id));
    state::Loaded only_lanes;
    only_lanes.lanes = std::exchange(loaded.lanes, {});
    for (auto& replay : replays) {
      if (std::ranges::none_of(only_lanes.lanes, [&](const auto& lane) { return lane.stream == replay.id; })) continue;
      step_back(replay, only_lanes);
      batch.replays.push_back(std::move(replay));
    }
    for (auto& lane : only_lanes.lanes) batch.lanes_erased.emplace_back(lane.stream, std::move(lane.lane));
  }
  return store.commit_now(std::move(batch));
}

std::optional<Offset> reading_bound(const OrderBy& in_use, const OrderBy& wished, const state::Position& position) {
  using Kind = OrderBy::Kind;
  if (in_use == wished || (in_use.kind != Kind::all && wished.kind != Kind::all)) return std::nullopt;
  return position.done.empty() ? position.frontier : position.done.back().next();
}

// What has closed a moment ago may still be in the store: the old instance's end commits it, or the new one goes on by the old order.
void Runner::reorder_if_free() {
  if (options_.order_by == order_wished_ || reorders_ || phase_ != Phase::running || draining_) return;
  if (main_->open_lanes() > 0 || (side_ && side_->open_lanes() > 0)) return;
  reorders_ = true;
  core_.reordered.push_back(weak_from_this());
}

}  // namespace hookhost::delivery
