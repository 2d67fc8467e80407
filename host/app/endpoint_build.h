// From what is said of an endpoint, wherever it was made, to what deliveries need: its own word wins, then that of its team (for those made
// through /v1) or of endpoint_defaults (for those of the YAML file and of commands), then its profile's.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "api/endpoint_control.h"
#include "app/known_teams.h"
#include "endpoints/endpoint.h"
#include "state/registry.h"

namespace hookhost::app {

// What the configuration says of endpoints that are not its own.
struct EndpointRules {
  config::EndpointDefaults defaults;
  KnownTeams teams;
  std::set<std::string> sources;  // what @name may mean

  // No team: it is the operator's.
  [[nodiscard]] bool has_team(const std::optional<std::string>& team) const { return !team || teams.has(*team); }
  // Of endpoints that it makes through /v1.
  [[nodiscard]] std::string profile_of(const std::optional<std::string>& team) const;
};

struct BuiltEndpoint {
  endpoints::Endpoint endpoint;
  endpoints::Profile profile = endpoints::Profile::standard;
};

// Nothing is judged yet: that is check_endpoint()'s, or endpoints::check()'s.
[[nodiscard]] BuiltEndpoint build(const config::Endpoint& endpoint, const config::EndpointDefaults& defaults);
// Error: corrupt, when the row is none of ours.
[[nodiscard]] Result<BuiltEndpoint> build(const state::WebhookRow& row, const EndpointRules& rules);

// What was good when it was said may be none any more: its team was taken out, or where deliveries may go was narrowed. Error: refused, with why
// nothing can be sent to it.
[[nodiscard]] Result<> may_run(const BuiltEndpoint& built, const EndpointRules& rules);

// Where it began when it was registered. Error: corrupt.
[[nodiscard]] Result<delivery::StartAt> first_place(const state::WebhookRow& row);
[[nodiscard]] Result<> note_first_place(Offset place, state::WebhookRow& row);

// As endpoints::check().
[[nodiscard]] Result<> check_endpoint(const config::Endpoint& endpoint, const config::EndpointDefaults& defaults);

// Puts the wishes into the row and judges what they name, and what a new row must have. `since` and `backlog` are not the row's. Error: usage,
// "field: message" for each wish that cannot be, one a line.
[[nodiscard]] Result<> apply_wishes(const api::EndpointWishes& wishes, const EndpointRules& rules, WallTime now, state::WebhookRow& row);

}  // namespace hookhost::app
