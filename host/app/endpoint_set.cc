#include "app/endpoint_set.h"

#include "app/endpoint_info.h"
#include "base/diagnostics.h"

namespace hookhost::app {
namespace {

const char* const kNotInUse = "enabled: false in the configuration";

void add_attempts(const delivery::SubscriberStatus& status, TeamCounts& to) {
  to.succeeded += status.outcomes.ok;
  to.failed += status.outcomes.retry + status.outcomes.reject;
}

bool is_ours(const std::string& id) { return id.starts_with("webhook_") || id.starts_with(Forwards::kPrefix); }

}  // namespace

EndpointSet::EndpointSet(const Rooms& rooms)
    : rooms_(rooms), runner_(rooms.engine, rooms.store, rooms.clock), forwards_(runner_, rooms.clock), keys_(rooms.registry, rooms.clock) {}

std::shared_ptr<const EndpointSet::Said> EndpointSet::said_by(const config::Config& config, KnownTeams teams) {
  return std::make_shared<const Said>(
      Said{{config.endpoint_defaults, std::move(teams), config::source_names(config)}, config.endpoints, config.api.webhooks_max});
}

// Who has a key or a webhook and is not among those that are named is out.
Result<KnownTeams> EndpointSet::known_teams(const config::Config& config) const {
  KnownTeams out{config.teams, {}};
  if (config.teams.empty()) {
    HOOKHOST_TRY(out.taken_out, rooms_.registry.taken_out());
    return out;
  }
  out.taken_out = keys_.teams();
  for (const Row& row : rows(std::nullopt)) {
    if (row->team) out.taken_out.insert(*row->team);
  }
  for (const auto& [name, team] : config.teams) out.taken_out.erase(name);
  return out;
}

std::shared_ptr<const EndpointSet::Said> EndpointSet::said() const {
  const std::scoped_lock lock(mutex_);
  return said_;
}

void EndpointSet::keep(Row row) {
  const std::scoped_lock lock(mutex_);
  if (row->origin == "v1") of_team_[row->team.value_or("")].insert_or_assign(row->id, row);
  const std::string id = row->id;
  rows_.insert_or_assign(id, std::move(row));
}

void EndpointSet::drop(const state::WebhookRow& row) {
  const std::scoped_lock lock(mutex_);
  if (const auto of_team = of_team_.find(row.team.value_or("")); row.origin == "v1" && of_team != of_team_.end()) {
    of_team->second.erase(row.id);
    if (of_team->second.empty()) of_team_.erase(of_team);
  }
  rows_.erase(row.id);
}

void EndpointSet::remember_counts(const state::WebhookRow& row) {
  const auto status = rooms_.engine.status(SubscriberId{row.id});
  if (row.origin != "v1" || !status) return;
  const std::scoped_lock lock(mutex_);
  add_attempts(status.value(), removed_[row.team.value_or("")]);
}

std::map<std::string, TeamCounts> EndpointSet::count_teams(const std::vector<delivery::SubscriberStatus>& all) const {
  const std::scoped_lock lock(mutex_);
  auto out = removed_;
  for (const auto& one : all) {
    const auto found = rows_.find(one.id.value);
    if (found != rows_.end() && found->second->origin == "v1") add_attempts(one, out[found->second->team.value_or("")]);
  }
  for (const auto& [team, rows] : of_team_) out[team].endpoints = rows.size();
  return out;
}

EndpointSet::Row EndpointSet::row_of(const std::optional<std::string>& team, std::string_view id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = rows_.find(id);
  if (found == rows_.end()) return nullptr;
  const Row& row = found->second;
  return !team || (row->origin == "v1" && row->team == *team) ? row : nullptr;
}

std::vector<EndpointSet::Row> EndpointSet::rows(const std::optional<std::string>& team) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Row> out;
  if (!team) {
    for (const auto& [id, row] : rows_) out.push_back(row);
  } else if (const auto found = of_team_.find(*team); found != of_team_.end()) {
    for (const auto& [id, row] : found->second) out.push_back(row);
  }
  return out;
}

bool EndpointSet::is_registered(const SubscriberId& id) const { return row_of(std::nullopt, id.value) || forwards_.find(id.value); }

bool EndpointSet::is_of_a_team(const SubscriberId& id) const {
  const Row row = row_of(std::nullopt, id.value);
  return row && row->origin == "v1";
}

Result<> EndpointSet::load(const config::Config& config) {
  HOOKHOST_CHECK(keys_.load());
  HOOKHOST_TRY(auto all, rooms_.registry.webhooks());
  for (auto& row : all) keep(std::make_shared<const state::WebhookRow>(std::move(row)));
  HOOKHOST_TRY(const auto teams, known_teams(config));
  keys_.configure(teams);
  for (const auto& [name, endpoint] : config.endpoints) {
    if (!endpoint.enabled && rooms_.engine.status(SubscriberId{name})) HOOKHOST_CHECK(runner_.stop(name, kNotInUse));
  }
  const std::scoped_lock lock(mutex_);
  said_ = said_by(config, teams);
  return success();
}

