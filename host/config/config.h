// The configuration as plain values: what conf/hookhost.yaml says, with every default filled in and every path absolute. load() is strict: an
// unknown key, a wrong value or an unset variable is an error with file:line:column.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/ip_address.h"
#include "base/pattern.h"
#include "base/result.h"
#include "base/units.h"
#include "config/secret_text.h"
#include "config/when.h"

namespace hookhost::config {

using namespace std::chrono_literals;

struct Tls {
  std::string certificate;  // paths of PEM files
  std::string key;
  std::string place;  // file:line:column, for later errors
  friend bool operator==(const Tls& a, const Tls& b) { return a.certificate == b.certificate && a.key == b.key; }
};

struct Listen {
  std::string address = "127.0.0.1:8080";
  std::uint64_t threads = 2;
  std::uint64_t connections_max = 10'000;
  std::uint64_t header_bytes_max = 16_KiB;
  std::uint64_t waiting_requests_max = 10'000;
  Duration header_timeout = 10s, body_timeout = 30s, idle_timeout = 60s, write_timeout = 10s;
  std::optional<Tls> tls;
  friend bool operator==(const Listen&, const Listen&) = default;
};

struct Admin {
  std::string address = "127.0.0.1:8081";
  std::optional<SecretText> token;  // else data_dir/admin.token, made at the first start
  friend bool operator==(const Admin&, const Admin&) = default;
};

struct EventLog {
  std::uint64_t segment_bytes = 64_MiB;
  std::uint64_t disk_free_min = 1_GiB;
  Duration retention_age = 90 * 24h;
  std::uint64_t retention_bytes = 20_GiB;
  friend bool operator==(const EventLog&, const EventLog&) = default;
};

struct Diagnostics {
  std::string level = "info";   // trace, debug, info, warn, error
  std::string format = "text";  // text, json
  friend bool operator==(const Diagnostics&, const Diagnostics&) = default;
};

struct SecretWithEnd {
  SecretText value;
  std::optional<WallTime> until;
  friend bool operator==(const SecretWithEnd&, const SecretWithEnd&) = default;
};

struct Duplicates {
  std::string by;  // id, body, header:NAME, /pointer, off; empty: id where the provider has one, else body
  std::optional<Duration> window;  // default: 24h by an id, 2m by the body
  std::uint64_t entries_max = 1'000'000;
  friend bool operator==(const Duplicates&, const Duplicates&) = default;
};

// The source name of what teams publish through /v1.
inline constexpr const char* kPublishedSource = "v1";

// The team of a source that takes it from the payload.
inline constexpr std::string_view kFromPayload = "from_payload";

struct Source {
  std::string name;
  std::string path;  // "/in/<name>" unless given
  std::string scheme;
  std::string provider;
  std::optional<std::string> team;  // a name pins it; "from_payload"; absent: from_payload as long as no teams are configured
  std::vector<SecretWithEnd> secrets;
  bool is_unsigned = false;
  Duration tolerance = 5min;
  std::string header, algorithm = "sha256", encoding = "hex", prefix;  // hmac
  std::string type, key, id;  // "header:NAME" or a JSON pointer; empty: the provider's own
  std::uint64_t body_bytes_max = 1_MiB;
  Duplicates duplicates;
  std::string place;  // file:line:column, for later errors
  friend bool operator==(const Source& a, const Source& b);
};

struct Plugin {
  std::string name;
  std::string library;  // path
  bool enabled = true;
  bool required = false;
  std::string sha256;
  When start_at{};  // kind now
  std::vector<Pattern> events;  // empty: all that the plugin declares
  std::string order_by;         // key, none, all, a JSON pointer; empty: what the plugin declares
  std::optional<std::uint64_t> concurrency;
  std::uint64_t max_in_flight = 64;
  Duration timeout = 30s;
  std::vector<Duration> retry;  // the delays; the schedule `days` unless given
  std::uint64_t stop_after = 20;
  std::string config_json = "{}";
  std::string place;
  friend bool operator==(const Plugin& a, const Plugin& b);
};

// What holds for endpoints that do not say it themselves: the first two for all of them, the others for those of YAML and commands.
struct EndpointDefaults {
  bool allow_http = false;
  std::vector<Network> allowed_networks;
  std::string profile = "standard";  // kakiyo, standard
  std::optional<Duration> timeout;   // absent: the profile's, as the next
  std::optional<std::vector<Duration>> retry;
  std::optional<std::uint64_t> concurrency;
  friend bool operator==(const EndpointDefaults&, const EndpointDefaults&) = default;
};

struct Endpoint {
  std::string name;
  std::string url;
  bool enabled = true;
  std::optional<std::string> team;  // gets only this team's events
  std::vector<Pattern> events;
  std::string signing = "both";     // both, kakiyo, standard-webhooks, pass_through, none
  std::vector<SecretWithEnd> secrets;  // the newest first
  std::map<std::string, SecretText> headers;
  std::string profile;              // empty: that of endpoint_defaults
  std::optional<Duration> timeout;
  std::optional<std::vector<Duration>> retry;
  std::optional<std::uint64_t> concurrency;
  double rate = 0;                  // requests a second; 0: no limit
  When start_at{};                  // kind now
  std::string order_by;             // key, none, all, a JSON pointer; empty: key
  std::optional<bool> allow_http;
  std::optional<std::vector<Network>> allowed_networks;
  std::string ca, certificate, key;  // of tls: paths of PEM files
  std::string proxy;
  std::string place;
  friend bool operator==(const Endpoint& a, const Endpoint& b);
};

struct Team {
  std::string name;
  std::vector<SecretText> api_keys;
  std::string profile = "kakiyo";  // of endpoints that the team makes through /v1
  std::string place;
  friend bool operator==(const Team& a, const Team& b);
};

// Requests a minute and team of the /v1 calls: Kakiyo's three classes, and POST /v1/events, which is not Kakiyo's.
struct RateLimits {
  std::uint64_t high = 60, medium = 30, low = 15;
  std::uint64_t publish = 0;  // 0: no limit
  friend bool operator==(const RateLimits&, const RateLimits&) = default;
};

struct Api {
  std::optional<RateLimits> rate_limits = RateLimits{};
  std::vector<std::string> types;  // accepted beside the six
  std::uint64_t webhooks_max = 1'000;  // that one team makes
  friend bool operator==(const Api&, const Api&) = default;
};

struct Config {
  std::string file;  // absolute
  std::string data_dir;
  Listen listen;
  Admin admin;
  EventLog event_log;
  Diagnostics diagnostics;
  Duration drain_timeout = 8s;
  std::uint64_t blocked_lanes_max = 10'000;
  std::vector<std::string> plugin_dirs;
  std::map<std::string, Source> sources;
  std::map<std::string, Plugin> plugins;
  EndpointDefaults endpoint_defaults;
  std::map<std::string, Endpoint> endpoints;
  std::map<std::string, Team> teams;
  Api api;
  std::map<std::string, std::string> places;  // file:line:column of those keys of data_dir, listen.address and admin.address that are there
  std::vector<std::string> warnings;  // for people: readable secret files and the like
};

// Which secrets are resolved. Unresolved ones stay empty; an unset variable is an error only where it is needed.
struct Resolve {
  bool all = true;
  std::string source = {};  // with all == false: that source's; empty: none
  std::string plugin = {};  // with all == false: what that plugin's config takes from the environment; empty: of none
};

// For people: that `@name` means no source, and which there are.
[[nodiscard]] std::string no_such_source(const std::string& name, const std::set<std::string>& sources);
// What `@name` may mean: the sources by name, and that of what teams publish.
[[nodiscard]] std::set<std::string> source_names(const Config& config);

// Reads and checks the file. Error: invalid_config; the message holds one line per problem, all of them.
[[nodiscard]] Result<Config> load(const std::string& path, const Resolve& resolve);
// The same from a text; `path` names it in messages and is what paths are relative to.
[[nodiscard]] Result<Config> parse(const std::string& text, const std::string& path, const Resolve& resolve);

// ./conf/hookhost.yaml, then /etc/hookhost/hookhost.yaml. Error: not_found, naming both.
[[nodiscard]] Result<std::string> find_config(const std::string& given);

// What changes from `before` to `after`, one line each, for people; keys that only a restart applies stand apart.
struct Difference {
  std::vector<std::string> changes;
  std::vector<std::string> needs_restart;
};
[[nodiscard]] Difference difference(const Config& before, const Config& after);

// Every key that load() knows, "listen.address", "sources.*.scheme": so that a test can hold conf/hookhost.yaml against it.
[[nodiscard]] std::vector<std::string> known_keys();

}  // namespace hookhost::config
