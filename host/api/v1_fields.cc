#include "api/v1_fields.h"

#include <algorithm>
#include <cmath>

#include "base/units.h"

namespace hookhost::api {

namespace json = boost::json;

namespace {

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

std::string list_of(const std::vector<std::string_view>& names) {
  std::string out;
  for (const auto name : names) out += (out.empty() ? "" : ", ") + std::string(name);
  return out;
}

}  // namespace

const json::value* V1Fields::find(std::string_view name) {
  known_.emplace(name);
  return members_.if_contains(json::string_view(name.data(), name.size()));
}

void V1Fields::problem(std::string_view name, std::string_view what) {
  if (!problems_.empty()) problems_ += '\n';
  problems_ += prefix_;
  problems_ += name;
  problems_ += ": ";
  problems_ += what;
}

void V1Fields::require(std::string_view name) {
  known_.emplace(name);
  if (!has(name)) problem(name, "is required");
}

std::optional<std::string> V1Fields::checked(std::string_view name, const json::value& value, std::size_t bytes_min, std::size_t bytes_max) {
  const json::string* text = value.if_string();
  if (text == nullptr) {
    problem(name, "must be a text");
  } else if (text->size() < bytes_min) {
    problem(name, "must not be empty");
  } else if (text->size() > bytes_max) {
    problem(name, "must be at most " + std::to_string(bytes_max) + " bytes long");
  } else if (has_control({text->data(), text->size()})) {
    problem(name, "must not hold control characters");
  } else {
    return std::string(*text);
  }
  return std::nullopt;
}

std::optional<std::string> V1Fields::text(std::string_view name, std::size_t bytes_min, std::size_t bytes_max) {
  const json::value* value = find(name);
  return value == nullptr ? std::nullopt : checked(name, *value, bytes_min, bytes_max);
}

std::optional<bool> V1Fields::flag(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  problem(name, "must be true or false");
  return std::nullopt;
}

std::optional<double> V1Fields::number(std::string_view name, double least, double most) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  const double number = value->is_number() ? value->to_number<double>() : NAN;
  if (number >= least && number <= most) return number;
  problem(name, "must be a number from " + json::serialize(json::value(least)) + " to " + json::serialize(json::value(most)));
  return std::nullopt;
}

std::optional<std::uint64_t> V1Fields::whole(std::string_view name, std::uint64_t least, std::uint64_t most) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = value->is_number() ? value->to_number<std::uint64_t>(error) : 0;
  if (value->is_number() && !error && number >= least && number <= most) return number;
  problem(name, "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  return std::nullopt;
}

std::optional<std::string> V1Fields::one_of(std::string_view name, const std::vector<std::string_view>& allowed) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (value->is_string() && std::find(allowed.begin(), allowed.end(), std::string_view(value->get_string().c_str(), value->get_string().size())) != allowed.end()) {
    return std::string(value->get_string());
  }
  problem(name, "must be one of " + list_of(allowed));
  return std::nullopt;
}

std::optional<std::vector<std::string>> V1Fields::texts(std::string_view name, std::size_t count_max, std::size_t bytes_max) {
  const json::value* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_array() || value->get_array().size() > count_max) {
    problem(name, "must be an array of at most " + std::to_string(count_max) + " texts");
    return std::nullopt;
  }
  std::vector<std::string> out;
  for (const json::value& one : value->get_array()) {
    auto text = checked(std::string(name) + "[" + std::to_string(out.size()) + "]", one, 1, bytes_max);
    if (!text) return std::nullopt;
    out.push_back(std::move(*text));
  }
  return out;
}

std::optional<std::map<std::string, std::string>> V1Fields::text_map(std::string_view name, std::size_t count_max, std::size_t bytes_max) {
  const json::object* members = object(name);
  if (members == nullptr) return std::nullopt;
  if (members->size() > count_max) {
    problem(name, "must have at most " + std::to_string(count_max) + " members");
    return std::nullopt;
  }
  std::map<std::string, std::string> out;
  for (const auto& member : *members) {
    const std::string key(member.key());
    // The name may be anything: it is checked before it stands in a message.
    if (key.empty() || key.size() > bytes_max || has_control(key)) {
      problem(name, "has a name that is no header's");
      return std::nullopt;
    }
    auto text = checked(std::string(name) + "." + key, member.value(), 0, bytes_max);
    if (!text) return std::nullopt;
    out.emplace(key, std::move(*text));
  }
  return out;
}

std::optional<Duration> V1Fields::duration(std::string_view name) {
  const auto written = text(name, 1, 32);
  if (!written) return std::nullopt;
  const auto parsed = parse_duration(*written);
  if (parsed) return parsed.value();
  problem(name, "must be a duration such as \"30s\", \"5m\" or \"24h\"");
  return std::nullopt;
}

const json::object* V1Fields::object(std::string_view name) {
  const json::value* value = find(name);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) problem(name, "must be an object");
  return value->if_object();
}

Result<> V1Fields::finish() const {
  if (problems_.empty()) return success();
  return fail(ErrorCode::usage, problems_);
}

std::vector<std::string> V1Fields::unknown() const {
  std::vector<std::string> out;
  for (const auto& member : members_) {
    if (!known_.contains(std::string_view(member.key().data(), member.key().size()))) out.emplace_back(member.key());
  }
  return out;
}

}  // namespace hookhost::api
