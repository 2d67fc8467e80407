#include "config/sections.h"

#include <algorithm>

#include "base/bytes.h"
#include "config/yaml_json.h"
#include "os/file_system.h"

namespace hookhost::config {
namespace {

constexpr std::uint64_t kSecretFileBytesMax = 64_KiB;

void read_selector(Section& section, const char* key, std::string& out) {
  section.text(key, out);
  if (!out.empty() && !out.starts_with("header:") && !out.starts_with('/')) {
    section.problem(section.take(key), key, "wants header:NAME or a JSON pointer that begins with /");
  }
}

void read_duplicates(Section section, Duplicates& out) {
  section.text("by", out.by);
  const std::string& by = out.by;
  if (!by.empty() && by != "id" && by != "body" && by != "off" && !by.starts_with("header:") && !by.starts_with('/')) {
    section.problem(section.take("by"), "by", "wants id, body, off, header:NAME or a JSON pointer");
  }
  Duration window{};
  section.duration("window", window);
  if (window > Duration{0}) out.window = window;
  section.number("max", out.entries_max, 1, 100'000'000);
  section.finish();
}

void read_secrets(Section& section, Source& out, const Reading& reading) {
  const YAML::Node all = section.take("secrets");
  const std::string path = "sources." + out.name + ".secrets";
  if (!all.IsDefined() || all.IsNull()) return;
  if (!all.IsSequence() || all.size() == 0) return section.problem(all, "secrets", "wants a list of secrets");
  std::size_t index = 0;
  for (const YAML::Node& one : all) {
    const std::string here = path + "[" + std::to_string(index++) + "]";
    SecretWithEnd secret;
    if (one.IsMap() && one["value"]) {
      Section fields(one, here, "sources.*.secrets", reading.problems);
      secret.value = read_secret(fields.take("value"), here + ".value", reading.wants(out.name), reading);
      std::string until;
      fields.text("until", until);
      if (!until.empty()) {
        const auto time = parse_time(until);
        if (time) {
          secret.until = time.value();
        } else {
          fields.problem(fields.take("until"), "until", time.error().message);
        }
      }
      fields.finish();
    } else {
      secret.value = read_secret(one, here, reading.wants(out.name), reading);
    }
    out.secrets.push_back(std::move(secret));
  }
}

void read_patterns(Section& section, std::vector<Pattern>& out) {
  const YAML::Node all = section.take("events");
  if (!all.IsDefined() || all.IsNull()) return;
  if (!all.IsSequence() || all.size() == 0) return section.problem(all, "events", "wants a list of patterns");
  for (const YAML::Node& one : all) {
    auto pattern = one.IsScalar() ? parse_pattern(one.Scalar(), true) : Result<Pattern>(fail(ErrorCode::usage, "wants a text"));
    if (pattern) {
      out.push_back(std::move(pattern.value()));
    } else {
      section.problem(one, "events", pattern.error().message);
    }
  }
}

void read_retry(Section& section, std::vector<Duration>& out) {
  static const std::map<std::string, std::vector<Duration>> kNamed{
      {"kakiyo", {1s, 2s, 4s}},
      {"standard", {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}},
      {"days", {1s, 5s, 30s, 2min, 10min, 30min, 2h, 6h, 12h, 24h}}};
  out = kNamed.at("days");
  const YAML::Node node = section.take("retry");
  if (!node.IsDefined() || node.IsNull()) return;
  if (node.IsScalar()) {
    const auto named = kNamed.find(node.Scalar());
    if (named == kNamed.end()) return section.problem(node, "retry", "wants kakiyo, standard, days or a list of delays");
    out = named->second;
    return;
  }
  if (!node.IsSequence() || node.size() > 100) return section.problem(node, "retry", "wants a list of at most 100 delays");
  out.clear();
  for (const YAML::Node& one : node) {
    const auto delay = one.IsScalar() ? parse_duration(one.Scalar()) : Result<Duration>(fail(ErrorCode::usage, "wants a duration"));
    if (delay) {
      out.push_back(delay.value());
    } else {
      section.problem(one, "retry", delay.error().message);
    }
  }
}

}  // namespace

std::string Reading::path(const std::string& text) const { return text.empty() ? text : os::seen_from(directory, text); }

SecretText read_secret(const YAML::Node& node, const std::string& path, bool wanted, const Reading& reading) {
  if (node.IsMap()) {
    Section section(node, path, path, reading.problems);
    std::string file;
    section.text("file", file);
    section.finish();
    if (file.empty()) {
      reading.problems.add(node, path, "wants a text, ${NAME} or {file: PATH}");
      return {};
    }
    if (!wanted) return {};
    file = reading.path(file);
    auto text = os::read_file(os::local_file_system(), file, kSecretFileBytesMax);
    if (!text) {
      reading.problems.add(node, path, text.error().message);
      return {};
    }
    if (const auto facts = os::local_file_system().facts(file); facts && (facts.value().mode & 077) != 0) {
      reading.problems.warnings.push_back(reading.problems.place(node) + ": others may read the secret file; chmod 600 " + file);
    }
    while (text.value().ends_with('\n') || text.value().ends_with('\r')) text.value().pop_back();
    if (text.value().empty()) reading.problems.add(node, path, "the secret file is empty");
    return SecretText(std::move(text.value()));
  }
  if (!node.IsScalar()) {
    reading.problems.add(node, path, "wants a text, ${NAME} or {file: PATH}");
    return {};
  }
  if (!wanted) return {};
  auto text = expand_variables(node, path, reading.problems);
  if (text && text->empty()) reading.problems.add(node, path, "the secret is empty");
  return SecretText(text.value_or(""));
}

Source read_source(const std::string& name, Section section, const Reading& reading) {
  Source out;
  out.name = name;
  out.place = section.place();
  if (name == kPublishedSource) section.problem("", "the name is that of what teams publish through /v1; give this source another one");
  out.path = "/in/" + name;
  section.text("path", out.path);
  if (!out.path.starts_with('/') || out.path.find_first_of(" ?#%") != std::string::npos || out.path.starts_with("/v1/")) {
    section.problem(section.take("path"), "path", "wants a path that begins with /, without spaces, ?, # and %, outside /v1/");
  }
  section.one_of("scheme", out.scheme, {"kakiyo", "github", "standard-webhooks", "stripe", "hmac"});
  section.flag("unsigned", out.is_unsigned);
  if (out.scheme.empty() && !out.is_unsigned) section.problem("scheme", "is missing: kakiyo, github, standard-webhooks, stripe or hmac");
  out.provider = out.scheme == "hmac" || out.scheme.empty() ? name : out.scheme;
  section.text("provider", out.provider);
  std::string team;
  section.text("team", team);
  if (!team.empty()) out.team = team;
  read_secrets(section, out, reading);
  if (out.secrets.empty() && !out.is_unsigned) {
    section.problem("secrets", "is missing; a source without secrets must say unsigned: true");
  }
  if (!out.secrets.empty() && out.is_unsigned) section.problem("unsigned", "contradicts secrets; remove one of the two");
  section.duration("tolerance", out.tolerance);
  section.text("header", out.header);
  section.one_of("algorithm", out.algorithm, {"sha1", "sha256", "sha512"});
  section.one_of("encoding", out.encoding, {"hex", "base64"});
  section.text("prefix", out.prefix);
  if (out.scheme == "hmac" && !out.is_unsigned && out.header.empty()) section.problem("header", "is missing: the header that carries the signature");
  read_selector(section, "type", out.type);
  read_selector(section, "key", out.key);
  read_selector(section, "id", out.id);
  out.body_bytes_max = out.scheme == "github" ? 25_MiB : 1_MiB;
  section.bytes("body_bytes_max", out.body_bytes_max, 1);
  if (out.body_bytes_max > 48_MiB) section.problem(section.take("body_bytes_max"), "body_bytes_max", "must be at most 48 MiB");
  read_duplicates(section.section("duplicates"), out.duplicates);
  section.finish();
  return out;
}

Plugin read_plugin(const std::string& name, Section section, const Reading& reading) {
  Plugin out;
  out.name = name;
  out.place = section.place();
  section.text("library", out.library);
  if (out.library.empty()) section.problem("library", "is missing: the path of the plugin's .so");
  out.library = reading.path(out.library);
  section.flag("enabled", out.enabled);
  section.flag("required", out.required);
  section.text("sha256", out.sha256);
  if (const auto digest = from_hex(out.sha256); !digest || (digest->size() != 32 && !digest->empty())) {
    section.problem(section.take("sha256"), "sha256", "wants 64 hexadecimal digits");
  }
  out.sha256 = to_lower(out.sha256);
  std::string isolation = "none";
  section.text("isolation", isolation);
  if (isolation == "process") {
    section.problem(section.take("isolation"), "isolation", "process is not yet available in this version; use none");
  } else if (isolation != "none") {
    section.problem(section.take("isolation"), "isolation", "wants none");
  }
  std::string start_at = "now";
  section.text("start_at", start_at);
  if (const auto when = parse_when(start_at, true)) {
    out.start_at = when.value();
  } else {
    section.problem(section.take("start_at"), "start_at", when.error().message);
  }
  read_patterns(section, out.events);
  section.text("order_by", out.order_by);
  if (!out.order_by.empty() && out.order_by != "key" && out.order_by != "none" && out.order_by != "all" && !out.order_by.starts_with('/')) {
    section.problem(section.take("order_by"), "order_by", "wants key, none, all or a JSON pointer");
  }
  std::uint64_t concurrency = 0;
  section.number("concurrency", concurrency, 1, 1024);
  if (concurrency > 0) out.concurrency = concurrency;
  section.number("max_in_flight", out.max_in_flight, 1, 65'536);
  section.duration("timeout", out.timeout, 1ms);
  read_retry(section, out.retry);
  section.number("stop_after", out.stop_after, 0, 1'000'000);
  const YAML::Node config = section.take("config");
  if (config.IsDefined() && !config.IsNull()) {
    if (config.IsMap()) {
      out.config_json = yaml_to_json(config, "plugins." + name + ".config", reading.wants_plugin(name), reading.problems);
    } else {
      section.problem(config, "config", "wants a mapping");
    }
  }
  section.finish();
  return out;
}

}  // namespace hookhost::config
