#include "base/host_port.h"

#include "base/bytes.h"
#include "base/ip_address.h"

namespace hookhost {
namespace {

constexpr std::uint64_t kPortMax = 65'535;

bool is_v6(std::string_view host) {
  const auto address = IpAddress::parse(host);
  return address && address->v6;
}

// "::" takes IPv4 too.
bool takes(std::string_view wide, std::string_view narrow) {
  return wide.empty() || wide == "::" || (wide == "0.0.0.0" && !is_v6(narrow));
}

std::string_view numeric(const std::string& host) { return equals_ignoring_case(host, "localhost") ? "127.0.0.1" : std::string_view(host); }

}  // namespace

Result<HostPort> parse_host_port(std::string_view text) {
  const auto wrong = [&] {
    return fail(ErrorCode::usage, "'" + std::string(text) + "' is no address: write host:port, such as 127.0.0.1:8080 or [::1]:8080, with a port up to 65535");
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong();
  const auto port = parse_u64(text.substr(colon + 1));
  if (!port || *port > kPortMax) return wrong();
  std::string_view host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (!is_v6(host.substr(0, host.find('%')))) return wrong();  // a zone may follow
  } else if (host.find_first_of(":[]/ ") != std::string_view::npos) {
    return wrong();
  }
  return HostPort{std::string(host), static_cast<std::uint16_t>(*port)};
}

bool collide(const HostPort& one, const HostPort& other) {
  if (one.port != other.port || one.port == 0) return false;
  const std::string_view a = numeric(one.host), b = numeric(other.host);
  return a == b || takes(a, b) || takes(b, a);
}

}  // namespace hookhost
