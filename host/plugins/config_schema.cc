#include "plugins/config_schema.h"

#include <boost/json.hpp>
#include <valijson/adapters/boost_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validation_results.hpp>
#include <valijson/validator.hpp>

namespace hookhost::plugins {

Result<> check_config(std::string_view instance, std::string_view schema, std::string_view config) {
  if (schema.empty()) return success();
  try {
    const auto schema_value = boost::json::parse(boost::json::string_view(schema.data(), schema.size()));
    const auto config_value = boost::json::parse(boost::json::string_view(config.data(), config.size()));
    valijson::Schema parsed;
    valijson::SchemaParser parser;
    parser.populateSchema(valijson::adapters::BoostJsonAdapter(schema_value), parsed);
    valijson::Validator validator;
    valijson::ValidationResults results;
    if (validator.validate(parsed, valijson::adapters::BoostJsonAdapter(config_value), &results)) return success();
    std::string message;
    valijson::ValidationResults::Error error;
    while (results.popError(error)) {
      std::string path = "plugins." + std::string(instance) + ".config";
      for (const std::string& part : error.context) {
        if (part == "<root>") continue;
        const bool bracketed = part.size() >= 2 && part.front() == '[' && part.back() == ']';
        path += "." + (bracketed ? part.substr(1, part.size() - 2) : part);
      }
      message += (message.empty() ? "" : "\n") + path + ": " + error.description;
    }
    return fail(ErrorCode::invalid_config, std::move(message));
  } catch (const std::exception&) {
    return fail(ErrorCode::invalid_config, "plugins." + std::string(instance) + ": the plugin's config_schema is no JSON Schema; tell its author");
  }
}

}  // namespace hookhost::plugins
