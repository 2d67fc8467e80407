#include "api/admin_guard.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "signing/digest.h"

namespace hookhost::api {
namespace {

// "127.0.0.1:8081" -> "127.0.0.1", "[::1]:8081" -> "[::1]".
std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  const auto bracket = host.rfind(']');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && bracket > colon)) return host;
  return host.substr(0, colon);
}

bool is_ipv4_literal(std::string_view host) {
  return !host.empty() && std::all_of(host.begin(), host.end(), [](char c) { return (c >= '0' && c <= '9') || c == '.'; });
}

}  // namespace

AdminGuard::AdminGuard(std::string token, std::string_view address) : token_(std::move(token)), host_(without_port(address)) {}

// An address in digits cannot be rebound by a name server; of the names, only localhost and the configured one are ours.
bool AdminGuard::is_own_name(std::string_view host) const {
  const std::string_view name = without_port(host);
  return is_ipv4_literal(name) || (name.starts_with('[') && name.ends_with(']')) || equals_ignoring_case(name, "localhost") ||
         equals_ignoring_case(name, host_);
}

Result<> AdminGuard::check(const AdminRequest& request) const {
  if (!is_own_name(request.host)) {
    return fail(ErrorCode::forbidden, "the Host header does not name this listener; use its address or localhost");
  }
  if (!request.origin.empty()) {
    const auto scheme = request.origin.find("://");
    if (scheme == std::string_view::npos || request.origin.substr(scheme + 3) != request.host) {
      return fail(ErrorCode::forbidden, "requests of other origins are refused");
    }
  }
  if (is_open_path(request.path)) return success();
  if (request.authorization.empty()) {
    return fail(ErrorCode::missing_api_key, "send Authorization: Bearer with the token of data_dir/admin.token");
  }
  constexpr std::string_view kBearer = "bearer ";
  if (request.authorization.size() <= kBearer.size() || !equals_ignoring_case(request.authorization.substr(0, kBearer.size()), kBearer) ||
      !signing::constant_time_equal(trim(request.authorization.substr(kBearer.size())), token_)) {
    return fail(ErrorCode::invalid_api_key, "the token is not the one of data_dir/admin.token");
  }
  return success();
}

bool is_open_path(std::string_view path) {
  constexpr std::array<std::string_view, 3> kOpen{"/healthz", "/readyz", "/metrics"};
  return std::find(kOpen.begin(), kOpen.end(), path) != kOpen.end();
}

}  // namespace hookhost::api
