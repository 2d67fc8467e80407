#include "config/readers.h"

#include "os/file_system.h"

namespace hookhost::config {
namespace {

constexpr std::uint64_t kSecretFileBytesMax = 64_KiB;

// A duration as text, or a problem at its place.
std::optional<Duration> delay_in(const YAML::Node& node, Section& section) {
  const auto delay = node.IsScalar() ? parse_duration(node.Scalar()) : Result<Duration>(fail(ErrorCode::usage, "wants a duration"));
  if (delay && delay.value() <= kDelayMax) return delay.value();
  section.problem(node, "retry", delay ? "a delay must be at most " + format_duration(kDelayMax) : delay.error().message);
  return std::nullopt;
}

void read_until(Section& fields, std::optional<WallTime>& out) {
  std::string until;
  fields.text("until", until);
  if (until.empty()) return;
  const auto time = parse_time(until);
  if (time) {
    out = time.value();
  } else {
    fields.problem(fields.take("until"), "until", time.error().message);
  }
}

}  // namespace

const std::vector<Duration>& schedule_days() {
  static const std::vector<Duration> kDays{1s, 5s, 30s, 2min, 10min, 30min, 2h, 6h, 12h, 24h};
  return kDays;
}

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

std::vector<SecretWithEnd> read_secrets(Section& section, const std::string& path, const std::string& pattern, bool wanted, const Reading& reading) {
  std::vector<SecretWithEnd> out;
  const YAML::Node all = section.take("secrets");
  if (!all.IsDefined() || all.IsNull()) return out;
  if (!all.IsSequence() || all.size() == 0) {
    section.problem(all, "secrets", "wants a list of secrets");
    return out;
  }
  std::size_t index = 0;
  for (const YAML::Node& one : all) {
    const std::string here = path + ".secrets[" + std::to_string(index++) + "]";
    SecretWithEnd& secret = out.emplace_back();
    if (one.IsMap() && one["value"]) {
      Section fields(one, here, pattern + ".secrets", reading.problems);
      secret.value = read_secret(fields.take("value"), here + ".value", wanted, reading);
      read_until(fields, secret.until);
      fields.finish();
    } else {
      secret.value = read_secret(one, here, wanted, reading);
    }
  }
  return out;
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

std::optional<std::vector<Duration>> read_retry(Section& section) {
  static const std::map<std::string, std::vector<Duration>> kNamed{
      {"kakiyo", {1s, 2s, 4s}}, {"standard", {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}}, {"days", schedule_days()}};
  const YAML::Node node = section.take("retry");
  if (!node.IsDefined() || node.IsNull()) return std::nullopt;
  if (node.IsScalar()) {
    if (const auto named = kNamed.find(node.Scalar()); named != kNamed.end()) return named->second;
    section.problem(node, "retry", "wants kakiyo, standard, days or a list of delays");
    return std::nullopt;
  }
  if (!node.IsSequence() || node.size() > 100) {
    section.problem(node, "retry", "wants a list of at most 100 delays");
    return std::nullopt;
  }
  std::vector<Duration> out;
  for (const YAML::Node& one : node) {
    if (const auto delay = delay_in(one, section)) out.push_back(*delay);
  }
  return out;
}

void read_start_at(Section& section, When& out) {
  std::string start_at = "now";
  section.text("start_at", start_at);
  if (const auto when = parse_when(start_at, true)) {
    out = when.value();
  } else {
    section.problem(section.take("start_at"), "start_at", when.error().message);
  }
}

void read_order_by(Section& section, std::string& out) {
  section.text("order_by", out);
  if (!out.empty() && out != "key" && out != "none" && out != "all" && !out.starts_with('/')) {
    section.problem(section.take("order_by"), "order_by", "wants key, none, all or a JSON pointer");
  }
}

}  // namespace hookhost::config
