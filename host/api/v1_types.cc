#include "api/v1_types.h"

#include <algorithm>
#include <boost/json.hpp>

#include "api/example_events.h"

namespace hookhost::api {

namespace json = boost::json;

namespace {
constexpr std::string_view kProvider = "kakiyo";
}

V1Types::V1Types(const std::vector<std::string>& more) {
  for (const ExampleEvent& example : example_events()) {
    if (example.provider == kProvider) all_.emplace_back(example.type);
  }
  for (const std::string& type : more) {
    if (!contains(type)) all_.push_back(type);
  }
}

bool V1Types::contains(std::string_view type) const { return std::find(all_.begin(), all_.end(), type) != all_.end(); }

std::string title_of(std::string_view type) {
  std::string out;
  bool starts_word = true;
  for (const char c : type) {
    const bool separates = c == '.' || c == '_' || c == '-';
    out += separates ? ' ' : starts_word && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    starts_word = separates;
  }
  constexpr std::string_view kPlain = "Linkedin";
  if (out.starts_with(kPlain)) out.replace(0, kPlain.size(), "LinkedIn");
  return out;
}

json::object example_envelope(std::string_view type, std::string_view team) {
  const ExampleEvent* example = find_example(kProvider, type);
  json::object out;
  if (example != nullptr) {
    out = json::parse(json::string_view(example->body.data(), example->body.size())).as_object();
  } else {
    out = {{"event", json::string_view(type.data(), type.size())}, {"teamId", ""}, {"timestamp", "2023-06-15T10:30:00Z"}, {"data", json::object{}}};
  }
  out["teamId"] = json::string_view(team.data(), team.size());
  return out;
}

}  // namespace hookhost::api
