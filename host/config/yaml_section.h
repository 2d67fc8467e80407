// One mapping of the YAML file, read key by key. What was read is known; what is left over at the end is an error with a suggestion.
#pragma once

#include <yaml-cpp/yaml.h>

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace hookhost::config {

// Collects every problem of one file.
struct Problems {
  std::string file;
  std::vector<std::string> lines;
  std::vector<std::string> warnings;
  std::set<std::string> known;  // every key that was asked for, with "*" for names

  void add(const YAML::Node& node, const std::string& path, const std::string& what);
  [[nodiscard]] std::string place(const YAML::Node& node) const;  // file:line:column
};

// "${NAME}" and "${NAME:-default}" anywhere in a scalar. Nothing when a variable is not set: a problem that names it.
[[nodiscard]] std::optional<std::string> expand_variables(const YAML::Node& node, const std::string& path, Problems& problems);

class Section {
 public:
  // `node` may be undefined: then every key is absent. `pattern`: the path with "*" for names.
  Section(YAML::Node node, std::string path, std::string pattern, Problems& problems);

  // Each reads one key into `out`, which keeps its default when the key is absent.
  void text(const char* key, std::string& out);
  void number(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  void bytes(const char* key, std::uint64_t& out, std::uint64_t least, std::uint64_t most);
  void duration(const char* key, Duration& out, Duration most, Duration least = Duration{1});
  // "host:port".
  void address(const char* key, std::string& out);
  void flag(const char* key, bool& out);
  void one_of(const char* key, std::string& out, const std::vector<std::string>& allowed);
  // Refused with "not yet available".
  void later(const char* key);

  [[nodiscard]] YAML::Node take(const char* key);  // undefined when absent
  [[nodiscard]] Section section(const char* key);
  // Every name of a mapping of mappings, checked to be a name.
  void each(const char* key, const std::function<void(const std::string& name, Section section)>& visit);

  void problem(const char* key, const std::string& what);  // "": of the section itself
  void problem(const YAML::Node& node, const char* key, const std::string& what);
  [[nodiscard]] std::string place() const { return problems_->place(node_); }
  [[nodiscard]] bool exists() const { return node_.IsDefined() && !node_.IsNull(); }
  [[nodiscard]] Problems& problems() const { return *problems_; }
  // Reports what nobody asked for.
  void finish();

 private:
  [[nodiscard]] std::optional<std::string> scalar(const char* key, YAML::Node& node);
  [[nodiscard]] std::string join(const std::string& path, const std::string& key) const { return path.empty() ? key : key.empty() ? path : path + "." + key; }

  YAML::Node node_;
  std::string path_;
  std::string pattern_;
  Problems* problems_;
  std::set<std::string> asked_;
};

}  // namespace hookhost::config
