#include "api/v1_json.h"

#include <boost/json.hpp>
#include <optional>
#include <set>
#include <string>

namespace hookhost::api {
namespace {

namespace json = boost::json;

constexpr std::string_view kSpace = " \t\r\n";

std::size_t skip_space(std::string_view text, std::size_t at) { return std::min(text.find_first_not_of(kSpace, at), text.size()); }

// `at`: the opening quote. Behind the closing one.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
  return at + 1;
}

// Behind the value that begins at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  if (text[at] == '"') return end_of_string(text, at);
  if (text[at] != '{' && text[at] != '[') return std::min(text.find_first_of(" \t\r\n,]}", at), text.size());
  std::size_t depth = 0;
  for (;;) {
    if (text[at] == '"') {
      at = end_of_string(text, at);
      continue;
    }
    if (text[at] == '{' || text[at] == '[') ++depth;
    if ((text[at] == '}' || text[at] == ']') && --depth == 0) return at + 1;
    ++at;
  }
}

std::string name_of(std::string_view quoted) { return std::string(json::parse(json::string_view(quoted.data(), quoted.size())).as_string()); }

// Of well-formed JSON.
bool has_a_name_twice(std::string_view text) {
  std::vector<std::set<std::string>> open;  // one of each open array too: it stays empty
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (c == '{' || c == '[') open.emplace_back();
    if (c == '}' || c == ']') open.pop_back();
    if (c != '"') {
      ++at;
      continue;
    }
    const std::size_t end = end_of_string(text, at);
    const std::size_t next = skip_space(text, end);
    if (next < text.size() && text[next] == ':' && !open.back().insert(name_of(text.substr(at, end - at))).second) return true;
    at = end;
  }
  return false;
}

}  // namespace

Result<json::value> parse_strictly(std::string_view text) {
  json::parse_options options;
  options.max_depth = kV1JsonDepthMax;
  boost::system::error_code error;
  json::value out = json::parse(json::string_view(text.data(), text.size()), error, {}, options);
  if (error) {
    return fail(ErrorCode::usage, "body: is no well-formed JSON in UTF-8, or is nested more than " + std::to_string(kV1JsonDepthMax) + " deep");
  }
  if (has_a_name_twice(text)) return fail(ErrorCode::usage, "body: an object has the same name twice; send it once");
  return out;
}

Result<json::object> parse_object(std::string_view text) {
  HOOKHOST_TRY(auto value, parse_strictly(text));
  if (!value.is_object()) return fail(ErrorCode::usage, "body: must be a JSON object");
  return std::move(value.get_object());
}

std::string_view member_text(std::string_view object, std::string_view name) {
  std::size_t at = skip_space(object, object.find('{') + 1);
  while (object[at] != '}') {
    const std::size_t name_end = end_of_string(object, at);
    const std::size_t value = skip_space(object, object.find(':', name_end) + 1);
    const std::size_t value_end = end_of_value(object, value);
    if (name_of(object.substr(at, name_end - at)) == name) return object.substr(value, value_end - value);
    at = skip_space(object, value_end);
    if (object[at] == ',') at = skip_space(object, at + 1);
  }
  return {};
}

std::vector<std::string_view> element_texts(std::string_view array) {
  std::vector<std::string_view> out;
  std::size_t at = skip_space(array, array.find('[') + 1);
  while (array[at] != ']') {
    const std::size_t end = end_of_value(array, at);
    out.push_back(array.substr(at, end - at));
    at = skip_space(array, end);
    if (array[at] == ',') at = skip_space(array, at + 1);
  }
  return out;
}

}  // namespace hookhost::api
