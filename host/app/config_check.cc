#include "app/config_check.h"

#include <map>
#include <optional>

#include "app/admin_token.h"
#include "app/endpoint_build.h"
#include "delivery/engine.h"
#include "event_log/published_end.h"
#include "event_log/recovery.h"
#include "http/tls.h"
#include "os/file_system.h"
#include "os/lock_file.h"
#include "signing/scheme.h"
#include "state/database_file.h"
#include "state/registry.h"

namespace hookhost::app {
namespace {

constexpr std::uint64_t kPemBytesMax = 1 << 20;

class Collected {
 public:
  // `where`: "file:line:column: key".
  void add(const std::string& where, const std::string& what) { lines_.push_back(where + ": " + what); }
  template <class T>
  void add_if_failed(const std::string& where, const Result<T>& result) {
    if (!result) add(where, result.error().message);
  }
  [[nodiscard]] std::vector<std::string> take() { return std::move(lines_); }

 private:
  std::vector<std::string> lines_;
};

Result<> check_pair(const config::Tls& tls) {
  HOOKHOST_TRY(const auto pem, read_tls(tls));
  HOOKHOST_CHECK(http::TlsContext::make(pem.certificate, pem.key));
  return success();
}

void check_source(const config::Source& source, Collected& problems) {
  const auto scheme = signing::parse_scheme(source.scheme);
  if (!scheme) return;  // unsigned
  for (std::size_t n = 0; n < source.secrets.size(); ++n) {
    const auto key = signing::key_of(scheme.value(), source.secrets[n].value.reveal());
    if (!key) problems.add(source.place + ": sources." + source.name + ".secrets[" + std::to_string(n) + "]", key.error().message);
  }
}

void check_files(const config::Endpoint& endpoint, Collected& problems) {
  const std::string where = endpoint.place + ": endpoints." + endpoint.name + ".tls";
  if (!endpoint.certificate.empty()) problems.add_if_failed(where, check_pair({endpoint.certificate, endpoint.key}));
  if (endpoint.ca.empty()) return;
  const auto authorities = os::read_file(os::local_file_system(), endpoint.ca, kPemBytesMax);
  if (!authorities) return problems.add(where + ".ca", authorities.error().message);
  problems.add_if_failed(where + ".ca", http::check_authorities(authorities.value()));
}

// Where it stands in the file; the file alone where the default holds.
std::string place_of(const config::Config& config, const std::string& key) {
  const auto place = config.places.find(key);
  return (place == config.places.end() ? config.file : place->second) + ": " + key;
}

void check_places(const config::Config& config, Collected& problems) {
  const auto directory = os::check_directory(config.data_dir);
  problems.add_if_failed(place_of(config, "data_dir"), directory);
  if (directory) {
    if (!config.admin.token) {
      if (const auto token = stored_admin_token(config.data_dir); !token) problems.add(place_of(config, "data_dir"), token.error().message);
    }
    problems.add_if_failed(place_of(config, "data_dir"), os::check_is_file(os::join(config.data_dir, "LOCK")));
    problems.add_if_failed(place_of(config, "data_dir"), os::check_directory(os::join(config.data_dir, "events")));
  }
  problems.add_if_failed(place_of(config, "listen.address"), http::check_address(config.listen.address));
  problems.add_if_failed(place_of(config, "admin.address"), http::check_address(config.admin.address));
}

// Where the event log ends for who starts now; nullopt: it is not known. A running host has published it.
std::optional<Offset> check_event_log(const std::string& data_dir, Offset known_durable, const std::string& where, Collected& problems) {
  auto& files = os::local_file_system();
  const std::string events = os::join(data_dir, "events");
  const auto holder = os::LockFile::word_of_holder(os::join(data_dir, "LOCK"));
  if (!holder) return std::nullopt;
  const auto end = holder.value() ? event_log::read_published_end(files, events)
                                  : event_log::check(files, {.directory = events, .known_durable = known_durable}, system_clock());
  if (!holder.value()) problems.add_if_failed(where, end);
  return end ? std::optional(end.value()) : std::nullopt;
}

// As `serve` judges them by what is kept. Who has a position begins nowhere; where positions were lost, any offset is a place.
template <class Configured>
void check_places_of(const std::map<std::string, Configured>& all, const std::string& kind, const state::Kept& kept, std::optional<Offset> end,
                     Collected& problems) {
  for (const auto& [name, one] : all) {
    const std::string where = one.place + ": " + kind + "s." + name;
    const auto known = kept.kinds.find(SubscriberId{name});
    if (known != kept.kinds.end()) {
      if (known->second != kind) problems.add(where, delivery::known_as(known->first, known->second).message);
    } else if (end && !kept.positions_lost && one.start_at.kind == config::When::Kind::offset && one.start_at.offset > *end) {
      problems.add(where + ".start_at", delivery::beyond_the_end(one.start_at.offset, *end).message);
    }
  }
}

}  // namespace

Result<http::TlsOptions> read_tls(const config::Tls& tls) {
  auto& files = os::local_file_system();
  HOOKHOST_TRY(auto certificate, os::read_file(files, tls.certificate, kPemBytesMax));
  HOOKHOST_TRY(auto key, os::read_file(files, tls.key, kPemBytesMax));
  return http::TlsOptions{std::move(certificate), std::move(key)};
}

std::vector<std::string> problems_of(const config::Config& config) {
  Collected problems;
  check_places(config, problems);
  if (const auto& tls = config.listen.tls) problems.add_if_failed(tls->place + ": listen.tls", check_pair(*tls));
  for (const auto& [name, source] : config.sources) check_source(source, problems);
  for (const auto& [name, endpoint] : config.endpoints) {
    problems.add_if_failed(endpoint.place + ": endpoints." + name, check_endpoint(endpoint, config.endpoint_defaults));
    check_files(endpoint, problems);
  }
  return problems.take();
}

std::vector<std::string> problems_of_stores(const config::Config& config) {
  auto& files = os::local_file_system();
  const std::string where = place_of(config, "data_dir"), events = os::join(config.data_dir, "events"), delivery = os::join(config.data_dir, "delivery.db");
  Collected problems;
  problems.add_if_failed(where, state::check_registry_file(os::join(config.data_dir, "registry.db"), !event_log::has_segments(files, events)));
  const auto good = state::check_delivery_file(delivery);
  problems.add_if_failed(where, good);
  auto kept = good ? state::kept_in(delivery) : Result<state::Kept>(fail(good.error()));
  if (!kept && kept.error().code == ErrorCode::not_found) {
    kept = state::Kept{.durable_end = {}, .positions_lost = event_log::has_segments(files, events), .kinds = {}};
  }
  if (good && !kept && kept.error().code == ErrorCode::corrupt) problems.add(where, kept.error().message);
  const auto end = check_event_log(config.data_dir, kept ? kept.value().durable_end : Offset{}, where, problems);
  if (!kept) return problems.take();
  check_places_of(config.plugins, "plugin", kept.value(), end, problems);
  check_places_of(config.endpoints, "endpoint", kept.value(), end, problems);
  return problems.take();
}

std::vector<std::string> warnings_of(const config::Config& config) {
  std::vector<std::string> out;
  const auto teams = state::Registry::teams_in(os::join(config.data_dir, "registry.db"));
  if (!teams) return out;  // nothing is registered there, or `serve` says what is wrong with it
  const KnownTeams known{config.teams, teams.value().taken_out};
  for (const std::string& team : teams.value().all) {
    if (known.has(team)) continue;
    out.push_back("teams: '" + team + "' has keys or webhooks and does not stand here: its keys are refused and its webhooks stand still");
  }
  return out;
}

Result<> check_config(const config::Config& config) {
  std::string all;
  for (const std::string& line : problems_of(config)) all += (all.empty() ? "" : "\n") + line;
  if (all.empty()) return success();
  return fail(ErrorCode::invalid_config, std::move(all));
}

}  // namespace hookhost::app
