#include "base/ip_address.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

TEST(IpAddress, ReadsAndWritesBothFamilies) {
  EXPECT_EQ(IpAddress::parse("192.168.1.7")->text(), "192.168.1.7");
  EXPECT_EQ(IpAddress::parse("2001:DB8:0:0::1")->text(), "2001:db8::1");
  for (const char* text : {"", "1.2.3", "01.2.3.4", "1.2.3.256", "0x7f.0.0.1", "[::1]", "fe80::1%eth0", "1.2.3.4 ", "host"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
}

TEST(NetworkTest, ContainsWhatSharesItsPrefix) {
  const auto contains = [](std::string_view network, std::string_view address) { return parse_network(network).value().contains(*IpAddress::parse(address)); };
  EXPECT_TRUE(contains("10.0.0.0/8", "10.255.0.1"));
  EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.1"));
  EXPECT_TRUE(contains("192.168.1.7", "192.168.1.7"));
  EXPECT_FALSE(contains("192.168.1.7", "192.168.1.6"));
  EXPECT_TRUE(contains("0.0.0.0/0", "1.2.3.4"));
  EXPECT_FALSE(contains("0.0.0.0/0", "::1"));
  EXPECT_TRUE(contains("fe80::/10", "febf::1"));
  EXPECT_FALSE(contains("fe80::/10", "fec0::1"));
}

TEST(NetworkTest, RefusesWhatIsUnclear) {
  for (const char* text : {"", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8x", "10.0.0.1/8", "::1/129", "fd00::1/8", "net"}) {
    EXPECT_FALSE(parse_network(text)) << text;
  }
  EXPECT_EQ(parse_network("fd00::/8").value().text(), "fd00::/8");
}

}  // namespace
}  // namespace hookhost
