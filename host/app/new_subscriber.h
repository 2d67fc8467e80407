// Where a subscriber of the configuration begins that has no position: where its start_at says, unless delivery.db was lost. Judged once, for all of the
// configuration, before the first of them gets one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/start_at.h"
#include "delivery/engine.h"
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

// One of the configuration that may be accepted.
struct Acceptable {
  std::string name;
  std::string where;  // "file:line:column: plugins.NAME"
  delivery::StartAt at;
};

// `all`: the plugins or endpoints of the configuration, `key` their name there. Changes nothing. Error: invalid_config, the first that cannot be: a
// start_at beyond the end, a name that is known as the other kind; that of the engine.
template <class Configured>
[[nodiscard]] Result<std::vector<Acceptable>> judge(delivery::Engine& engine, const state::DeliveryStore& store, std::string_view kind, const std::string& key,
                                                    const std::map<std::string, Configured>& all, WallTime now) {
  std::vector<Acceptable> out;
  for (const auto& [name, one] : all) {
    out.push_back({name, one.place + ": " + key + "." + name, place_of_new(name, one.start_at, store, now)});
    const auto able = engine.may_accept(SubscriberId{name}, kind, out.back().at);
    if (able) continue;
    if (able.error().code == ErrorCode::usage) return fail(ErrorCode::invalid_config, out.back().where + ".start_at: " + able.error().message);
    if (able.error().code == ErrorCode::refused) return fail(ErrorCode::invalid_config, out.back().where + ": " + able.error().message);
    return fail(able.error());
  }
  return out;
}

// A line for the operator when `one`, that was accepted for the first time, is held though its start_at does not say so.
inline void tell_held(const Acceptable& one, std::vector<std::string>& held) {
  if (is_held_unasked(one.at)) held.push_back(one.where + ": is held: " + one.at.held_because);
}

}  // namespace hookhost::app
