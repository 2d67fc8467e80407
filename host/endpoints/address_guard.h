// Where deliveries may go: public addresses, and the networks that the configuration opens. A URL of a stranger must not reach what only this
// machine or its network can reach. Asked with the address that a connection really uses, so that no name and no way of writing an address
// gets around it.
#pragma once

#include <vector>

#include "base/ip_address.h"

namespace hookhost::endpoints {

// Refused: whatever the IANA special-purpose registries (RFC 6890 and its updates) do not call globally reachable, among them loopback,
// private, link-local with the clouds' metadata services, shared (CGNAT), multicast, unspecified and reserved addresses, unique local ones,
// and the old tunnels 6to4 and Teredo; and 168.63.129.16, the one metadata service of the large clouds (Azure's) that has a public address. An
// IPv4-mapped or NAT64 address (RFC 6052) is judged by the IPv4 address inside.
// Threads: from every thread.
class AddressGuard {
 public:
  explicit AddressGuard(std::vector<Network> allowed = {}) : allowed_(std::move(allowed)) {}

  [[nodiscard]] bool permits(const IpAddress& address) const;

 private:
  std::vector<Network> allowed_;
};

}  // namespace hookhost::endpoints
