#include "http/encode.h"

#include <array>
#include <charconv>
#include <ctime>

namespace hookhost::http {
namespace {

// RFC 9110 section 5.6.7. Made once a second and thread.
std::string_view http_date(WallTime now) {
  thread_local std::int64_t made_for = -1;
  thread_local std::array<char, 40> text{};
  thread_local std::size_t length = 0;
  const std::int64_t second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  if (second != made_for) {
    static constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto as_time = static_cast<std::time_t>(second);
    std::tm utc{};
    gmtime_r(&as_time, &utc);
    const int written = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                      kDays.at(static_cast<std::size_t>(utc.tm_wday)), utc.tm_mday,
                                      kMonths.at(static_cast<std::size_t>(utc.tm_mon)), utc.tm_year + 1900, utc.tm_hour,
                                      utc.tm_min, utc.tm_sec);
    length = written > 0 ? static_cast<std::size_t>(written) : 0;
    made_for = second;
  }
  return {text.data(), length};
}

void append_number(std::string& out, std::uint64_t value, int base = 10) {
  std::array<char, 24> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

bool has_no_body(int status) { return status < 200 || status == 204 || status == 304; }

void append_head(std::string& out, int status, std::string_view content_type, std::size_t body_bytes, const EncodeOptions& options) {
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::uint64_t>(status));
  out += ' ';
  out += status_text(status);
  out += "\r\nDate: ";
  out += http_date(options.now);
  if (!content_type.empty()) {
    out += "\r\nContent-Type: ";
    out += content_type;
  }
  if (options.streamed) {
    if (options.version >= 11) out += "\r\nTransfer-Encoding: chunked";
  } else if (!has_no_body(status)) {
    out += "\r\nContent-Length: ";
    append_number(out, body_bytes);
  }
  if (options.close) {
    out += "\r\nConnection: close";
  } else if (options.version < 11) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n";
}

// A line break in a value would begin another header: such characters become spaces.
void append_clean(std::string& out, std::string_view text) {
  for (const char c : text) out += (c == '\r' || c == '\n' || c == '\0') ? ' ' : c;
}

}  // namespace

std::string encode(const Response& response, const EncodeOptions& options) {
  std::string out;
  out.reserve(256 + response.body.size());
  append_head(out, response.status, response.content_type, response.body.size(), options);
  for (const Header& header : response.headers) {
    append_clean(out, header.name);
    out += ": ";
    append_clean(out, header.value);
    out += "\r\n";
  }
  out += "\r\n";
  if (!options.head_only && !options.streamed && !has_no_body(response.status)) out += response.body;
  return out;
}

std::string encode_json(int status, std::string_view body, const EncodeOptions& options) {
  std::string out;
  out.reserve(256 + body.size());
  append_head(out, status, "application/json", body.size(), options);
  out += "\r\n";
  if (!options.head_only && !has_no_body(status)) out += body;
  return out;
}

std::string encode_chunk(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() + 20);
  append_number(out, bytes.size(), 16);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
  return out;
}

}  // namespace hookhost::http
