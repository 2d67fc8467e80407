// How /v1 writes endpoints and attempts: Kakiyo's members first, ours after them. Private to the room.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "api/endpoint_control.h"

namespace hookhost::api {

// Never the secret, and of headers only the names.
[[nodiscard]] boost::json::object webhook_view(const EndpointInfo& endpoint);
[[nodiscard]] boost::json::object attempt_view(const state::AttemptRow& attempt);
// "2026-11-25T15:30:00.123Z".
[[nodiscard]] std::string v1_time(WallTime time);

}  // namespace hookhost::api
