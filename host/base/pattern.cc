#include "base/pattern.h"

#include <algorithm>

namespace hookhost {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
}

bool is_name(std::string_view text) { return !text.empty() && std::all_of(text.begin(), text.end(), is_name_character); }

bool types_overlap(const Pattern& left, const Pattern& right) {
  using Kind = Pattern::Kind;
  if (left.kind == Kind::everything || right.kind == Kind::everything) return true;
  const bool left_own = left.type.starts_with(kOwnTypes), right_own = right.type.starts_with(kOwnTypes);
  if (left_own != right_own) return false;
  if (left.kind == Kind::any || right.kind == Kind::any) return true;
  if (left.kind == Kind::exact && right.kind == Kind::exact) return left.type == right.type;
  if (left.kind == Kind::exact) return left.type.starts_with(right.type);
  if (right.kind == Kind::exact) return right.type.starts_with(left.type);
  return left.type.starts_with(right.type) || right.type.starts_with(left.type);
}

}  // namespace

bool Pattern::matches(std::string_view event_source, std::string_view event_provider, std::string_view event_type) const {
  if (!source.empty() && source != event_source) return false;
  if (!provider.empty() && provider != event_provider) return false;
  if (kind != Kind::everything && event_type.starts_with(kOwnTypes) && !type.starts_with(kOwnTypes)) return false;
  switch (kind) {
    case Kind::everything:
    case Kind::any: return true;
    case Kind::prefix: return event_type.starts_with(type);
    case Kind::exact: return event_type == type;
  }
  return false;
}

std::string Pattern::text() const {
  if (!source.empty()) return "@" + source;
  std::string out = provider.empty() ? "" : provider + ":";
  switch (kind) {
    case Kind::everything:
    case Kind::any: out += "*"; break;
    case Kind::prefix: out += type + "*"; break;
    case Kind::exact: out += type; break;
  }
  return out;
}

bool overlap(const Pattern& left, const Pattern& right) {
  if (!left.source.empty() && !right.source.empty() && left.source != right.source) return false;
  if (!left.provider.empty() && !right.provider.empty() && left.provider != right.provider) return false;
  return types_overlap(left, right);
}

Result<Pattern> parse_pattern(std::string_view text, bool allow_source) {
  const std::string whole(text);
  const auto wrong = [&](std::string_view why) {
    return fail(ErrorCode::usage, "pattern '" + whole + "': " + std::string(why) + "; write *, prefix.*, an exact type, or provider: before one of these");
  };
  Pattern out;
  if (text.starts_with('@')) {
    if (!allow_source) return wrong("@source cannot stand here");
    if (!is_name(text.substr(1))) return wrong("@ wants the name of a source");
    return Pattern::of_source(text.substr(1));
  }
  if (const auto colon = text.find(':'); colon != std::string_view::npos) {
    if (!is_name(text.substr(0, colon))) return wrong("the provider before ':' is not a name");
    out.provider = text.substr(0, colon);
    text.remove_prefix(colon + 1);
  }
  if (text == "*") return out;
  if (text.ends_with(".*")) {
    out.kind = Pattern::Kind::prefix;
    text.remove_suffix(1);
    if (text.size() < 2) return wrong("the prefix is empty");
  } else {
    out.kind = Pattern::Kind::exact;
  }
  if (text.empty()) return wrong("it is empty");
  if (text.find('*') != std::string_view::npos) return wrong("* may stand only alone or after the last dot");
  if (text.find_first_of(" \t\r\n") != std::string_view::npos) return wrong("it contains a space");
  out.type = text;
  return out;
}

}  // namespace hookhost
