// A batch as bytes: what a checkpoint covers, written before the checkpoint is asked for. When the subscriber answers a later start with that
// checkpoint's token, the batch is applied as if its commit had happened.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "state/delivery_store.h"

namespace hookhost::delivery {

[[nodiscard]] std::string encode_batch(const state::Batch& batch);
// Error: corrupt, for bytes that encode_batch did not make.
[[nodiscard]] Result<state::Batch> decode_batch(std::string_view bytes);

}  // namespace hookhost::delivery
