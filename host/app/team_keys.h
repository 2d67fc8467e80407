// The keys with which teams use /v1: those of the YAML file and those made by `hookhost team key add`, which are kept as hashes. Where teams
// are configured, only their keys are good: those of one that was taken out are kept, and good again when it is back (known_teams.h).
//
// Threads: every function from every thread; make() and revoke() block until the registry has it.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/endpoint_control.h"
#include "app/known_teams.h"
#include "state/registry.h"

namespace hookhost::app {

// Of every key: the team's id (where it has 20 characters; else 20 of its own) and 20 that are secret.
inline constexpr std::size_t kKeySize = 40, kTeamIdSize = 20;

class TeamKeys {
 public:
  TeamKeys(state::Registry& registry, const Clock& clock) : registry_(registry), clock_(clock) {}

  // Reads the registry. Error: that of the registry.
  [[nodiscard]] Result<> load();
  void configure(KnownTeams teams);
  // Those of keys that are not revoked.
  [[nodiscard]] std::set<std::string> teams() const;

  // Error: invalid_api_key. Takes as long for a wrong key as for a right one.
  [[nodiscard]] Result<std::string> team_of(std::string_view key) const;

  // The key itself is told here and never again. Error: usage (no such team), that of the registry.
  [[nodiscard]] Result<std::pair<api::KeyInfo, std::string>> make(const std::string& team, const std::string& label);
  [[nodiscard]] std::vector<api::KeyInfo> list() const;
  // Error: not_found; refused for one of the YAML file.
  [[nodiscard]] Result<> revoke(std::string_view id);

 private:
  struct Known {
    std::string hash, team;
  };

  state::Registry& registry_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, state::TeamKeyRow> rows_;  // by id
  std::vector<Known> of_yaml_;
  KnownTeams teams_;
};

}  // namespace hookhost::app
