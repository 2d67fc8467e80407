// Looking at endpoints and changing them, for /v1, the admin API and commands.
#include "api/start_at.h"
#include "app/endpoint_info.h"
#include "app/endpoint_set.h"
#include "app/random_text.h"
#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

constexpr std::size_t kIdSize = 16;

bool says_the_same(const state::WebhookRow& a, const state::WebhookRow& b) {
  return a.url == b.url && a.secret == b.secret && a.previous_secret == b.previous_secret && a.previous_until == b.previous_until && a.events == b.events &&
         a.settings == b.settings;
}

Error no_such(std::string_view id) { return {ErrorCode::not_found, "there is no endpoint '" + std::string(id) + "'"}; }

delivery::SubscriberStatus unknown_to_the_engine(const std::string& id) {
  delivery::SubscriberStatus out;
  out.id = SubscriberId{id};
  out.kind = EndpointRunner::kKind;
  out.state = "disabled";
  return out;
}

// The engine's word on each: one question for many, one each for few.
class Statuses {
 public:
  Statuses(delivery::Engine& engine, bool all) : engine_(engine), all_(all) {
    if (!all) return;
    for (auto& one : engine.status()) {
      auto id = one.id.value;
      known_.emplace(std::move(id), std::move(one));
    }
  }
  [[nodiscard]] delivery::SubscriberStatus of(const std::string& id) {
    if (!all_) {
      auto one = engine_.status(SubscriberId{id});
      return one ? std::move(one.value()) : unknown_to_the_engine(id);
    }
    const auto found = known_.find(id);
    return found == known_.end() ? unknown_to_the_engine(id) : std::move(found->second);
  }

 private:
  delivery::Engine& engine_;
  const bool all_;
  std::map<std::string, delivery::SubscriberStatus> known_;
};

}  // namespace

// --- Looking -----------------------------------------------------------------------------------------------------------------------

std::vector<api::EndpointInfo> EndpointSet::endpoints(const std::optional<std::string>& team) {
  const auto all = said();
  Statuses statuses(rooms_.engine, !team);
  std::vector<api::EndpointInfo> out;
  if (!team) {
    for (const auto& [name, endpoint] : all->endpoints) out.push_back(describe(endpoint, all->rules.defaults, statuses.of(name)));
  }
  for (const Row& row : rows(team)) {
    if (auto info = describe(*row, all->rules, statuses.of(row->id))) out.push_back(std::move(info.value()));
  }
  if (!team) {
    for (const Forward& one : forwards_.all()) out.push_back(describe(one, statuses.of(one.endpoint.id.value)));
  }
  return out;
}

Result<api::EndpointInfo> EndpointSet::endpoint(const std::optional<std::string>& team, std::string_view id) {
  const auto all = said();
  const std::string name(id);
  Statuses statuses(rooms_.engine, false);
  if (const Row row = row_of(team, id)) return describe(*row, all->rules, statuses.of(name));
  if (team) return fail(no_such(id));
  if (const auto found = all->endpoints.find(name); found != all->endpoints.end()) return describe(found->second, all->rules.defaults, statuses.of(name));
  if (const auto one = forwards_.find(name)) return describe(*one, statuses.of(name));
  return fail(no_such(id));
}

// --- Changes -----------------------------------------------------------------------------------------------------------------------

