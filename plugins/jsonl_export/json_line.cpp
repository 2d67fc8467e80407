#include "json_line.h"

#include <chrono>
#include <cstdio>

#include <hookhost/plugin.hpp>

namespace jsonl_export {
namespace {

// The same escapes as Boost.JSON, so that the host's command and this file agree byte for byte.
void append_escaped(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  if (static_cast<unsigned char>(c) < 0x20) {
    char escaped[8];
    std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    out += escaped;
  } else {
    out += c;
  }
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = bytes.size() - i < 3 ? bytes.size() - i : 3;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    for (std::size_t j = 0; j < 4; ++j) out += j <= count ? kAlphabet[group >> (18 - 6 * j) & 63] : '=';
  }
}

// Texts of others may be no UTF-8, headers for one: then they are shown as the host's command shows them.
void append_string(std::string& out, std::string_view text) {
  out += '"';
  if (hookhost::is_utf8(text)) {
    for (const char c : text) append_escaped(out, c);
  } else {
    out += "base64:";
    append_base64(out, text);
  }
  out += '"';
}

}  // namespace

void JsonLine::name(std::string_view name) {
  if (!first_) out_ += ',';
  first_ = false;
  append_string(out_, name);
  out_ += ':';
}

void JsonLine::number(std::string_view member, std::uint64_t value) {
  name(member);
  out_ += std::to_string(value);
}

void JsonLine::text(std::string_view member, std::string_view value) {
  name(member);
  append_string(out_, value);
}

void JsonLine::text_or_null(std::string_view member, std::string_view value) {
  if (!value.empty()) return text(member, value);
  name(member);
  out_ += "null";
}

void JsonLine::boolean(std::string_view member, bool value) {
  name(member);
  out_ += value ? "true" : "false";
}

void JsonLine::begin_headers() {
  name("headers");
  out_ += '[';
}

void JsonLine::header(std::string_view header_name, std::string_view value) {
  if (out_.back() != '[') out_ += ',';
  out_ += '[';
  append_string(out_, header_name);
  out_ += ',';
  append_string(out_, value);
  out_ += ']';
}

void JsonLine::end_headers() { out_ += ']'; }

void JsonLine::body(std::string_view bytes) {
  if (hookhost::is_utf8(bytes)) return text("body", bytes);
  name("body_base64");
  out_ += '"';
  append_base64(out_, bytes);
  out_ += '"';
}

std::string rfc3339(std::int64_t unix_ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> time{nanoseconds{unix_ns}};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<nanoseconds> clock{time - day};
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return out;
}

}  // namespace jsonl_export
