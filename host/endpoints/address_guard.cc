#include "endpoints/address_guard.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace hookhost::endpoints {
namespace {

// IPv4: not globally reachable; the last is public, and inside Azure it is the machine's agent (WireServer), with its settings and certificates.
constexpr std::array kRefused4{std::string_view("0.0.0.0/8"), std::string_view("10.0.0.0/8"), std::string_view("100.64.0.0/10"),
                               std::string_view("127.0.0.0/8"), std::string_view("169.254.0.0/16"), std::string_view("172.16.0.0/12"),
                               std::string_view("192.0.0.0/24"), std::string_view("192.0.2.0/24"), std::string_view("192.88.99.0/24"),
                               std::string_view("192.168.0.0/16"), std::string_view("198.18.0.0/15"), std::string_view("198.51.100.0/24"),
                               std::string_view("203.0.113.0/24"), std::string_view("224.0.0.0/4"), std::string_view("240.0.0.0/4"),
                               std::string_view("168.63.129.16/32")};
// Of IPv6 only 2000::/3 is handed out; within it these are not: protocol assignments with Teredo, documentation (two), 6to4.
constexpr std::array kRefused6{std::string_view("2001::/23"), std::string_view("2001:db8::/32"), std::string_view("2002::/16"),
                               std::string_view("3fff::/20")};

Network network(std::string_view text) { return parse_network(text).value(); }

template <class Texts>
std::vector<Network> networks(const Texts& texts) {
  std::vector<Network> out;
  for (const std::string_view text : texts) out.push_back(network(text));
  return out;
}

bool in(const std::vector<Network>& list, const IpAddress& address) {
  return std::any_of(list.begin(), list.end(), [&](const Network& one) { return one.contains(address); });
}

// The IPv4 address in the last 32 bits of an address that stands for one.
std::optional<IpAddress> inside(const IpAddress& address) {
  static const std::vector<Network> carriers{network("::ffff:0:0/96"), network("64:ff9b::/96")};
  if (!in(carriers, address)) return std::nullopt;
  return IpAddress::v4(address.bytes[12], address.bytes[13], address.bytes[14], address.bytes[15]);
}

bool is_global(const IpAddress& address) {
  static const std::vector<Network> refused4 = networks(kRefused4), refused6 = networks(kRefused6);
  static const Network handed_out = network("2000::/3");
  return address.v6 ? handed_out.contains(address) && !in(refused6, address) : !in(refused4, address);
}

}  // namespace

bool AddressGuard::permits(const IpAddress& address) const {
  if (in(allowed_, address)) return true;
  if (const auto v4 = inside(address)) return permits(*v4);
  return is_global(address);
}

}  // namespace hookhost::endpoints
