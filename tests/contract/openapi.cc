#include "contract/openapi.h"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

#include "support/v1_client.h"

namespace hookhost::test {

namespace json = boost::json;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

json::value OpenApi::resolved(const json::value& value) const {
  if (value.is_array()) {
    json::array out;
    for (const auto& one : value.get_array()) out.push_back(resolved(one));
    return out;
  }
  if (!value.is_object()) return value;
  json::object out;
  if (const json::value* ref = value.get_object().if_contains("$ref")) {
    out = resolved(root_.at_pointer(std::string_view(ref->as_string()).substr(1))).as_object();
  }
  for (const auto& member : value.get_object()) {
    if (member.key() != "$ref") out[member.key()] = resolved(member.value());
  }
  return out;
}

std::optional<json::object> OpenApi::operation(const std::string& method, const std::string& path) const {
  const json::value* at = paths().if_contains(path);
  if (at == nullptr || !at->as_object().contains(lower(method))) return std::nullopt;
  json::object out = resolved(at->at(lower(method))).as_object();
  json::array parameters;
  for (const json::value* list : {at->as_object().if_contains("parameters"), at->at(lower(method)).as_object().if_contains("parameters")}) {
    if (list == nullptr) continue;
    for (const auto& one : list->as_array()) parameters.push_back(resolved(one));
  }
  out["parameters"] = std::move(parameters);
  return out;
}

std::optional<json::value> OpenApi::answer_schema(const std::string& method, const std::string& path, int status, bool or_range) const {
  const auto call = operation(method, path);
  if (!call) return std::nullopt;
  const json::object& responses = call->at("responses").as_object();
  const json::value* response = responses.if_contains(std::to_string(status));
  if (response == nullptr && or_range && status >= 500) response = responses.if_contains("5XX");
  if (response == nullptr) return std::nullopt;
  return response->at("content").at("application/json").at("schema");
}

OpenApi kakiyos() {
  std::ifstream file(KAKIYO_OPENAPI);
  std::stringstream text;
  text << file.rdbuf();
  return OpenApi(text.str());
}

OpenApi ours() {
  const V1Host host;
  return OpenApi(host.call("GET", "/v1/openapi.json", "", "").raw.body);
}

std::string violations(const json::value& schema, const json::value& value) {
  valijson::Schema parsed;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema), parsed);
  valijson::Validator validator;
  valijson::ValidationResults results;
  if (validator.validate(parsed, valijson::adapters::BoostJsonAdapter(value), &results)) return {};
  std::string out;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    for (const std::string& part : error.context) out += part;
    out += ": " + error.description + "\n";
  }
  return out;
}

std::string undocumented(const json::value& schema, const json::value& value) {
  if (const json::value* forms = schema.as_object().if_contains("anyOf")) {
    for (const auto& form : forms->as_array()) {
      if (violations(form, value).empty()) return undocumented(form, value);
    }
    return "none of the forms\n";
  }
  std::string out;
  if (value.is_array() && schema.as_object().contains("items")) {
    for (const auto& one : value.get_array()) out += undocumented(schema.at("items"), one);
  }
  if (!value.is_object() || schema.as_object().contains("additionalProperties")) return out;
  const json::value* properties = schema.as_object().if_contains("properties");
  for (const auto& member : value.get_object()) {
    const json::value* known = properties == nullptr ? nullptr : properties->as_object().if_contains(member.key());
    out += known == nullptr ? std::string(member.key()) + "\n" : undocumented(*known, member.value());
  }
  return out;
}

}  // namespace hookhost::test
