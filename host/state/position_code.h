// Ascending offsets as bytes: the distances between them, seven bits a byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/types.h"

namespace hookhost::state {

[[nodiscard]] std::string encode_offsets(const std::vector<Offset>& ascending);
[[nodiscard]] std::optional<std::vector<Offset>> decode_offsets(std::string_view bytes);

}  // namespace hookhost::state
