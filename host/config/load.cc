#include <algorithm>

#include "base/host_port.h"
#include "base/printable.h"
#include "config/config.h"
#include "config/readers.h"
#include "os/file_system.h"

namespace hookhost::config {
namespace {

constexpr std::uint64_t kFileBytesMax = 4_MiB;

void read_listen(Section section, Listen& out, const Reading& reading) {
  section.address("address", out.address);
  section.number("threads", out.threads, 1, 64);
  section.number("connections_max", out.connections_max, 1, 1'000'000);
  section.bytes("header_bytes_max", out.header_bytes_max, 1_KiB, 1_MiB);
  section.number("waiting_requests_max", out.waiting_requests_max, 1, 10'000'000);
  section.duration("header_timeout", out.header_timeout, kTimeoutMax);
  section.duration("body_timeout", out.body_timeout, kTimeoutMax);
  section.duration("idle_timeout", out.idle_timeout, kTimeoutMax);
  section.duration("write_timeout", out.write_timeout, kTimeoutMax);
  Section tls = section.section("tls");
  Tls files;
  tls.text("certificate", files.certificate);
  tls.text("key", files.key);
  if (tls.exists()) {
    if (files.certificate.empty()) tls.problem("certificate", "is missing: the path of the PEM file");
    if (files.key.empty()) tls.problem("key", "is missing: the path of the PEM file");
    out.tls = Tls{reading.path(files.certificate), reading.path(files.key), tls.place()};
  }
  tls.finish();
  section.finish();
}

// Both have a default, so each may be the one that is not in the file.
void check_addresses(const Config& config, Section& admin) {
  const auto ours = parse_host_port(config.admin.address), theirs = parse_host_port(config.listen.address);
  if (!ours || !theirs || !collide(ours.value(), theirs.value())) return;
  admin.problem(admin.take("address"), "address", config.admin.address + " is the address of listen too (" + config.listen.address + "); give one of them another port");
}

void read_event_log(Section section, EventLog& out) {
  section.bytes("segment_bytes", out.segment_bytes, 64_KiB, 4_GiB);
  section.bytes("disk_free_min", out.disk_free_min, 0, kDiskBytesMax);
  Section retention = section.section("retention");
  retention.duration("age", out.retention_age, kAgeMax);
  retention.bytes("bytes", out.retention_bytes, 1_MiB, kDiskBytesMax);
  retention.later("hold");
  retention.finish();
  section.finish();
}

// A key says whose it is, or it is nobody's. Those that were not asked for are empty.
void check_keys(const Config& config, Problems& problems) {
  constexpr std::size_t kKeyBytesMax = 256;
  std::map<std::string, std::string> owners;
  for (const auto& [name, team] : config.teams) {
    for (std::size_t i = 0; i < team.api_keys.size(); ++i) {
      if (team.api_keys[i].empty()) continue;
      const std::string& key = team.api_keys[i].reveal();
      const std::string path = team.place + ": teams." + name + ".api_keys[" + std::to_string(i) + "]: ";
      const bool can_be_sent = key.size() <= kKeyBytesMax && is_visible_ascii(key);
      if (!can_be_sent) problems.lines.push_back(path + "a key is at most 256 visible ASCII characters without spaces");
      const auto [other, fresh] = owners.emplace(key, name);
      if (!fresh && other->second != name) problems.lines.push_back(path + "is a key of team " + other->second + " too; each team needs keys of its own");
    }
  }
}

// Where teams are told apart, nothing may leave open whose it is.
void check_teams(const Config& config, Problems& problems) {
  check_keys(config, problems);
  if (config.teams.empty()) return;
  const auto stands_under_teams = [&](const std::string& place, const std::string& path, const std::string& team) {
    if (!config.teams.contains(team)) problems.lines.push_back(place + ": " + path + ".team: '" + team + "' does not stand under teams; add it there");
  };
  for (const auto& [name, source] : config.sources) {
    const std::string path = "sources." + name;
    if (!source.team) {
      problems.lines.push_back(source.place + ": " + path + ".team: is missing; with teams every source names its team, or says team: from_payload");
    } else if (*source.team != kFromPayload) {
      stands_under_teams(source.place, path, *source.team);
    }
  }
  for (const auto& [name, endpoint] : config.endpoints) {
    if (endpoint.team) stands_under_teams(endpoint.place, "endpoints." + name, *endpoint.team);
  }
}

// No error: the source may have left the file, and events of it may still have to be delivered.
void check_patterns(const Config& config, Problems& problems) {
  const auto sources = source_names(config);
  const auto look = [&](const std::string& where, const std::vector<Pattern>& events) {
    for (const Pattern& pattern : events) {
      if (!pattern.source.empty() && !sources.contains(pattern.source)) {
        problems.warnings.push_back(where + ".events: '" + pattern.text() + "': " + no_such_source(pattern.source, sources));
      }
    }
  };
  for (const auto& [name, plugin] : config.plugins) look(plugin.place + ": plugins." + name, plugin.events);
  for (const auto& [name, endpoint] : config.endpoints) look(endpoint.place + ": endpoints." + name, endpoint.events);
}

Config read_root(const YAML::Node& root, const std::string& file, const Reading& reading) {
  Config out;
  out.file = file;
  Section section(root, "", "", reading.problems);
  const auto note_place = [&](Section& of, const char* key, const char* path) {
    if (const YAML::Node node = of.take(key); node.IsDefined()) out.places[path] = reading.problems.place(node);
  };
  std::string data_dir = "var/hookhost";
  section.text("data_dir", data_dir);
  note_place(section, "data_dir", "data_dir");
  out.data_dir = reading.path(data_dir);
  Section listen = section.section("listen");
  note_place(listen, "address", "listen.address");
  read_listen(listen, out.listen, reading);
  Section admin = section.section("admin");
  admin.address("address", out.admin.address);
  note_place(admin, "address", "admin.address");
  check_addresses(out, admin);
  if (const YAML::Node token = admin.take("token"); token.IsDefined() && !token.IsNull()) {
    out.admin.token = read_secret(token, "admin.token", true, reading);
    if (!is_visible_ascii(out.admin.token->reveal())) admin.problem(token, "token", "must be one line of visible ASCII characters without spaces: it travels in a header");
  }
  admin.finish();
  read_event_log(section.section("event_log"), out.event_log);
  Section diagnostics = section.section("diagnostics");
  diagnostics.one_of("level", out.diagnostics.level, {"trace", "debug", "info", "warn", "error"});
  diagnostics.one_of("format", out.diagnostics.format, {"text", "json"});
  diagnostics.finish();
  section.duration("drain_timeout", out.drain_timeout, kTimeoutMax);
  Section delivery = section.section("delivery");
  delivery.number("blocked_lanes_max", out.blocked_lanes_max, 1, 10'000'000);
  delivery.finish();
  const YAML::Node directories = section.take("plugin_dirs");
  if (directories.IsDefined() && !directories.IsSequence()) section.problem(directories, "plugin_dirs", "wants a list of directories");
  if (directories.IsSequence()) {
    for (const YAML::Node& one : directories) {
      if (!one.IsScalar() || one.Scalar().empty()) section.problem(one, "plugin_dirs", "wants the path of a directory");
      out.plugin_dirs.push_back(reading.path(one.Scalar()));
    }
  }
  std::map<std::string, std::string> paths;
  section.each("sources", [&](const std::string& name, Section source) {
    Source read = read_source(name, source, reading);
    const auto [other, fresh] = paths.emplace(read.path, name);
    if (!fresh) source.problem("path", "'" + read.path + "' is the path of source " + other->second + " too; give one of them another path");
    out.sources.emplace(name, std::move(read));
  });
  section.each("plugins", [&](const std::string& name, Section plugin) { out.plugins.emplace(name, read_plugin(name, plugin, reading)); });
  out.endpoint_defaults = read_endpoint_defaults(section.section("endpoint_defaults"));
  section.each("endpoints", [&](const std::string& name, Section endpoint) {
    if (out.plugins.contains(name)) endpoint.problem("url", "a plugin has the name '" + name + "' too; subscribers are known by their names: give one of them another");
    out.endpoints.emplace(name, read_endpoint(name, endpoint, reading));
  });
  section.each("teams", [&](const std::string& name, Section team) { out.teams.emplace(name, read_team(name, team, reading)); });
  // Without the section every team is one. Who takes out the last must not find that its keys are good all the same.
  if (const YAML::Node teams = section.take("teams"); out.teams.empty() && (teams.IsNull() || (teams.IsMap() && teams.size() == 0))) {
    section.problem(teams, "teams", "names no team: name one, or take the section out; then keys made by a command are good whatever their team, but for teams that were taken out before");
  }
  out.api = read_api(section.section("api"));
  check_teams(out, reading.problems);
  check_patterns(out, reading.problems);
  section.finish();
  return out;
}

}  // namespace

Result<Config> parse(const std::string& text, const std::string& path, const Resolve& resolve) {
  const std::string given = os::absolute(path);
  const auto resolved = os::resolved(os::parent(given));
  Problems problems;
  problems.file = path;
  const Reading reading{problems, resolve, resolved ? resolved.value() : os::parent(given)};
  Config out;
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() > 1) problems.add(documents[1], "---", "a second document begins here; keep one");
    out = read_root(documents.empty() ? YAML::Node() : documents.front(), given, reading);
  } catch (const YAML::Exception& error) {
    problems.lines.push_back(path + ":" + std::to_string(error.mark.line + 1) + ":" + std::to_string(error.mark.column + 1) + ": " + error.msg);
  }
  if (problems.lines.empty()) {
    out.warnings = std::move(problems.warnings);
    return out;
  }
  std::string message;
  for (const std::string& line : problems.lines) message += (message.empty() ? "" : "\n") + line;
  return fail(ErrorCode::invalid_config, std::move(message));
}

