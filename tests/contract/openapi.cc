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

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string without_braces(std::string path) {
  std::erase_if(path, [](char c) { return c == '{' || c == '}'; });
  return path;
}

const json::object& schema_of(const json::value& with_content) { return with_content.at("content").at("application/json").at("schema").as_object(); }

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

std::optional<json::value> OpenApi::answer(const std::string& method, const std::string& path, int status, bool or_range) const {
  const auto call = operation(method, path);
  if (!call) return std::nullopt;
  const json::object& responses = call->at("responses").as_object();
  const json::value* response = responses.if_contains(std::to_string(status));
  if (response == nullptr && or_range && status >= 500) response = responses.if_contains("5XX");
  return response == nullptr ? std::nullopt : std::optional(*response);
}

std::set<std::string> OpenApi::answers() const {
  std::set<std::string> out;
  for (const auto& path : paths()) {
    for (const auto& call : path.value().as_object()) {
      if (call.key() == "parameters") continue;
      const std::string what = upper(std::string(call.key())) + " " + std::string(path.key()) + " ";
      for (const auto& response : call.value().at("responses").as_object()) out.insert(what + std::string(response.key()));
    }
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> OpenApi::calls_with(const std::string& status) const {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& answer : answers()) {
    const auto first = answer.find(' '), last = answer.rfind(' ');
    if (answer.substr(last + 1) == status) out.emplace_back(answer.substr(0, first), answer.substr(first + 1, last - first - 1));
  }
  return out;
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
