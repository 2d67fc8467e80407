// The one grammar of event patterns, wherever events are chosen:
//
//   pattern  := [ "@" source ] | [ provider ":" ] types
//   types    := "*" | prefix ".*" | exact type
//
// "*" and prefixes never match types that begin with "hookhost.": the host's own events, and webhooks that it could give no type
// ("hookhost.unparsable"). Only patterns that begin with "hookhost." do, and "@source", which means everything that came from there.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost {

struct Pattern {
  enum class Kind : std::uint8_t { everything, any, prefix, exact };  // from wide to narrow

  std::string source;    // "@source" only; else empty
  std::string provider;  // empty: any
  Kind kind = Kind::any;
  std::string type;  // prefix: with its dot, "linkedin."; exact: the type; else empty

  friend bool operator==(const Pattern&, const Pattern&) = default;

  [[nodiscard]] static Pattern of_source(std::string_view source) { return {.source = std::string(source), .provider = {}, .kind = Kind::everything, .type = {}}; }
  [[nodiscard]] bool matches(std::string_view event_source, std::string_view event_provider, std::string_view event_type) const;
  [[nodiscard]] std::string text() const;  // reads back as the same pattern
};

// Whether some event could match both: what narrowing a plugin's own list needs.
[[nodiscard]] bool overlap(const Pattern& left, const Pattern& right);

// Error: usage, naming the pattern and what is wrong with it. `allow_source`: whether "@source" may stand here (YAML and commands, not plugins).
[[nodiscard]] Result<Pattern> parse_pattern(std::string_view text, bool allow_source);

inline constexpr std::string_view kOwnTypes = "hookhost.";

}  // namespace hookhost
