#include <set>
#include <tuple>

#include "config/config.h"

namespace hookhost::config {
namespace {

auto facts(const Source& s) {
  return std::tie(s.path, s.scheme, s.provider, s.team, s.secrets, s.is_unsigned, s.tolerance, s.header, s.algorithm, s.encoding, s.prefix, s.type,
                  s.key, s.id, s.body_bytes_max, s.duplicates);
}
auto facts(const Plugin& p) {
  return std::tie(p.library, p.enabled, p.required, p.sha256, p.events, p.order_by, p.concurrency, p.max_in_flight, p.timeout, p.retry,
                  p.stop_after, p.config_json);
}

template <class Entry>
void compare(const char* what, const std::map<std::string, Entry>& before, const std::map<std::string, Entry>& after, Difference& out) {
  std::set<std::string> names;
  for (const auto& [name, entry] : before) names.insert(name);
  for (const auto& [name, entry] : after) names.insert(name);
  for (const std::string& name : names) {
    const auto old = before.find(name);
    const auto now = after.find(name);
    if (old == before.end()) {
      out.changes.push_back(std::string(what) + " " + name + ": added");
    } else if (now == after.end()) {
      out.changes.push_back(std::string(what) + " " + name + ": removed");
    } else if (!(old->second == now->second)) {
      out.changes.push_back(std::string(what) + " " + name + ": changed");
    }
  }
}

}  // namespace

bool operator==(const Source& a, const Source& b) { return facts(a) == facts(b); }
bool operator==(const Plugin& a, const Plugin& b) { return facts(a) == facts(b); }

Difference difference(const Config& before, const Config& after) {
  Difference out;
  compare("source", before.sources, after.sources, out);
  compare("plugin", before.plugins, after.plugins, out);
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
