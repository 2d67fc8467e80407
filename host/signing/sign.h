// Signs a body the way a provider does: for `hookhost send`, and for deliveries to endpoints.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "signing/scheme.h"

namespace hookhost::signing {

// The value that stands for the body in a signature's header. `id` and `now` are used by standard-webhooks, `now` by stripe. Error: as sign().
[[nodiscard]] Result<std::string> signature(const SchemeOptions& options, std::string_view secret, std::string_view id, WallTime now, std::string_view body);

// The headers to send. `id` is used by standard-webhooks only. Error: usage, for a secret that cannot be a key.
[[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> sign(const SchemeOptions& options, std::string_view secret,
                                                                            std::string_view id, WallTime now, std::string_view body);

}  // namespace hookhost::signing
