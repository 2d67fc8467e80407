// conf/hookhost.yaml is the manual of the configuration: with every commented line taken in, it loads, names every key at its place with a word
// about it, and shows the defaults that the code has.
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include "config/config.h"

namespace hookhost::config {
namespace {

class ShippedConfig : public testing::Test {
 protected:
  void SetUp() override {
    std::ifstream file(path_);
    static const std::regex commented("( *)# ( *[a-z_0-9]+:.*)");
    for (std::string line; std::getline(file, line);) {
      lines_.push_back(line);
      std::smatch match;
      whole_ += (std::regex_match(line, match, commented) ? match.str(1) + match.str(2) : line) + '\n';
    }
    const auto digest = whole_.find("\"...\"");  // stands for 64 digits
    ASSERT_NE(digest, std::string::npos);
    whole_.replace(digest, 5, std::string(64, 'a'));
    ::setenv("HOOKHOST_ADMIN_TOKEN", "t", 1);
  }

  // "listen.tls.key", "sources.*.scheme" to the line, from 0, that names it first.
  static void collect(const YAML::Node& node, const std::string& path, std::map<std::string, int>& out) {
    if (node.IsSequence()) {
      for (const auto& one : node) collect(one, path, out);
    }
    if (!node.IsMap()) return;
    for (const auto& pair : node) {
      const bool is_name = path == "sources" || path == "plugins" || path == "endpoints" || path == "teams";
      const std::string key = (path.empty() ? "" : path + ".") + (is_name ? "*" : pair.first.Scalar());
      out.emplace(key, pair.first.Mark().line);
      if (key != "plugins.*.config") collect(pair.second, key, out);
    }
  }
  [[nodiscard]] std::map<std::string, int> named() const {
    std::map<std::string, int> out;
    collect(YAML::Load(whole_), "", out);
    return out;
  }
  static bool is_prose(const std::string& line) {
    static const std::regex prose(" *# .*"), key(" *# +[a-z_0-9]+:.*");
    return std::regex_match(line, prose) && !std::regex_match(line, key);
  }
  // Something is said behind it, or in the lines above.
  [[nodiscard]] bool is_explained(int line) const {
    const auto at = static_cast<std::size_t>(line);
    const std::string text = lines_[at].substr(lines_[at].find(':'));
    return text.find(" # ") != std::string::npos || (at > 0 && is_prose(lines_[at - 1]));
  }

