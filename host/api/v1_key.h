// The key in a request's head. Private to the room.
#pragma once

#include <string_view>

#include "base/result.h"
#include "http/message.h"

namespace hookhost::api {

struct V1Key {
  std::string_view key;
  std::string_view refusal;  // the error's code; empty: there is a key
  std::string_view message;
};

// missing_api_key, or invalid_api_key_format for anything but one "Authorization: Bearer" with one word of visible characters.
[[nodiscard]] V1Key read_v1_key(const http::RequestHead& head);

}  // namespace hookhost::api
