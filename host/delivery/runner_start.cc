#include "delivery/runner_start.h"

#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/order_change.h"
#include "delivery/prepared.h"

namespace hookhost::delivery {
namespace {

Error given_up() { return {ErrorCode::unavailable, "it was given up meanwhile"}; }

bool is_wanted(const Starting& starting) {
  const std::scoped_lock lock(starting.standing->mutex);
  return starting.standing->stands;
}

}  // namespace

Result<> carry_out(const std::vector<Order>& orders) {
  Result<> written = success();
  for (const Order& order : orders) {
    if (written) written = order.write();
    order.done(written);
  }
  return written;
}

Result<Started> start_blocking(const Starting& starting) {
  if (!is_wanted(starting)) return fail(given_up());
  state::DeliveryStore& store = starting.store;
  const SubscriberId& id = starting.id;
  Started out;
  HOOKHOST_TRY(auto loaded, store.load(id));
  if (!loaded) return fail(ErrorCode::not_found, "subscriber " + id.value + " is not in delivery.db; reload the configuration");
  StartRequest request = starting.prototype;
  request.token = loaded->row.token;
  request.reset = loaded->row.reset_pending;
  Result<std::uint64_t> token = 0;
  if (!starting.outside.call([&] { token = starting.subscriber->start(request); })) return fail(ErrorCode::unavailable, "the host is stopping");
  const std::scoped_lock lock(starting.standing->mutex);  // Order: until all of it is written
  if (!starting.standing->stands) return fail(given_up());
  HOOKHOST_TRY(out.token, token);
  if (!loaded->prepared.empty()) {
    auto batch = decode_batch(loaded->prepared);
    if (!batch) {
      diagnose(Level::warn, "delivery", batch.error().message, {{"subscriber", id.value}});
    } else if (out.token != loaded->row.token && batch.value().token == out.token) {
      // The subscriber made the batch durable and the host did not come to commit it: it counts as done.
      auto done = std::move(batch.value());
      done.prepared = std::string{};
      // What the operator ordered since then stays ordered.
      done.condition = {loaded->row.condition, loaded->row.reason, loaded->row.changed_at};
      if (done.row && done.row->changed_at > loaded->row.changed_at) done.condition.reset();
      HOOKHOST_CHECK(store.commit_now(std::move(done)));
      HOOKHOST_TRY(loaded, store.load(id));
      if (!loaded) return fail(ErrorCode::not_found, "subscriber " + id.value + " was forgotten while it started");
    } else if (batch.value().token) {
      out.token = std::max(out.token, *batch.value().token);  // that number was used up
    }
  }
  if (out.token < loaded->row.token) {
    diagnose(Level::warn, "delivery", "the subscriber's own store is older than the host's position; events in between are not delivered again",
             {{"subscriber", id.value}});
    out.token = loaded->row.token;
  }
  HOOKHOST_CHECK(take_up_order(store, starting.wished, *loaded));
  HOOKHOST_TRY(out.dead_letters, store.count_parked(id, state::ParkedRow::Kind::dead));
  out.loaded = std::move(*loaded);
  return out;
}

}  // namespace hookhost::delivery
