// A call's method. Private to the room.
#pragma once

#include <string_view>
#include <vector>

#include "http/message.h"

namespace hookhost::api {

// HEAD is GET without the body, which http leaves out.
[[nodiscard]] std::string_view method_of(const http::RequestHead& head);
// 405, with Allow.
[[nodiscard]] http::Response method_not_allowed(const std::vector<std::string_view>& methods, const RequestId& id);

}  // namespace hookhost::api
