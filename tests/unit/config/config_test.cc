#include "config/config.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "support/temp_dir.h"

namespace hookhost::config {
namespace {

Result<Config> read(const std::string& text, const Resolve& resolve = {}) { return parse(text, "/etc/hh/hookhost.yaml", resolve); }

std::string problems(const std::string& text) {
  const auto config = read(text);
  return config ? "" : config.error().message;
}

TEST(Config, FillsInEveryDefault) {
  const auto config = read("{}");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config.value().data_dir, "/etc/hh/var/hookhost");
  EXPECT_EQ(config.value().listen.address, "127.0.0.1:8080");
  EXPECT_EQ(config.value().event_log.segment_bytes, 64_MiB);
}

TEST(Config, ReadsSourcesAndPlugins) {
  ::setenv("HH_TEST_SECRET", "s3cret", 1);
  const auto config = read(R"(
sources:
  kakiyo: {scheme: kakiyo, secrets: ["${HH_TEST_SECRET}", {value: "${HH_TEST_UNSET:-old}", until: 2026-12-01}]}
  orders: {scheme: hmac, provider: shop, header: X-Shop-Hmac, encoding: base64, type: "header:X-Topic", key: /customer/id, secrets: [x]}
plugins:
  crm: {library: ../plugins/crm.so, events: ["linkedin.message.*"], retry: [1s, 1m], start_at: hold, config: {yes: yes, n: 0x1F, q: "1", list: [1.5, ~]}}
)");
  ASSERT_TRUE(config) << config.error().message;
  const Source& kakiyo = config.value().sources.at("kakiyo");
  EXPECT_EQ(kakiyo.path, "/in/kakiyo");
  EXPECT_EQ(kakiyo.secrets[0].value.reveal(), "s3cret");
  EXPECT_EQ(kakiyo.secrets[1].value.reveal(), "old");
  EXPECT_TRUE(kakiyo.secrets[1].until);
  const Plugin& crm = config.value().plugins.at("crm");
  EXPECT_EQ(crm.library, "/etc/plugins/crm.so");
  EXPECT_EQ(crm.start_at.kind, When::Kind::hold);
  EXPECT_EQ(crm.retry, (std::vector<Duration>{1s, 1min}));
  EXPECT_EQ(crm.config_json, R"({"yes":"yes","n":31,"q":"1","list":[1.5E0,null]})");
}

TEST(Config, NamesEveryProblemWithItsPlace) {
  const std::string text = problems(R"(
listen: {adress: "127.0.0.1:1", threads: none}
sources:
  a: {scheme: kakyo}
  v1: {unsigned: true}
plugins:
  p: {}
event_log: {retention: {hold: {}}}
)");
  for (const char* expected : {"hookhost.yaml:2:10: listen.adress: is not a known key; did you mean 'address'?", "listen.threads: wants a whole number",
                               "sources.a.scheme: wants one of kakiyo", "sources.v1: the name is that of", "must say unsigned: true", "plugins.p.library: is missing",
                               "event_log.retention.hold: is not yet available"}) {
    EXPECT_NE(text.find(expected), std::string::npos) << expected << "\nin\n" << text;
  }
}

TEST(Config, AnUnsetVariableIsNamedOnlyWhereItIsNeeded) {
  const std::string text = "sources: {a: {scheme: kakiyo, secrets: [\"${HH_TEST_NEVER_SET}\"]}}";
  EXPECT_NE(problems(text).find("HH_TEST_NEVER_SET is not set"), std::string::npos);
  EXPECT_TRUE(read(text, {.all = false, .source = {}}));
  EXPECT_FALSE(read(text, {.all = false, .source = "a"}));
}

TEST(Config, RefusesWhatIsWrong) {
  for (const char* text : {"a: [", "sources: {a: {unsigned: true}, a: {unsigned: true}}", "sources: {a: {unsigned: true, path: /x}, b: {unsigned: true, path: /x}}",
                           "plugins: {p: {library: x, isolation: process}}", "plugins: {p: {library: x, config: {a: .inf}}}",
                           "plugins: {p: {library: x, retry: often}}", "event_log: {retention: {hold: {}}}", "[]", "drain_timeout: 0"}) {
    EXPECT_NE(problems(text), "") << text;
  }
}

// What could be read, and no host could be run with.
TEST(Config, RefusesWhatNobodyMeansAndSaysWhatCanBe) {
  const auto source = [](const std::string& more) { return "sources: {a: {scheme: hmac, header: X-Sign, secrets: [x]" + more + "}}"; };
  const std::pair<std::string, const char*> all[] = {
      {"listen: {address: \"127.0.0.1:99999\"}", "1:19: listen.address: '127.0.0.1:99999' is no address: write host:port"},
      {"listen: {address: localhost}", "listen.address: 'localhost' is no address"},
      {"admin: {address: \"[evil.com]:80\"}", "1:18: admin.address: "},
      {"listen: {address: \"127.0.0.1:8081\"}", "admin.address: 127.0.0.1:8081 is the address of listen too"},
      {"{listen: {address: \"0.0.0.0:90\"}, admin: {address: \"127.0.0.1:90\"}}", "1:52: admin.address: 127.0.0.1:90 is the address of listen too (0.0.0.0:90)"},
      {"listen: {header_bytes_max: 5GiB}", "listen.header_bytes_max: must be from 1.0 KiB to 1.0 MiB"},
      {"listen: {idle_timeout: 9999d}", "listen.idle_timeout: must be from 1ns to 1d"},
      {"event_log: {segment_bytes: 9999999TiB}", "1:28: event_log.segment_bytes: must be from 64.0 KiB to 4.0 GiB"},
      {"event_log: {disk_free_min: 9999999TiB}", "event_log.disk_free_min: must be from 0 B to 1024.0 TiB"},
      {"event_log: {retention: {bytes: 9999999TiB}}", "event_log.retention.bytes: must be from 1.0 MiB"},
      {"event_log: {retention: {age: 99999d}}", "event_log.retention.age: must be from 1ns to 36500d"},
      {"drain_timeout: 106751d", "drain_timeout: must be from 1ns to 1d"},
      {"plugins: {p: {library: x, timeout: 1000d}}", "plugins.p.timeout: must be from 1ms to 1d"},
      {"plugins: {p: {library: x, retry: [1s, 1000d]}}", "1:39: plugins.p.retry: a delay must be at most 31d"},
      {"endpoints: {e: {url: x, events: [\"*\"], timeout: 1h}}", "endpoints.e.timeout: must be from 1ms to 5m"},
      {source(", tolerance: 106751d"), "sources.a.tolerance: must be from 1ns to 365d"},
      {source(", duplicates: {window: 106751d}"), "duplicates.window: must be from 1ns to 365d"},
      {source(", duplicates: {by: \"header:\"}"), "duplicates.by: wants id, body, off, header:NAME"},
      {source(", body_bytes_max: 49MiB"), "sources.a.body_bytes_max: must be from 1 B to 48.0 MiB"},
      {source(", type: \"header:X Topic\""), "sources.a.type: wants header:NAME"},
      {source(", path: /in/\u00fc"), "sources.a.path: wants a path"},
      {"sources: {a: {scheme: hmac, header: \"X Sign\", secrets: [x]}}", "sources.a.header: is no name of a header"},
  };
  for (const auto& [text, expected] : all) EXPECT_NE(problems(text).find(expected), std::string::npos) << text << "\n" << problems(text);
  EXPECT_EQ(problems("{listen: {address: \"127.0.0.1:0\"}, admin: {address: \"127.0.0.1:0\"}}"), "") << "two free ones";
}

TEST(Config, SecretsAreNotInMessages) {
  const std::string text = problems("sources: {a: {scheme: kakiyo, secrets: [hunter2], unsigned: true}}");
  EXPECT_EQ(text.find("hunter2"), std::string::npos);
}

TEST(Config, TheDifferenceTellsWhatNeedsARestart) {
  const auto before = read("sources: {a: {unsigned: true}, b: {unsigned: true}}").value();
  const auto after = read("{listen: {threads: 3}, sources: {a: {unsigned: true, body_bytes_max: 2MiB}, c: {unsigned: true}}}").value();
  const Difference all = difference(before, after);
  EXPECT_EQ(all.changes, (std::vector<std::string>{"source a: changed body_bytes_max", "source b: removed", "source c: added"}));
  EXPECT_EQ(all.needs_restart, std::vector<std::string>{"listen"});
}

std::string plugin_config(const std::string& yaml) {
  const auto config = read("plugins: {p: {library: x, config: " + yaml + "}}");
  return config ? config.value().plugins.at("p").config_json : config.error().message;
}

TEST(PluginConfig, FollowsTheCoreSchema) {
  EXPECT_EQ(plugin_config("{a: 012, b: 0o17, c: off, d: !!str 5, e: '7', f: -3}"), R"({"a":12,"b":15,"c":"off","d":"5","e":"7","f":-3})");
  EXPECT_NE(plugin_config("{a: 1e999}").find("a double cannot hold"), std::string::npos);
  EXPECT_NE(plugin_config("{a: 99999999999999999999}").find("beyond 64 bits"), std::string::npos);
  EXPECT_NE(plugin_config("{a: !mine x}").find("has a tag"), std::string::npos);
  EXPECT_NE(plugin_config("{a: &x {b: 1}, c: {<<: *x}}").find("merge keys"), std::string::npos);
}

TEST(PluginConfig, HoldsVariables) {
  ::setenv("HH_TEST_URL", "http://x", 1);
  EXPECT_EQ(plugin_config(R"({url: "${HH_TEST_URL}/y"})"), R"({"url":"http://x/y"})");
  EXPECT_NE(plugin_config(R"({url: "${HH_TEST_NEVER_SET}"})").find("plugins.p.config.url: the environment variable HH_TEST_NEVER_SET"), std::string::npos);
  EXPECT_TRUE(read(R"(plugins: {p: {library: x, config: {url: "${HH_TEST_NEVER_SET}"}}})", {.all = false, .source = {}}));
}

TEST(PluginConfig, AliasesThatMultiplyEndAtABound) {
  std::string text = "{a0: &a0 [x, x, x, x, x, x, x, x, x, x]";
  for (int i = 1; i <= 9; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += ", a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int n = 1; n < 10; ++n) text += ", " + before;
    text += "]";
  }
  EXPECT_NE(plugin_config(text + "}").find("check its aliases"), std::string::npos);
}

TEST(Config, RefusesASecondDocumentAndMergeKeys) {
  EXPECT_NE(problems("data_dir: a\n---\ndata_dir: b\n").find("a second document"), std::string::npos);
  EXPECT_NE(problems("listen: {<<: {threads: 2}}").find("merge keys are not taken"), std::string::npos);
}

TEST(Config, ReadsSecretFilesAndWarnsWhenOthersMayReadThem) {
  const test::TempDir directory;
  std::ofstream(directory / "secret") << "s3cret\n";
  std::filesystem::permissions(directory / "secret", std::filesystem::perms(0644));
  const auto config = parse("sources: {a: {scheme: kakiyo, secrets: [{file: secret}]}}", directory / "hookhost.yaml", {});
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_EQ(config.value().sources.at("a").secrets[0].value.reveal(), "s3cret");
  ASSERT_EQ(config.value().warnings.size(), 1u);
  EXPECT_NE(config.value().warnings[0].find("chmod 600"), std::string::npos);
}

TEST(When, ReadsTheFiveForms) {
  EXPECT_EQ(parse_when("beginning").value().kind, When::Kind::beginning);
  EXPECT_EQ(parse_when("now").value().kind, When::Kind::now);
  EXPECT_EQ(parse_when("42").value().offset, Offset{42});
  EXPECT_EQ(parse_when("30d").value().age, 720h);
  EXPECT_EQ(parse_when("2026-01-01").value().kind, When::Kind::time);
  EXPECT_FALSE(parse_when("hold"));
  EXPECT_FALSE(parse_when("soon"));
}

// Whatever the bytes, the answer is a configuration or a message that names the file.
TEST(ConfigCorpus, EveryFileIsReadOrRefused) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(HOOKHOST_REPOSITORY) + "/tests/fuzz/config_corpus")) {
    std::ifstream file(entry.path());
    std::stringstream bytes;
    bytes << file.rdbuf();
    const std::string text = bytes.str();
    for (std::size_t length = 0; length <= text.size(); ++length) {
      const auto config = read(text.substr(0, length), {.all = false, .source = {}});
      if (!config) {
        EXPECT_NE(config.error().message.find("hookhost.yaml"), std::string::npos) << entry.path() << " cut at " << length;
      }
    }
    ++files;
  }
  EXPECT_GE(files, 5u);
}

}  // namespace
}  // namespace hookhost::config
