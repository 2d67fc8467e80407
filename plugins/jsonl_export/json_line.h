// Writes one event as one line of JSON, member for member what `hookhost events list --json` prints.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace jsonl_export {

// Appends members to one JSON object; the caller ends the line.
class JsonLine {
 public:
  explicit JsonLine(std::string& out) : out_(out) { out_ += '{'; }

  void number(std::string_view name, std::uint64_t value);
  void text(std::string_view name, std::string_view value);          // what is no UTF-8: "base64:..."
  void text_or_null(std::string_view name, std::string_view value);  // empty: null
  void boolean(std::string_view name, bool value);
  void begin_headers();  // "headers":[[name,value],...]
  void header(std::string_view name, std::string_view value);
  void end_headers();
  // "body" when the bytes are valid UTF-8, else "body_base64".
  void body(std::string_view bytes);
  void end() { out_ += "}\n"; }

 private:
  void name(std::string_view name);

  std::string& out_;
  bool first_ = true;
};

// "2026-11-23T09:30:00.000000000Z": RFC 3339, UTC, nine decimals.
[[nodiscard]] std::string rfc3339(std::int64_t unix_ns);

}  // namespace jsonl_export
