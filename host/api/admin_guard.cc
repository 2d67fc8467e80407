#include "api/admin_guard.h"

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/host_port.h"
#include "base/ip_address.h"
#include "signing/digest.h"

namespace hookhost::api {
namespace {

// A Host header may leave its port away. Empty: it is not one.
std::string name_in(std::string_view host) {
  const bool has_port = host.find(':') != std::string_view::npos && !host.ends_with(']');
  const auto parsed = parse_host_port(std::string(host) + (has_port ? "" : ":0"));
  return parsed ? parsed.value().host : std::string();
}

}  // namespace

AdminGuard::AdminGuard(std::string token, std::string_view address) : token_(std::move(token)), host_(name_in(address)) {}

// An address in digits cannot be rebound by a name server; of the names, only localhost and the configured one are ours.
bool AdminGuard::is_own_name(std::string_view host) const {
  const std::string name = name_in(host);
  return !name.empty() && (IpAddress::parse(name) || equals_ignoring_case(name, "localhost") || equals_ignoring_case(name, host_));
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
