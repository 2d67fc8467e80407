// The source of what teams publish themselves. Private to the room.
#pragma once

#include "ingest/source.h"

namespace hookhost::ingest {

// Named config::kPublishedSource; known by team and Idempotency-Key for 24 h.
[[nodiscard]] Source published_source();

}  // namespace hookhost::ingest