// Order: its position exists before the registry names it. Killed in between, it is forgotten at the next start.
Result<api::EndpointInfo> EndpointSet::create(const std::optional<std::string>& team, const api::EndpointWishes& wishes) {
  const auto all = said();
  std::optional<OneAtATime::Held> of_team;
  if (team) {
    of_team.emplace(changes_.hold("team " + *team));
    if (const auto count = rows(team).size(); count >= all->webhooks_max) {
      return fail(ErrorCode::conflict, "the team has " + std::to_string(count) + " webhooks, as many as this host lets a team have; delete one first");
    }
  }
  const WallTime now = rooms_.clock.wall();
  const auto& whose = team ? team : wishes.team;
  if (!all->rules.has_team(whose)) {
    return fail(ErrorCode::usage, "team: '" + *whose + "' does not stand under teams in the configuration; add it there and reload");
  }
  state::WebhookRow row{.id = "webhook_" + random_text(kIdSize), .team = whose, .origin = team ? "v1" : "command"};
  row.created_at = now;
  const auto held = changes_.hold(row.id);
  HOOKHOST_CHECK(apply_wishes(wishes, all->rules, now, row));
  delivery::StartAt from;
  if (wishes.since) {
    const auto place = team ? api::place_of_team(*wishes.since) : api::place_of(*wishes.since);
    if (!place) return fail(ErrorCode::usage, "since: " + place.error().message);
    from = place.value();
  }
  const auto accepted = runner_.accept(row.id, from);
  if (!accepted) {
    return fail(accepted.error().code, (accepted.error().code == ErrorCode::usage ? "since: " : "") + accepted.error().message);
  }
  HOOKHOST_CHECK(note_first_place(accepted.value().position, row));
  if (const auto put = rooms_.registry.put(row); !put) {
    static_cast<void>(runner_.forget(row.id));
    return fail(put.error());
  }
  keep(std::make_shared<const state::WebhookRow>(row));
  HOOKHOST_CHECK(start_row(row, said()->rules));  // Order: known, then by what is said now: a reload in between did not know it
  return endpoint(team, row.id);
}

Result<> EndpointSet::must_be_changeable(const std::optional<std::string>& team, std::string_view id) const {
  if (row_of(team, id)) return success();
  if (!team && said()->endpoints.contains(std::string(id))) {
    return fail(ErrorCode::refused, "'" + std::string(id) + "' stands in the configuration: change it there, then reload");
  }
  return fail(no_such(id));
}

// Stopped by the host it has nothing to deliver, but would try itself again: then it has no instance.
Result<> EndpointSet::switch_off(const std::string& id) {
  HOOKHOST_TRY(const auto status, rooms_.engine.status(SubscriberId{id}));
  if (status.state == "stopped") return runner_.cut(id, std::string(kSwitchedOff));
  if (status.state == "paused") return success();
  return rooms_.engine.pause(SubscriberId{id}, kSwitchedOff);
}

// What the host disabled goes on with what is held, whoever switched it off since; what the operator paused stays so.
Result<std::optional<delivery::Engine::Skipped>> EndpointSet::switch_on(const std::string& id, bool backlog) {
  using Skipped = std::optional<delivery::Engine::Skipped>;
  const SubscriberId subscriber{id};
  HOOKHOST_TRY(const auto status, rooms_.engine.status(subscriber));
  const bool was_off = status.state == "paused" && status.reason == kSwitchedOff;
  if (status.state != "stopped" && !was_off) return Skipped{};
  if (was_off && !backlog) {
    if (!runner_.sends()) return fail(ErrorCode::unreachable, "no host runs; start one, then ask again, or ask for the backlog");
    HOOKHOST_TRY(const auto skipped, rooms_.engine.resume_from_now(subscriber));
    return Skipped{skipped};
  }
  HOOKHOST_CHECK(rooms_.engine.resume(subscriber));
  return Skipped{};
}

Result<api::Changed> EndpointSet::update(const std::optional<std::string>& team, std::string_view id, const api::EndpointWishes& wishes) {
  HOOKHOST_CHECK(must_be_changeable(team, id));  // Order: before it is held, so that nobody waits for another team's
  const auto held = changes_.hold(std::string(id));
  return change(team, id, wishes);
}

