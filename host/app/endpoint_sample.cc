#include "app/endpoint_sample.h"

#include <boost/json.hpp>

#include "api/v1_types.h"
#include "config/config.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

constexpr const char* kProvider = "kakiyo";

}  // namespace

Result<event_log::EventPtr> make_test_event(std::string_view type, const std::string& team, std::string_view data, EventId id, WallTime now) {
  json::object given;
  if (!data.empty()) {
    boost::system::error_code broken;
    const json::value parsed = json::parse(json::string_view(data.data(), data.size()), broken);
    if (broken || !parsed.is_object()) return fail(ErrorCode::usage, "data: must be a JSON object");
    given = parsed.get_object();
  }
  json::object body = api::example_envelope(type, team);
  body["timestamp"] = to_rfc3339(now);
  json::value& inside = body["data"];
  if (!inside.is_object()) inside.emplace_object();
  for (const auto& member : given) inside.get_object().insert_or_assign(member.key(), member.value());

  auto out = std::make_shared<event_log::Event>();
  out->id = std::move(id);
  out->source = config::kPublishedSource;
  out->provider = kProvider;
  out->type = type;
  out->team = team;
  out->received_at = now;
  out->content_type = "application/json";
  out->verified = true;
  out->body = json::serialize(body);
  return event_log::EventPtr(std::move(out));
}

}  // namespace hookhost::app
