// The admin API's routes by subject. Private to the room.
#pragma once

#include <boost/json.hpp>

#include <span>
#include <string>
#include <string_view>

#include "api/admin_api.h"
#include "api/path.h"

namespace hookhost::api {

enum class Takes : std::uint8_t { nothing, query, body };

struct Route {
  std::string_view method;
  std::string_view path;  // "*" stands for any one part
  Result<boost::json::value> (*answer)(HostControl& host, const AdminCall& call, const Path& path);
  Takes takes = Takes::nothing;  // whose members `answer` reads, all of them; what else is said is refused before
};

[[nodiscard]] std::span<const Route> subscriber_routes();
[[nodiscard]] std::span<const Route> delivery_routes();
[[nodiscard]] std::span<const Route> dead_letter_routes();
[[nodiscard]] std::span<const Route> replay_routes();
[[nodiscard]] std::span<const Route> endpoint_routes();

[[nodiscard]] Error no_such_route_error();

// {"done": true}, for calls that only change something.
[[nodiscard]] inline boost::json::value done() { return boost::json::object{{"done", true}}; }

}  // namespace hookhost::api