// Order: switching on, the engine goes first; switching off, the registry: its word wins at a start, so that a crash in between leaves it off.
Result<api::Changed> EndpointSet::change(const std::optional<std::string>& team, std::string_view id, const api::EndpointWishes& wishes) {
  HOOKHOST_CHECK(must_be_changeable(team, id));
  const auto all = said();
  const Row old = row_of(team, id);
  state::WebhookRow next = *old;
  HOOKHOST_CHECK(apply_wishes(wishes, all->rules, rooms_.clock.wall(), next));
  const bool changed = !says_the_same(*old, next);
  const bool on = wishes.active.value_or(false);
  std::optional<delivery::Engine::Skipped> skipped;
  if (on) {
    HOOKHOST_TRY(auto built, build(next, all->rules));
    if (const auto able = may_run(built, all->rules); !able) return fail(ErrorCode::conflict, "nothing can be sent to it: " + able.error().message);
    HOOKHOST_TRY(const auto status, rooms_.engine.status(SubscriberId{next.id}));
    const bool stands = status.state == "stopped" || status.state == "paused";
    if (changed && stands) HOOKHOST_CHECK(runner_.cut(next.id, "being changed"));  // nothing goes to where it went before
    if (changed || (!old->active && status.state == "stopped")) HOOKHOST_CHECK(runner_.run(std::move(built.endpoint)));
    HOOKHOST_TRY(skipped, switch_on(next.id, wishes.backlog));
  }
  if (const auto put = rooms_.registry.put(next); !put) {
    static_cast<void>(start_row(*old, all->rules));
    return fail(put.error());
  }
  keep(std::make_shared<const state::WebhookRow>(next));
  if (!next.active || (changed && !on)) HOOKHOST_CHECK(start_row(next, all->rules));
  HOOKHOST_TRY(auto info, endpoint(team, id));
  api::Changed out{.endpoint = std::move(info)};
  if (skipped) out.skipped = skipped->deliveries;
  out.replay_cancelled = skipped && skipped->replay;
  return out;
}

// Order: nothing is sent any more when its row goes. From then on it is removed for good: what a crash or a failure leaves of it is forgotten at
// the next start.
Result<> EndpointSet::remove(const std::optional<std::string>& team, std::string_view id) {
  const std::string name(id);
  if (team) HOOKHOST_CHECK(must_be_changeable(team, id));
  const auto held = changes_.hold(name);
  if (!team && forwards_.find(name)) return forwards_.end(name);
  if (!team && !row_of(team, id) && !said()->endpoints.contains(name)) {  // it may have left the file
    HOOKHOST_CHECK(must_be_an_endpoint(id));
    return rooms_.engine.forget(SubscriberId{name});
  }
  HOOKHOST_CHECK(must_be_changeable(team, id));
  const Row row = row_of(team, id);
  if (const auto cut = runner_.cut(name, "removed"); !cut && cut.error().code != ErrorCode::not_found) return fail(cut.error());
  if (const auto erased = rooms_.registry.erase_webhook(name); !erased) {
    static_cast<void>(start_row(*row, said()->rules));
    return fail(erased.error());
  }
  remember_counts(*row);
  drop(*row);
  if (const auto forgotten = runner_.forget(name); !forgotten && forgotten.error().code != ErrorCode::not_found) {
    diagnose(Level::warn, "app", "of a removed endpoint something is left until the next start: " + forgotten.error().message, {{"subscriber", name}});
  }
  return success();
}

Result<> EndpointSet::must_be_an_endpoint(std::string_view id) const {
  const auto status = rooms_.engine.status(SubscriberId{std::string(id)});
  return status && status.value().kind == EndpointRunner::kKind ? Result<>(success()) : Result<>(fail(no_such(id)));
}

Result<> EndpointSet::pause(std::string_view id) {
  const auto held = changes_.hold(std::string(id));
  HOOKHOST_CHECK(must_be_an_endpoint(id));
  return rooms_.engine.pause(SubscriberId{std::string(id)}, kPaused);
}

Result<> EndpointSet::must_be_able(const state::WebhookRow& row) const {
  const auto all = said();
  HOOKHOST_TRY(const auto built, build(row, all->rules));
  return may_run(built, all->rules);
}

// Whatever the operator had stopped goes on; what its owner has switched off too stays off until its owner, or the operator a second time, wants it.
Result<> EndpointSet::resume(std::string_view id) {
  const SubscriberId subscriber{std::string(id)};
  const auto held = changes_.hold(subscriber.value);
  const Row row = row_of(std::nullopt, id);
  if (row && !row->active) {
    HOOKHOST_TRY(const auto status, rooms_.engine.status(subscriber));
    if (status.state == "paused" && status.reason != kSwitchedOff) return rooms_.engine.pause(subscriber, kSwitchedOff);
    HOOKHOST_CHECK(change(std::nullopt, id, {.active = true, .backlog = true}));
    return success();
  }
  if (row) HOOKHOST_CHECK(must_be_able(*row));
  HOOKHOST_CHECK(must_be_an_endpoint(id));
  return rooms_.engine.resume(subscriber);
}

}  // namespace hookhost::app
