// The one grammar of event patterns, wherever events are chosen:
//
//   pattern  := [ "@" source ] | [ provider ":" ] types
//   types    := "*" | prefix ".*" | exact type
//
// "*" and prefixes never match the host's own events (types that begin with "hookhost."); only patterns that begin with "hookhost." do.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost {

struct Pattern {
  enum class Kind : std::uint8_t { any, prefix, exact };

  std::string source;    // "@source" only: every type of that source; else empty
  std::string provider;  // empty: any
  Kind kind = Kind::any;
  std::string type;  // prefix: with its dot, "linkedin."; exact: the type; any: empty

  friend bool operator==(const Pattern&, const Pattern&) = default;

  [[nodiscard]] bool matches(std::string_view event_source, std::string_view event_provider, std::string_view event_type) const;
  [[nodiscard]] std::string text() const;  // reads back as the same pattern
};

// Whether some event could match both: what narrowing a plugin's own list needs.
[[nodiscard]] bool overlap(const Pattern& left, const Pattern& right);

// Error: usage, naming the pattern and what is wrong with it. `allow_source`: whether "@source" may stand here (YAML and commands, not plugins).
[[nodiscard]] Result<Pattern> parse_pattern(std::string_view text, bool allow_source);

inline constexpr std::string_view kOwnTypes = "hookhost.";

}  // namespace hookhost
