#include "config/sections.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/http_token.h"
#include "config/readers.h"
#include "config/yaml_json.h"
#include "os/file_system.h"

namespace hookhost::config {
namespace {

constexpr std::string_view kHeaderSelector = "header:";

bool names_header(std::string_view selector) { return selector.starts_with(kHeaderSelector) && is_http_token(selector.substr(kHeaderSelector.size())); }

void read_selector(Section& section, const char* key, std::string& out) {
  section.text(key, out);
  if (!out.empty() && !names_header(out) && !out.starts_with('/')) {
    section.problem(section.take(key), key, "wants header:NAME or a JSON pointer that begins with /");
  }
}

void read_duplicates(Section section, Duplicates& out) {
  section.text("by", out.by);
  const std::string& by = out.by;
  if (!by.empty() && by != "id" && by != "body" && by != "off" && !names_header(by) && !by.starts_with('/')) {
    section.problem(section.take("by"), "by", "wants id, body, off, header:NAME or a JSON pointer");
  }
  Duration window{};
  section.duration("window", window, kWindowMax);
  if (window > Duration{0}) out.window = window;
  section.number("max", out.entries_max, 1, 100'000'000);
  section.finish();
}

}  // namespace

std::string Reading::path(const std::string& text) const { return text.empty() ? text : os::seen_from(directory, text); }

Source read_source(const std::string& name, Section section, const Reading& reading) {
  Source out;
  out.name = name;
  out.place = section.place();
  if (name == kPublishedSource) section.problem("", "the name is that of what teams publish through /v1; give this source another one");
  out.path = "/in/" + name;
  section.text("path", out.path);
  const bool sendable = std::all_of(out.path.begin(), out.path.end(), [](char c) { return c > ' ' && c <= '~' && c != '?' && c != '#' && c != '%'; });
  if (!out.path.starts_with('/') || !sendable || out.path.starts_with("/v1/")) {
    section.problem(section.take("path"), "path", "wants a path that begins with /, in ASCII without spaces, ?, # and %, outside /v1/");
  }
  section.one_of("scheme", out.scheme, {"kakiyo", "github", "standard-webhooks", "stripe", "hmac"});
  section.flag("unsigned", out.is_unsigned);
  if (out.scheme.empty() && !out.is_unsigned) section.problem("scheme", "is missing: kakiyo, github, standard-webhooks, stripe or hmac");
  out.provider = out.scheme == "hmac" || out.scheme.empty() ? name : out.scheme;
  section.text("provider", out.provider);
  std::string team;
  section.text("team", team);
  if (!team.empty()) out.team = team;
  out.secrets = read_secrets(section, "sources." + name, "sources.*", reading.wants(name), reading);
  if (out.secrets.empty() && !out.is_unsigned) {
    section.problem("secrets", "is missing; a source without secrets must say unsigned: true");
  }
  if (!out.secrets.empty() && out.is_unsigned) section.problem("unsigned", "contradicts secrets; remove one of the two");
  section.duration("tolerance", out.tolerance, kWindowMax);
  section.text("header", out.header);
  if (!out.header.empty() && !is_http_token(out.header)) section.problem(section.take("header"), "header", "is no name of a header");
  section.one_of("algorithm", out.algorithm, {"sha1", "sha256", "sha512"});
  section.one_of("encoding", out.encoding, {"hex", "base64"});
  section.text("prefix", out.prefix);
  if (out.scheme == "hmac" && !out.is_unsigned && out.header.empty()) section.problem("header", "is missing: the header that carries the signature");
  read_selector(section, "type", out.type);
  read_selector(section, "key", out.key);
  read_selector(section, "id", out.id);
  out.body_bytes_max = out.scheme == "github" ? 25_MiB : 1_MiB;
  section.bytes("body_bytes_max", out.body_bytes_max, 1, 48_MiB);
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
  read_start_at(section, out.start_at);
  read_patterns(section, out.events);
  read_order_by(section, out.order_by);
  std::uint64_t concurrency = 0;
  section.number("concurrency", concurrency, 1, 1024);
  if (concurrency > 0) out.concurrency = concurrency;
  section.number("max_in_flight", out.max_in_flight, 1, 65'536);
  section.duration("timeout", out.timeout, kTimeoutMax, 1ms);
  out.retry = read_retry(section).value_or(schedule_days());
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