  const std::string path_ = std::string(HOOKHOST_REPOSITORY) + "/conf/hookhost.yaml";
  std::vector<std::string> lines_;
  std::string whole_;  // every commented key taken in
};

TEST_F(ShippedConfig, LoadsAsItIs) {
  const auto config = load(path_, {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config.value().sources.size(), 1U);
}

TEST_F(ShippedConfig, LoadsAndNamesEveryKey) {
  const auto config = parse(whole_, path_, {.all = false, .source = {}});
  ASSERT_TRUE(config) << config.error().message;
  const auto names = named();
  for (const std::string& key : known_keys()) {
    const auto found = names.find(key);
    ASSERT_NE(found, names.end()) << key << " is not documented";
    const auto below = names.upper_bound(key + ".");
    const bool is_section = below != names.end() && below->first.starts_with(key + ".");
    EXPECT_TRUE(is_section || is_explained(found->second)) << key << " is named without a word: " << lines_[static_cast<std::size_t>(found->second)];
  }
}

TEST_F(ShippedConfig, ShowsTheDefaultsThatTheCodeHas) {
  const auto shown = parse(whole_, path_, {.all = false, .source = {}});
  const auto bare = parse("{sources: {kakiyo: {scheme: kakiyo, secrets: [x]}}, plugins: {jsonl: {library: ../plugins/jsonl_export.so}}}", path_,
                          {.all = false, .source = {}});
  ASSERT_TRUE(shown && bare);
  Config documented = shown.value();
  const Config& defaults = bare.value();
  documented.listen.tls.reset();  // an example
  documented.admin.token.reset();
  EXPECT_EQ(documented.listen, defaults.listen);
  EXPECT_EQ(documented.admin, defaults.admin);
  EXPECT_EQ(documented.event_log, defaults.event_log);
  EXPECT_EQ(documented.diagnostics, defaults.diagnostics);
  EXPECT_EQ(documented.drain_timeout, defaults.drain_timeout);
  EXPECT_EQ(documented.blocked_lanes_max, defaults.blocked_lanes_max);

  Source source = documented.sources.at("kakiyo");
  const Source& bare_source = defaults.sources.at("kakiyo");
  EXPECT_EQ(source.team, "from_payload") << "what it means when it is absent";
  source.team = bare_source.team;
  source.duplicates.by = bare_source.duplicates.by;  // both are said in words: they depend on the scheme
  source.duplicates.window = bare_source.duplicates.window;
  EXPECT_EQ(source, bare_source);

  Plugin plugin = documented.plugins.at("jsonl");
  const Plugin& bare_plugin = defaults.plugins.at("jsonl");
  plugin.sha256 = bare_plugin.sha256;  // examples
  plugin.events = bare_plugin.events;
  plugin.config_json = bare_plugin.config_json;
  plugin.order_by = bare_plugin.order_by;  // the plugin's own
  plugin.concurrency = bare_plugin.concurrency;
  EXPECT_EQ(plugin, bare_plugin);
}

TEST_F(ShippedConfig, ShowsTheDefaultsOfEndpointsAndTeams) {
  const auto shown = parse(whole_, path_, {.all = false, .source = {}});
  const auto bare = parse("{endpoints: {flask_github: {url: \"https://x\", events: [\"*\"]}}, teams: {team_12345abcde: {}}}", path_, {.all = false, .source = {}});
  ASSERT_TRUE(shown && bare) << (shown ? bare : shown).error().message;
  Endpoint documented = shown.value().endpoints.at("flask_github");
  const Endpoint& defaults = bare.value().endpoints.at("flask_github");
  EXPECT_EQ(documented.profile, shown.value().endpoint_defaults.profile) << "what it means when it is absent, as of the next ones";
  EXPECT_EQ(documented.timeout, shown.value().endpoint_defaults.timeout);
  EXPECT_EQ(documented.retry, shown.value().endpoint_defaults.retry);
  EXPECT_EQ(documented.concurrency, shown.value().endpoint_defaults.concurrency);
  EXPECT_EQ(documented.allow_http, shown.value().endpoint_defaults.allow_http);
  EXPECT_EQ(documented.allowed_networks, shown.value().endpoint_defaults.allowed_networks);
  EXPECT_EQ(documented.enabled, defaults.enabled);
  EXPECT_EQ(documented.signing, defaults.signing);
  EXPECT_EQ(documented.rate, defaults.rate);
  EXPECT_EQ(documented.start_at, defaults.start_at);
  EndpointDefaults all = shown.value().endpoint_defaults;
  EXPECT_EQ(all.timeout, 30s) << "the profile's, as the next; endpoints/endpoint.h has them";
  EXPECT_EQ(all.retry, (std::vector<Duration>{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}));
  all.timeout.reset();
  all.retry.reset();
  all.concurrency.reset();
  EXPECT_EQ(all, bare.value().endpoint_defaults);
  EXPECT_EQ(shown.value().teams.at("team_12345abcde").profile, bare.value().teams.at("team_12345abcde").profile);
  EXPECT_EQ(shown.value().api, bare.value().api);
}

// The whole of what the design draws for this version.
TEST(DesignedConfig, EveryKeyIsTaken) {
  const auto config = parse(R"(
data_dir: var/hookhost
listen: {address: "127.0.0.1:8080", threads: 2, connections_max: 10000, header_bytes_max: 16KiB, waiting_requests_max: 10000,
         header_timeout: 10s, body_timeout: 30s, idle_timeout: 60s, write_timeout: 10s, tls: {certificate: cert.pem, key: key.pem}}
admin: {address: "127.0.0.1:8081", token: secret}
event_log: {segment_bytes: 64MiB, disk_free_min: 1GiB, retention: {age: 90d, bytes: 20GiB}}
drain_timeout: 8s
delivery: {blocked_lanes_max: 10000}
plugin_dirs: [../plugins]
sources:
  kakiyo: {scheme: kakiyo, secrets: ["${KAKIYO_WEBHOOK_SECRET}"], team: from_payload}
  github: {scheme: github, team: team_12345abcde, secrets: ["${GITHUB_WEBHOOK_SECRET}"]}
  acme: {scheme: kakiyo, team: team_12345abcde, secrets: [{value: "${NEW}"}, {value: {file: old.secret}, until: 2026-12-01}]}
  orders: {scheme: hmac, provider: shop, team: team_12345abcde, header: X-Shop-Hmac, encoding: base64, type: "header:X-Topic", key: /customer/id,
           id: "header:X-Shop-Id", body_bytes_max: 5MiB, secrets: [x], duplicates: {by: "header:X-Shop-Id", window: 1h, max: 10}}
  open: {unsigned: true, team: from_payload}
plugins:
  jsonl: {library: ../plugins/jsonl_export.so, config: {path: events.jsonl}}
  crm: {library: /opt/acme/crm.so, enabled: true, required: false, sha256: "", isolation: none, start_at: beginning,
        events: ["linkedin.message.*"], order_by: key, concurrency: 16, max_in_flight: 64, timeout: 30s, retry: days, stop_after: 20, config: {a: 1}}
api: {rate_limits: kakiyo, types: []}
endpoint_defaults: {allow_http: false, allowed_networks: []}
endpoints:
  flask_github: {url: "http://127.0.0.1:5000/github", events: ["github:*"], signing: pass_through, allow_http: true, allowed_networks: ["127.0.0.1/32"]}
teams:
  team_12345abcde: {api_keys: ["${ACME_API_KEY}"], profile: kakiyo}
)",
                            "/etc/hh/hookhost.yaml", {.all = false, .source = {}});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config.value().listen.tls->certificate, "/etc/hh/cert.pem") << "paths are relative to the file";
  EXPECT_EQ(config.value().plugins.at("crm").library, "/opt/acme/crm.so");
  EXPECT_EQ(config.value().sources.at("github").body_bytes_max, 25_MiB);
  EXPECT_EQ(config.value().sources.at("orders").provider, "shop");
}

}  // namespace
}  // namespace hookhost::config
