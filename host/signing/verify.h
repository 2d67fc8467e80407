// Checks a webhook's signature over its raw bytes, before anything parses them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "signing/scheme.h"

namespace hookhost::signing {

struct Verdict {
  bool ok = false;
  ErrorCode refusal = ErrorCode::invalid_signature;  // missing_signature, malformed_signature, invalid_signature, stale_timestamp
  std::size_t secret = 0;                            // which one matched, from 0; with ok
  std::string why;                                   // for the operator; never a secret, a digest or a body
};

// Every comparison takes constant time. A secret past its `until` does not count, but is tried for the explanation. Two headers of the
// signature's name are malformed: a proxy and hookhost might choose differently.
// Threads: from every thread. Does not block.
[[nodiscard]] Verdict verify(const SchemeOptions& options, std::span<const Secret> secrets, std::span<const HeaderView> headers,
                             std::string_view body, WallTime now);

// The verdict in several lines, for `hookhost verify`: what was looked at, what was expected, what to do.
[[nodiscard]] std::string explain(const SchemeOptions& options, std::span<const Secret> secrets, std::span<const HeaderView> headers,
                                  std::string_view body, WallTime now);

}  // namespace hookhost::signing
