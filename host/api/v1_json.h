// JSON of clients, of /v1 and of the admin API, read strictly: what two readers could understand differently is refused. Private to the room.
#pragma once

#include <boost/json/value.hpp>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace hookhost::api {

inline constexpr std::size_t kV1JsonDepthMax = 32;

// UTF-8, no name twice in an object, at most kV1JsonDepthMax deep. Error: usage, "body: ...". The client's text is not in it.
[[nodiscard]] Result<boost::json::value> parse_strictly(std::string_view text);

// The same and an object.
[[nodiscard]] Result<boost::json::object> parse_object(std::string_view text);

// Of well-formed JSON: the exact bytes of an object's member (empty: there is none), and of an array's elements. What is stored of a batch is
// what its client wrote, not what this host would have written.
[[nodiscard]] std::string_view member_text(std::string_view object, std::string_view name);
[[nodiscard]] std::vector<std::string_view> element_texts(std::string_view array);

}  // namespace hookhost::api
