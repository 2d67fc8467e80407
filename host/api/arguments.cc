#include "api/arguments.h"

#include <boost/json.hpp>
#include <charconv>

#include "api/v1_json.h"
#include "base/bytes.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

// Scalars as text: one form for bodies and queries.
Result<std::string> scalar_text(std::string_view name, const json::value& value) {
  switch (value.kind()) {
    case json::kind::string: return std::string(value.get_string());
    case json::kind::bool_: return std::string(value.get_bool() ? "true" : "false");
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: return json::serialize(value);
    default: return fail(ErrorCode::usage, "'" + std::string(name) + "' must be a text, a number or true or false");
  }
}

}  // namespace

std::optional<std::string> url_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out += ' ';
    } else if (text[i] == '%') {
      const auto byte = from_hex(text.substr(i + 1, 2));
      if (!byte || byte->size() != 1) return std::nullopt;
      out += *byte;
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string url_encode(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%' + to_hex(std::string_view(&c, 1));
    }
  }
  return out;
}

Result<Arguments> Arguments::from_json(std::string_view body) {
  Arguments out;
  if (trim(body).empty()) return out;
  HOOKHOST_TRY(const auto parsed, parse_object(body));
  for (const auto& member : parsed) {
    const std::string name(member.key());
    if (member.value().is_null()) continue;
    auto& values = out.values_[name];
    if (!member.value().is_array()) {
      HOOKHOST_TRY(auto text, scalar_text(name, member.value()));
      values.push_back(std::move(text));
      continue;
    }
    for (const json::value& element : member.value().get_array()) {
      HOOKHOST_TRY(auto text, scalar_text(name, element));
      values.push_back(std::move(text));
    }
  }
  return out;
}

Result<Arguments> Arguments::from_query(std::string_view query) {
  Arguments out;
  while (!query.empty()) {
    const auto ampersand = query.find('&');
    const std::string_view pair = query.substr(0, ampersand);
    query = ampersand == std::string_view::npos ? std::string_view{} : query.substr(ampersand + 1);
    const auto equals = pair.find('=');
    const auto name = url_decode(pair.substr(0, equals));
    const auto value = equals == std::string_view::npos ? std::optional<std::string>("true") : url_decode(pair.substr(equals + 1));
    if (!name || !value) return fail(ErrorCode::usage, "the query is not well-formed: percent signs are followed by two hexadecimal digits");
    if (!is_valid_utf8(*name) || !is_valid_utf8(*value)) return fail(ErrorCode::usage, "the query is no UTF-8: encode its names and values in UTF-8");
    out.values_[*name].push_back(*value);
  }
  return out;
}

Result<std::optional<std::string>> Arguments::text(std::string_view name) {
  read_.emplace(name);
  const auto found = values_.find(name);
  if (found == values_.end()) return std::optional<std::string>{};
  if (found->second.size() != 1) return fail(ErrorCode::usage, "'" + std::string(name) + "' must be given once");
  return std::optional<std::string>(found->second.front());
}

Result<std::optional<std::uint64_t>> Arguments::number(std::string_view name) {
  HOOKHOST_TRY(const auto value, text(name));
  if (!value) return std::optional<std::uint64_t>{};
  const auto parsed = parse_u64(*value);
  if (!parsed) return fail(ErrorCode::usage, "'" + std::string(name) + "' must be a whole number from 0");
  return std::optional<std::uint64_t>(*parsed);
}

Result<std::optional<double>> Arguments::decimal(std::string_view name) {
  HOOKHOST_TRY(const auto value, text(name));
  if (!value) return std::optional<double>{};
  double parsed = 0;
  const auto [end, error] = std::from_chars(value->data(), value->data() + value->size(), parsed);
  if (error != std::errc{} || end != value->data() + value->size() || !(parsed >= 0)) {
    return fail(ErrorCode::usage, "'" + std::string(name) + "' must be a number from 0");
  }
  return std::optional<double>(parsed);
}

Result<bool> Arguments::flag(std::string_view name) {
  HOOKHOST_TRY(const auto value, text(name));
  if (!value || *value == "false") return false;
  if (*value == "true") return true;
  return fail(ErrorCode::usage, "'" + std::string(name) + "' must be true or false");
}

Result<std::vector<std::string>> Arguments::texts(std::string_view name) {
  read_.emplace(name);
  const auto found = values_.find(name);
  return found == values_.end() ? std::vector<std::string>{} : found->second;
}

Result<std::string> Arguments::required(std::string_view name) {
  HOOKHOST_TRY(auto value, text(name));
  if (!value || value->empty()) return fail(ErrorCode::usage, "'" + std::string(name) + "' is missing");
  return std::move(*value);
}

Result<> Arguments::finish() const {
  for (const auto& [name, values] : values_) {
    if (!read_.contains(name)) return fail(ErrorCode::usage, "'" + name + "' is not known here");
  }
  return success();
}

}  // namespace hookhost::api
