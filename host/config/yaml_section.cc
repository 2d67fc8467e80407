#include "config/yaml_section.h"

#include <algorithm>
#include <cstdlib>
#include <numeric>

#include "base/bytes.h"
#include "base/host_port.h"
#include "base/units.h"

namespace hookhost::config {
namespace {

// Levenshtein's distance, for suggestions.
std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

std::string suggestion(const std::string& key, const std::set<std::string>& known) {
  const auto best = std::min_element(known.begin(), known.end(),
                                     [&](const auto& a, const auto& b) { return edit_distance(key, a) < edit_distance(key, b); });
  if (best == known.end() || edit_distance(key, *best) > std::max<std::size_t>(2, key.size() / 3)) return "";
  return "; did you mean '" + *best + "'?";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

}  // namespace

std::string Problems::place(const YAML::Node& node) const {
  const YAML::Mark mark = node.Mark();
  return file + (mark.is_null() ? "" : ":" + std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1));
}

void Problems::add(const YAML::Node& node, const std::string& path, const std::string& what) {
  lines.push_back((node.IsDefined() ? place(node) : file) + ": " + path + ": " + what);
}

std::optional<std::string> expand_variables(const YAML::Node& node, const std::string& path, Problems& problems) {
  std::string out;
  std::string_view rest = node.Scalar();
  for (;;) {
    const auto begin = rest.find("${");
    out += rest.substr(0, begin);
    if (begin == std::string_view::npos) return out;
    rest.remove_prefix(begin + 2);
    const auto end = rest.find('}');
    if (end == std::string_view::npos) {
      problems.add(node, path, "has a ${ without its }");
      return std::nullopt;
    }
    std::string_view name = rest.substr(0, end);
    std::optional<std::string> fallback;
    if (const auto dash = name.find(":-"); dash != std::string_view::npos) {
      fallback = name.substr(dash + 2);
      name = name.substr(0, dash);
    }
    rest.remove_prefix(end + 1);
    const char* value = std::getenv(std::string(name).c_str());
    if (value != nullptr && *value != '\0') {
      out += value;
    } else if (fallback) {
      out += *fallback;
    } else {
      problems.add(node, path, "the environment variable " + std::string(name) + " is not set; set it (a running host has what was set at its start), or write ${" + std::string(name) + ":-default}");
      return std::nullopt;
    }
  }
}

Section::Section(YAML::Node node, std::string path, std::string pattern, Problems& problems)
    : node_(std::move(node)), path_(std::move(path)), pattern_(std::move(pattern)), problems_(&problems) {
  if (exists() && !node_.IsMap()) {
    problems_->add(node_, path_, "wants a mapping (key: value)");
    node_ = YAML::Node(YAML::NodeType::Undefined);
  }
  if (!exists()) return;
  std::set<std::string> seen;
  for (const auto& pair : node_) {
    const std::string key = pair.first.Scalar();
    if (!seen.insert(key).second) problems_->add(pair.first, join(path_, key), "is there twice; keep one");
  }
}

YAML::Node Section::take(const char* key) {
  asked_.insert(key);
  problems_->known.insert(join(pattern_, key));
  if (!exists()) return YAML::Node(YAML::NodeType::Undefined);
  for (const auto& pair : node_) {
    if (pair.first.Scalar() == key) return pair.second;
  }
  return YAML::Node(YAML::NodeType::Undefined);
}

std::optional<std::string> Section::scalar(const char* key, YAML::Node& node) {
  node = take(key);
  if (!node.IsDefined() || node.IsNull()) return std::nullopt;
  if (node.IsScalar()) return node.Scalar();
  problem(node, key, "wants a single value");
  return std::nullopt;
}

void Section::text(const char* key, std::string& out) {
  YAML::Node node;
  if (auto value = scalar(key, node)) out = *value;
}

void Section::number(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  YAML::Node node;
  const auto value = scalar(key, node);
  if (!value) return;
  const auto parsed = parse_u64(*value);
  if (!parsed || *parsed < least || *parsed > most) {
    return problem(node, key, "wants a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  out = *parsed;
}

void Section::bytes(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most) {
  YAML::Node node;
  const auto value = scalar(key, node);
  if (!value) return;
  const auto parsed = parse_bytes(*value);
  if (!parsed) return problem(node, key, parsed.error().message);
  if (parsed.value() < least || parsed.value() > most) return problem(node, key, "must be from " + format_bytes(least) + " to " + format_bytes(most));
  out = parsed.value();
}

void Section::duration(const char* key, Duration& out, Duration most, Duration least) {
  YAML::Node node;
  const auto value = scalar(key, node);
  if (!value) return;
  const auto parsed = parse_duration(*value);
  if (!parsed) return problem(node, key, parsed.error().message);
  if (parsed.value() < least || parsed.value() > most) return problem(node, key, "must be from " + format_duration(least) + " to " + format_duration(most));
  out = parsed.value();
}

void Section::address(const char* key, std::string& out) {
  YAML::Node node;
  const auto value = scalar(key, node);
  if (!value) return;
  if (const auto parsed = parse_host_port(*value); !parsed) return problem(node, key, parsed.error().message);
  out = *value;
}

void Section::flag(const char* key, bool& out) {
  YAML::Node node;
  const auto value = scalar(key, node);
  if (!value) return;
  if (*value != "true" && *value != "false") return problem(node, key, "wants true or false");
  out = *value == "true";
}

void Section::one_of(const char* key, std::string& out, const std::vector<std::string>& allowed) {
  YAML::Node node;
  const auto value = scalar(key, node);
  if (!value) return;
  if (std::find(allowed.begin(), allowed.end(), *value) == allowed.end()) {
    std::string list;
    for (const std::string& one : allowed) list += (list.empty() ? "" : ", ") + one;
    return problem(node, key, "wants one of " + list);
  }
  out = *value;
}

void Section::later(const char* key) {
  const YAML::Node node = take(key);
  problems_->known.erase(join(pattern_, key));
  if (node.IsDefined()) problem(node, key, "is not yet available in this version; remove it");
}

Section Section::section(const char* key) { return {take(key), join(path_, key), join(pattern_, key), *problems_}; }

void Section::each(const char* key, const std::function<void(const std::string&, Section)>& visit) {
  const YAML::Node all = take(key);
  if (!all.IsDefined() || all.IsNull()) return;
  if (!all.IsMap()) return problem(all, key, "wants a mapping of names");
  std::set<std::string> seen;
  for (const auto& pair : all) {
    const std::string name = pair.first.Scalar();
    const std::string path = join(path_, key) + "." + name;
    if (!is_name(name)) problems_->add(pair.first, path, "is no name; use letters, digits, '_', '-' and '.', at most 64, and begin with a letter, digit or '_'");
    if (!seen.insert(name).second) problems_->add(pair.first, path, "is there twice; keep one");
    YAML::Node value = pair.second;
    if (!value.IsMap()) {
      problems_->add(pair.first, path, "wants a mapping (key: value)");
      continue;
    }
    visit(name, Section(value, path, join(pattern_, key) + ".*", *problems_));
  }
}

void Section::problem(const char* key, const std::string& what) { problems_->add(node_, join(path_, key), what); }
void Section::problem(const YAML::Node& node, const char* key, const std::string& what) { problems_->add(node, join(path_, key), what); }

void Section::finish() {
  if (!exists()) return;
  for (const auto& pair : node_) {
    const std::string key = pair.first.Scalar();
    if (key == "<<") {
      problems_->add(pair.first, join(path_, key), "merge keys are not taken; write the keys out, or use an alias for a whole value");
    } else if (!asked_.contains(key)) {
      problems_->add(pair.first, join(path_, key), "is not a known key" + suggestion(key, asked_));
    }
  }
}

}  // namespace hookhost::config
