#include "base/ip_address.h"

#include <arpa/inet.h>

#include <charconv>

namespace hookhost {
namespace {

bool bit_of(const IpAddress& address, unsigned n) { return (address.bytes[n / 8] >> (7 - n % 8) & 1) != 0; }

auto no_network(std::string_view text) {
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is no network; write it like 10.0.0.0/8, 192.168.1.7/32 or fd00::/8");
}

}  // namespace

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  IpAddress out;
  if (inet_pton(AF_INET, terminated.c_str(), out.bytes.data()) == 1) return out;
  out.v6 = true;
  if (inet_pton(AF_INET6, terminated.c_str(), out.bytes.data()) == 1) return out;
  return std::nullopt;
}

std::string IpAddress::text() const {
  std::array<char, INET6_ADDRSTRLEN> out{};
  inet_ntop(v6 ? AF_INET6 : AF_INET, bytes.data(), out.data(), out.size());
  return out.data();
}

bool Network::contains(const IpAddress& other) const {
  if (address.v6 != other.v6) return false;
  for (unsigned n = 0; n < prefix_bits; ++n) {
    if (bit_of(address, n) != bit_of(other, n)) return false;
  }
  return true;
}

std::string Network::text() const { return address.text() + "/" + std::to_string(prefix_bits); }

Result<Network> parse_network(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return no_network(text);
  Network out{*address, address->v6 ? 128U : 32U};
  if (slash != std::string_view::npos) {
    const std::string_view bits = text.substr(slash + 1);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(bits.data(), bits.data() + bits.size(), value);
    if (error != std::errc{} || end != bits.data() + bits.size() || value > out.prefix_bits) return no_network(text);
    for (unsigned n = value; n < out.prefix_bits; ++n) {
      if (bit_of(out.address, n)) return fail(ErrorCode::usage, "'" + std::string(text) + "' has bits behind its prefix; the network is not clear");
    }
    out.prefix_bits = value;
  }
  return out;
}

}  // namespace hookhost
