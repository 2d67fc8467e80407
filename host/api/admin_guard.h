// Who may speak to the admin listener. A web page that a browser of this machine shows must not be able to steer the host: the Host header
// must name this listener (which stops DNS rebinding), an Origin, when there is one, must be this listener too, and everything but the
// three probes needs the token.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost::api {

struct AdminRequest {
  std::string_view path;           // without the query
  std::string_view host;           // the Host header
  std::string_view origin;         // empty: none
  std::string_view authorization;  // empty: none
};

class AdminGuard {
 public:
  // `token`: what "Authorization: Bearer" must carry. `address`: the configured admin address, "127.0.0.1:8081".
  AdminGuard(std::string token, std::string_view address);

  // Errors: forbidden (Host or Origin), missing_api_key, invalid_api_key. Threads: from every thread.
  [[nodiscard]] Result<> check(const AdminRequest& request) const;

 private:
  [[nodiscard]] bool is_own_name(std::string_view host) const;

  std::string token_;
  std::string host_;  // the address without its port
};

// /healthz, /readyz and /metrics answer without a token.
[[nodiscard]] bool is_open_path(std::string_view path);

}  // namespace hookhost::api
