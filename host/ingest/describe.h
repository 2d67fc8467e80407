// What a verified body and its headers say about the event: type, team, key, and the provider's own id.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "signing/scheme.h"

namespace hookhost::ingest {

struct Description {
  std::string type;  // "hookhost.unparsable" when neither body nor headers say one
  std::string team;  // what the payload says; empty: nothing
  std::string key;
  std::string id;    // the provider's; empty: none
};

inline constexpr std::string_view kUnparsable = "hookhost.unparsable";

// Never fails for a body: what is no JSON is kept as hookhost.unparsable, unless the source takes its type from a header, and so is a type that
// would pose as one of the host's own.
// Error: invalid_request, for two headers that should be one.
[[nodiscard]] Result<Description> describe(const config::Source& source, std::span<const signing::HeaderView> headers, std::string_view body);

// The first header of that name; error invalid_request when there are two; empty when there is none.
[[nodiscard]] Result<std::string_view> single_header(std::span<const signing::HeaderView> headers, std::string_view name);

}  // namespace hookhost::ingest
