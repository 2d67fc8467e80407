#include "app/config_check.h"

#include "app/admin_token.h"
#include "app/endpoint_build.h"
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
  void add_if_failed(const std::string& where, const Result<>& result) {
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
  const auto known = state::check_delivery_file(delivery);
  problems.add_if_failed(where, known);
  const auto holder = os::LockFile::word_of_holder(os::join(config.data_dir, "LOCK"));
  if (holder && !holder.value()) {
    const auto end = known ? state::durable_end_in(delivery) : Result<Offset>(Offset{});
    problems.add_if_failed(where, event_log::check(files, {.directory = events, .known_durable = end ? end.value() : Offset{}}, system_clock()));
  }
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
