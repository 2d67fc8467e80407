// Attempts of one subscriber as bytes. A row of the database for each would cost more than everything else that a delivery leaves there.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/delivery_store.h"

namespace hookhost::state {

// Offsets and times as their distance from the row before; a text that is that row's too takes one byte. Errors and answers are cut to 1 KiB.
[[nodiscard]] std::string encode_attempts(std::span<const AttemptRow> rows);
// nullopt: encode_attempts() never wrote this.
[[nodiscard]] std::optional<std::vector<AttemptRow>> decode_attempts(std::string_view bytes);

}  // namespace hookhost::state
