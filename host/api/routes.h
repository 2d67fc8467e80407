// The admin API's routes by subject. Private to the room.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <vector>

#include "api/admin_api.h"

namespace hookhost::api {

[[nodiscard]] Error no_such_route_error();
[[nodiscard]] inline auto no_such_route() { return fail(no_such_route_error()); }

using Path = std::vector<std::string>;
[[nodiscard]] Result<boost::json::value> subscriber_routes(HostControl& host, const AdminCall& call, const Path& path);
[[nodiscard]] Result<boost::json::value> delivery_routes(HostControl& host, const AdminCall& call, const Path& path);
[[nodiscard]] Result<boost::json::value> dead_letter_routes(HostControl& host, const AdminCall& call, const Path& path);
[[nodiscard]] Result<boost::json::value> replay_routes(HostControl& host, const AdminCall& call, const Path& path);

// {"done": true}, for calls that only change something.
[[nodiscard]] inline boost::json::value done() { return boost::json::object{{"done", true}}; }

}  // namespace hookhost::api