std::set<std::string> source_names(const Config& config) {
  std::set<std::string> out{kPublishedSource};
  for (const auto& [name, source] : config.sources) out.insert(name);
  return out;
}

std::string no_such_source(const std::string& name, const std::set<std::string>& sources) {
  std::string out = "there is no source '" + name + "' in the configuration; there are: ";
  for (const std::string& one : sources) out += (one == *sources.begin() ? "" : ", ") + one;
  return out;
}

Result<Config> load(const std::string& path, const Resolve& resolve) {
  HOOKHOST_TRY(const std::string text, os::read_file(os::local_file_system(), path, kFileBytesMax));
  return parse(text, path, resolve);
}

Result<std::string> find_config(const std::string& given) {
  if (!given.empty()) return given;
  for (const char* path : {"conf/hookhost.yaml", "/etc/hookhost/hookhost.yaml"}) {
    if (os::local_file_system().facts(path)) return std::string(path);
  }
  return fail(ErrorCode::not_found, "there is no configuration: neither ./conf/hookhost.yaml nor /etc/hookhost/hookhost.yaml; name one with -c FILE");
}

std::vector<std::string> known_keys() {
  Problems problems;
  const Resolve resolve{.all = false, .source = {}};
  const Reading reading{problems, resolve, "/"};
  static_cast<void>(read_root(YAML::Load("{sources: {a: {unsigned: true, secrets: [{value: x}]}}, plugins: {a: {}}, endpoints: {b: {secrets: [{value: x}]}}, teams: {a: {}}, "
                                         "api: {rate_limits: {}}}"), "known", reading));
  return {problems.known.begin(), problems.known.end()};
}

}  // namespace hookhost::config
