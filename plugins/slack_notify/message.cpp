#include "message.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <stdexcept>

namespace slack_notify {
namespace {

constexpr std::size_t kTextBytesMax = 4000;
constexpr std::string_view kCut = "...";
constexpr std::array<std::string_view, 8> kPlaces{"id", "type", "source", "provider", "team", "key", "offset", "received_at"};

std::string utc(hookhost::Time time) {
  const std::time_t seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char out[32];
  return {out, std::strftime(out, sizeof out, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

std::string value_of(const std::string& place, const hookhost::Event& event, const hookhost::Call& call) {
  if (place.front() == '/') {
    const auto value = call.json(place);
    if (const auto text = value.text()) return std::string(*text);
    if (const auto integer = value.integer()) return std::to_string(*integer);
    if (const auto number = value.number()) return std::to_string(*number);
    if (const auto boolean = value.boolean()) return *boolean ? "true" : "false";
    return {};
  }
  if (place == "id") return std::string(event.id());
  if (place == "type") return std::string(event.type());
  if (place == "source") return std::string(event.source());
  if (place == "provider") return std::string(event.provider());
  if (place == "team") return std::string(event.team());
  if (place == "key") return std::string(event.key());
  if (place == "offset") return std::to_string(event.offset());
  return utc(event.received_at());
}

void append_escaped(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
}

}  // namespace

Template::Template(std::string_view text) {
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    if (open != 0) parts_.push_back({false, std::string(text.substr(0, open))});
    if (open == std::string_view::npos) return;
    text.remove_prefix(open + 2);
    const std::size_t close = text.find("}}");
    if (close == std::string_view::npos) throw std::invalid_argument("a {{ has no }}");
    const std::string place(text.substr(0, close));
    if (!place.starts_with('/') && std::find(kPlaces.begin(), kPlaces.end(), place) == kPlaces.end()) {
      throw std::invalid_argument("{{" + place + "}} is unknown; use id, type, source, provider, team, key, offset, received_at or a JSON pointer such as /data/message");
    }
    parts_.push_back({true, place});
    text.remove_prefix(close + 2);
  }
}

std::string Template::fill(const hookhost::Event& event, const hookhost::Call& call) const {
  std::string out;
  for (const Part& part : parts_) {
    if (part.is_place) {
      append_escaped(out, value_of(part.text, event, call));
    } else {
      out += part.text;
    }
  }
  if (out.size() > kTextBytesMax) {
    std::size_t end = kTextBytesMax - kCut.size();
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0U) == 0x80U) --end;  // not within a character
    out.resize(end);
    out += kCut;
  }
  return out;
}

std::string to_json(std::string_view text) {
  std::string out = R"({"text":")";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      out.append(escaped, static_cast<std::size_t>(std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c))));
    } else {
      out += c;
    }
  }
  return out + "\"}";
}

}  // namespace slack_notify
