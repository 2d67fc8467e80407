#include <set>
#include <string>
#include <vector>

#include "config/config.h"

namespace hookhost::config {
namespace {

// What a change of each key is called. Secrets are compared, never shown.
template <class Entry>
struct Fact {
  const char* name;
  bool (*same)(const Entry& a, const Entry& b);
};

#define HOOKHOST_FACT(Entry, name, member) \
  Fact<Entry> { name, [](const Entry& a, const Entry& b) { return a.member == b.member; } }

const std::vector<Fact<Source>>& facts(const Source&) {
  static const std::vector<Fact<Source>> kFacts{
      HOOKHOST_FACT(Source, "path", path), HOOKHOST_FACT(Source, "scheme", scheme), HOOKHOST_FACT(Source, "provider", provider),
      HOOKHOST_FACT(Source, "team", team), HOOKHOST_FACT(Source, "secrets", secrets), HOOKHOST_FACT(Source, "unsigned", is_unsigned),
      HOOKHOST_FACT(Source, "tolerance", tolerance), HOOKHOST_FACT(Source, "header", header), HOOKHOST_FACT(Source, "algorithm", algorithm),
      HOOKHOST_FACT(Source, "encoding", encoding), HOOKHOST_FACT(Source, "prefix", prefix), HOOKHOST_FACT(Source, "type", type),
      HOOKHOST_FACT(Source, "key", key), HOOKHOST_FACT(Source, "id", id), HOOKHOST_FACT(Source, "body_bytes_max", body_bytes_max),
      HOOKHOST_FACT(Source, "duplicates", duplicates)};
  return kFacts;
}

// start_at is not among them: it is resolved once, when the plugin is first seen.
const std::vector<Fact<Plugin>>& facts(const Plugin&) {
  static const std::vector<Fact<Plugin>> kFacts{
      HOOKHOST_FACT(Plugin, "library", library), HOOKHOST_FACT(Plugin, "enabled", enabled), HOOKHOST_FACT(Plugin, "required", required),
      HOOKHOST_FACT(Plugin, "sha256", sha256), HOOKHOST_FACT(Plugin, "events", events), HOOKHOST_FACT(Plugin, "order_by", order_by),
      HOOKHOST_FACT(Plugin, "concurrency", concurrency), HOOKHOST_FACT(Plugin, "max_in_flight", max_in_flight),
      HOOKHOST_FACT(Plugin, "timeout", timeout), HOOKHOST_FACT(Plugin, "retry", retry), HOOKHOST_FACT(Plugin, "stop_after", stop_after),
      HOOKHOST_FACT(Plugin, "config", config_json)};
  return kFacts;
}

// Nor here.
const std::vector<Fact<Endpoint>>& facts(const Endpoint&) {
  static const std::vector<Fact<Endpoint>> kFacts{
      HOOKHOST_FACT(Endpoint, "url", url), HOOKHOST_FACT(Endpoint, "enabled", enabled), HOOKHOST_FACT(Endpoint, "team", team),
      HOOKHOST_FACT(Endpoint, "events", events), HOOKHOST_FACT(Endpoint, "signing", signing), HOOKHOST_FACT(Endpoint, "secrets", secrets),
      HOOKHOST_FACT(Endpoint, "headers", headers), HOOKHOST_FACT(Endpoint, "profile", profile), HOOKHOST_FACT(Endpoint, "timeout", timeout),
      HOOKHOST_FACT(Endpoint, "retry", retry), HOOKHOST_FACT(Endpoint, "concurrency", concurrency), HOOKHOST_FACT(Endpoint, "rate", rate),
      HOOKHOST_FACT(Endpoint, "order_by", order_by), HOOKHOST_FACT(Endpoint, "allow_http", allow_http),
      HOOKHOST_FACT(Endpoint, "allowed_networks", allowed_networks), HOOKHOST_FACT(Endpoint, "tls.ca", ca),
      HOOKHOST_FACT(Endpoint, "tls.certificate", certificate), HOOKHOST_FACT(Endpoint, "tls.key", key), HOOKHOST_FACT(Endpoint, "proxy", proxy)};
  return kFacts;
}

const std::vector<Fact<Team>>& facts(const Team&) {
  static const std::vector<Fact<Team>> kFacts{HOOKHOST_FACT(Team, "api_keys", api_keys), HOOKHOST_FACT(Team, "profile", profile)};
  return kFacts;
}

#undef HOOKHOST_FACT

constexpr const char* kTeamGone = "; its keys are refused and its webhooks stand still until it is back";
constexpr const char* kNoTeams = "; no teams are configured any more: keys made by a command are good whatever their team, but for teams that were taken out before";

// "path, secrets": the keys that differ; empty when none does.
template <class Entry>
std::string changed_keys(const Entry& a, const Entry& b) {
  std::string out;
  for (const Fact<Entry>& fact : facts(a)) {
    if (!fact.same(a, b)) out += (out.empty() ? "" : ", ") + std::string(fact.name);
  }
  return out;
}

template <class Entry>
void compare(const char* what, const std::map<std::string, Entry>& before, const std::map<std::string, Entry>& after, Difference& out,
             const char* if_removed = "") {
  std::set<std::string> names;
  for (const auto& [name, entry] : before) names.insert(name);
  for (const auto& [name, entry] : after) names.insert(name);
  for (const std::string& name : names) {
    const auto old = before.find(name);
    const auto now = after.find(name);
    if (old == before.end()) {
      out.changes.push_back(std::string(what) + " " + name + ": added");
    } else if (now == after.end()) {
      out.changes.push_back(std::string(what) + " " + name + ": removed" + if_removed);
    } else if (const std::string keys = changed_keys(old->second, now->second); !keys.empty()) {
      out.changes.push_back(std::string(what) + " " + name + ": changed " + keys);
    }
  }
}

}  // namespace

bool operator==(const Source& a, const Source& b) { return changed_keys(a, b).empty(); }
bool operator==(const Plugin& a, const Plugin& b) { return changed_keys(a, b).empty(); }
bool operator==(const Endpoint& a, const Endpoint& b) { return changed_keys(a, b).empty(); }
bool operator==(const Team& a, const Team& b) { return changed_keys(a, b).empty(); }

Difference difference(const Config& before, const Config& after) {
  Difference out;
  compare("source", before.sources, after.sources, out);
  compare("plugin", before.plugins, after.plugins, out);
  compare("endpoint", before.endpoints, after.endpoints, out);
  compare("team", before.teams, after.teams, out, after.teams.empty() ? kNoTeams : kTeamGone);
  if (before.endpoint_defaults != after.endpoint_defaults) out.changes.emplace_back("endpoint_defaults: changed");
  if (before.api != after.api) out.changes.emplace_back("api: changed");
  if (before.diagnostics != after.diagnostics) out.changes.emplace_back("diagnostics: changed");
  if (before.drain_timeout != after.drain_timeout) out.changes.emplace_back("drain_timeout: changed");
  if (before.plugin_dirs != after.plugin_dirs) out.changes.emplace_back("plugin_dirs: changed");
  if (before.data_dir != after.data_dir) out.needs_restart.emplace_back("data_dir");
  if (before.listen != after.listen) out.needs_restart.emplace_back("listen");
  if (before.admin != after.admin) out.needs_restart.emplace_back("admin");
  if (before.event_log != after.event_log) out.needs_restart.emplace_back("event_log");
  if (before.blocked_lanes_max != after.blocked_lanes_max) out.needs_restart.emplace_back("delivery");
  return out;
}

}  // namespace hookhost::config