Result<std::vector<Acceptable>> EndpointSet::may_accept(const config::Config& config) {
  return judge(rooms_.engine, rooms_.store, EndpointRunner::kKind, "endpoints", config.endpoints, rooms_.clock.wall());
}

Result<> EndpointSet::accept(const std::vector<Acceptable>& all, std::vector<std::string>& held) {
  for (const Acceptable& one : all) {
    HOOKHOST_TRY(const auto accepted, runner_.accept(one.name, one.at, delivery::Earlier::counted));
    if (accepted.first_time) tell_held(one, held);
  }
  return success();
}

// Order: what is said now stands first. Who changes an endpoint meanwhile has done so before its turn comes here, or goes by what is said now.
Result<> EndpointSet::apply(const config::Config& config) {
  HOOKHOST_TRY(const auto teams, known_teams(config));
  HOOKHOST_TRY(const auto taken_out, rooms_.registry.taken_out());
  if (teams.taken_out != taken_out) HOOKHOST_CHECK(rooms_.registry.put_taken_out(teams.taken_out));  // for when no team is named any more
  const bool first = !runner_.sends();
  if (first) runner_.begin(rooms_.requests_max);
  const auto before = first ? std::make_shared<const Said>() : said();
  const auto now = said_by(config, teams);
  keys_.configure(teams);
  {
    const std::scoped_lock lock(mutex_);
    said_ = now;
  }
  if (first) HOOKHOST_CHECK(tidy_up(*now));
  HOOKHOST_CHECK(apply_yaml(*before, *now));
  const bool same_for_all = !first && before->rules.defaults == now->rules.defaults;
  for (const Row& known : rows(std::nullopt)) {
    const auto of_its_team = [&](const Said& said) { return std::pair(said.rules.has_team(known->team), said.rules.profile_of(known->team)); };
    if (same_for_all && of_its_team(*before) == of_its_team(*now)) continue;
    const auto held = changes_.hold(known->id);
    const Row row = row_of(std::nullopt, known->id);
    if (!row) continue;  // removed meanwhile
    if (const auto started = start_row(*row, now->rules); !started) {
      diagnose(Level::error, "app", "an endpoint could not be started: " + started.error().message, {{"subscriber", row->id}});
    }
  }
  return success();
}

Result<> EndpointSet::apply_yaml(const Said& before, const Said& now) {
  for (const auto& [name, endpoint] : now.endpoints) {
    const auto old = before.endpoints.find(name);
    if (old != before.endpoints.end() && old->second == endpoint && before.rules.defaults == now.rules.defaults) continue;
    HOOKHOST_CHECK(endpoint.enabled ? runner_.run(build(endpoint, now.rules.defaults).endpoint) : runner_.stop(name, kNotInUse));
  }
  for (const auto& [name, endpoint] : before.endpoints) {
    if (!now.endpoints.contains(name)) HOOKHOST_CHECK(rooms_.engine.detach(SubscriberId{name}));
  }
  return success();
}

// What an earlier life left: endpoints that left the file while the host was down, and those whose removal a crash cut short.
Result<> EndpointSet::tidy_up(const Said& now) {
  HOOKHOST_TRY(const auto known, rooms_.store.subscribers());
  for (const auto& row : known) {
    const std::string& id = row.id.value;
    if (row.kind != EndpointRunner::kKind || now.endpoints.contains(id) || row_of(std::nullopt, id)) continue;
    if (is_ours(id)) {
      HOOKHOST_CHECK(runner_.forget(id));
    } else if (row.condition != state::Condition::detached) {
      HOOKHOST_CHECK(rooms_.engine.detach(row.id));
    }
  }
  return success();
}

// Its position is missing only when delivery.db was lost: then it begins where it first did.
Result<> EndpointSet::start_row(const state::WebhookRow& row, const EndpointRules& rules) {
  HOOKHOST_TRY(auto built, build(row, rules));
  HOOKHOST_TRY(const auto place, first_place(row));
  HOOKHOST_TRY(const auto accepted, runner_.accept(row.id, place));
  if (!row.active) HOOKHOST_CHECK(switch_off(row.id));
  if (const auto able = may_run(built, rules); !able) return runner_.cut(row.id, able.error().message);
  if (!row.active && accepted.condition == state::Condition::stopped) return success();
  return runner_.run(std::move(built.endpoint));
}

}  // namespace hookhost::app
