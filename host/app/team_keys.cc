#include "app/team_keys.h"

#include <algorithm>

#include "app/random_text.h"

namespace hookhost::app {
namespace {

constexpr std::size_t kIdSize = 12, kLabelBytesMax = 256, kTeamBytesMax = 64;

bool is_team_id(std::string_view text) {
  return !text.empty() && text.size() <= kTeamBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

api::KeyInfo info_of(const state::TeamKeyRow& row) { return {row.id, row.team, row.label, row.created_at, row.revoked_at, false}; }

}  // namespace

Result<> TeamKeys::load() {
  HOOKHOST_TRY(auto all, registry_.team_keys());
  const std::scoped_lock lock(mutex_);
  for (auto& row : all) rows_.insert_or_assign(row.id, std::move(row));
  return success();
}

std::set<std::string> TeamKeys::teams() const {
  const std::scoped_lock lock(mutex_);
  std::set<std::string> out;
  for (const auto& [id, row] : rows_) {
    if (!row.revoked_at) out.insert(row.team);
  }
  return out;
}

void TeamKeys::configure(KnownTeams teams) {
  const std::scoped_lock lock(mutex_);
  teams_ = std::move(teams);
  of_yaml_.clear();
  for (const auto& [name, team] : teams_.named) {
    for (const auto& key : team.api_keys) {
      if (!key.empty()) of_yaml_.push_back({signing::sha256(key.reveal()), name});  // empty: secrets were not asked for
    }
  }
}

Result<std::string> TeamKeys::team_of(std::string_view key) const {
  const std::string hash = signing::sha256(key);
  const std::scoped_lock lock(mutex_);
  const std::string* team = nullptr;
  for (const Known& known : of_yaml_) {
    if (signing::constant_time_equal(known.hash, hash)) team = &known.team;
  }
  for (const auto& [id, row] : rows_) {
    if (signing::constant_time_equal(row.hash, hash) && !row.revoked_at && teams_.has(row.team)) team = &row.team;
  }
  if (team == nullptr) return fail(ErrorCode::invalid_api_key, "the API key is not valid");
  return *team;
}

Result<std::pair<api::KeyInfo, std::string>> TeamKeys::make(const std::string& team, const std::string& label) {
  if (!is_team_id(team)) return fail(ErrorCode::usage, "a team's id has letters, digits, '_', '-' and '.', at most 64");
  if (label.size() > kLabelBytesMax) return fail(ErrorCode::usage, "the label must be at most 256 bytes");
  {
    const std::scoped_lock lock(mutex_);
    if (!teams_.has(team)) {
      return fail(ErrorCode::usage, "'" + team + "' does not stand under teams in the configuration; add it there and reload");
    }
  }
  const std::string key = (team.size() == kTeamIdSize ? team : random_text(kTeamIdSize)) + random_text(kKeySize - kTeamIdSize);
  const state::TeamKeyRow row{"key_" + random_text(kIdSize), team, label, signing::sha256(key), clock_.wall(), std::nullopt};
  HOOKHOST_CHECK(registry_.put(row));
  const std::scoped_lock lock(mutex_);
  rows_.emplace(row.id, row);
  return std::pair(info_of(row), key);
}

std::vector<api::KeyInfo> TeamKeys::list() const {
  const std::scoped_lock lock(mutex_);
  std::vector<api::KeyInfo> out;
  for (const auto& [name, team] : teams_.named) {
    for (std::size_t i = 0; i < team.api_keys.size(); ++i) out.push_back({{}, name, "in the configuration", {}, std::nullopt});
  }
  for (const auto& [id, row] : rows_) {
    out.push_back(info_of(row));
    out.back().is_refused = !row.revoked_at && !teams_.has(row.team);
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.team < b.team; });
  return out;
}

Result<> TeamKeys::revoke(std::string_view id) {
  state::TeamKeyRow row;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = rows_.find(std::string(id));
    if (found == rows_.end()) return fail(ErrorCode::not_found, "there is no key '" + std::string(id) + "': hookhost team key list shows them");
    row = found->second;
  }
  if (row.revoked_at) return success();
  row.revoked_at = clock_.wall();
  HOOKHOST_CHECK(registry_.put(row));
  const std::scoped_lock lock(mutex_);
  rows_.insert_or_assign(row.id, row);
  return success();
}

}  // namespace hookhost::app
