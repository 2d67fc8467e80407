#include <array>

#include "api/example_events.h"
#include "api/v1_fields.h"
#include "api/v1_json.h"
#include "api/v1_routes.h"

namespace hookhost::api {
namespace {

namespace json = boost::json;

constexpr std::size_t kEventBytesMax = 200;

Result<V1Reply> list_events(const V1Call& call) {
  json::array out;
  for (const std::string& type : call.types.all()) out.push_back(json::object{{"id", type}, {"name", title_of(type)}});
  return V1Reply{200, std::move(out)};
}

Result<V1Reply> list_test_events(const V1Call& call) {
  json::array out;
  for (const std::string& type : call.types.all()) {
    const ExampleEvent* example = find_example("kakiyo", type);
    const std::string_view description = example == nullptr ? "A type of this host's configuration" : example->description;
    out.push_back(json::object{{"id", type},
                               {"name", title_of(type)},
                               {"description", json::string_view(description.data(), description.size())},
                               {"category", type.substr(0, type.find('.'))}});
  }
  return V1Reply{200, std::move(out)};
}

Result<V1Reply> example(const V1Call& call) {
  const std::string& type = call.path.at(4);
  if (!call.types.contains(type)) return invalid_event(type, call.types);
  return V1Reply{200, example_envelope(type, call.team)};
}

json::array targets_view(const std::vector<TestTarget>& targets) {
  json::array out;
  for (const TestTarget& one : targets) out.push_back(json::object{{"id", one.id}, {"name", one.name}, {"url", one.url}});
  return out;
}

Result<V1Reply> send_test(const V1Call& call) {
  HOOKHOST_TRY(auto members, parse_object(call.body));
  V1Fields fields(std::move(members));
  fields.require("event");
  const auto type = fields.text("event", 1, kEventBytesMax);
  const bool has_data = fields.object("data") != nullptr;
  HOOKHOST_CHECK(fields.finish());
  if (!call.types.contains(*type)) return invalid_event(*type, call.types);
  HOOKHOST_TRY(const auto targets, call.control.test(call.team, *type, has_data ? member_text(call.body, "data") : std::string_view{}));
  if (targets.empty()) return fail(ErrorCode::not_found, "No webhooks found for this event");
  return V1Reply{200, json::object{{"message", "Test webhook sent successfully"},
                                   {"event", *type},
                                   {"webhooksCount", targets.size()},
                                   {"webhooks", targets_view(targets)}}};
}

constexpr std::array kRoutes{
    V1Route{"GET", "/v1/webhooks/events", V1Rate::high, list_events},
    V1Route{"POST", "/v1/webhooks/test", V1Rate::low, send_test},
    V1Route{"GET", "/v1/webhooks/test/events", V1Rate::medium, list_test_events},
    V1Route{"GET", "/v1/webhooks/test/example/*", V1Rate::medium, example},
};

}  // namespace

std::span<const V1Route> v1_test_routes() { return kRoutes; }

}  // namespace hookhost::api
