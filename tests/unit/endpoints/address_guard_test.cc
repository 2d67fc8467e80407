#include "endpoints/address_guard.h"

#include <gtest/gtest.h>

namespace hookhost::endpoints {
namespace {

bool permits(std::string_view text, const AddressGuard& guard = AddressGuard{}) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address && guard.permits(*address);
}

TEST(AddressGuard, RefusesWhatIsNotGloballyReachable) {
  for (const char* address : {
           "0.0.0.0",         "0.1.2.3",         "10.0.0.1",        "10.255.255.255",   "100.64.0.1",      "100.127.255.255",
           "127.0.0.1",       "127.255.255.255", "169.254.0.1",     "169.254.169.254",  "169.254.170.2",   "172.16.0.1",
           "172.31.255.255",  "192.0.0.1",       "192.0.0.192",     "192.0.2.1",        "192.88.99.1",     "192.168.0.1",
           "192.168.255.255", "198.18.0.1",      "198.19.255.255",  "198.51.100.1",     "203.0.113.1",     "224.0.0.1",
           "239.255.255.255", "240.0.0.1",       "255.255.255.255", "::",               "::1",             "::127.0.0.1",
           "::8.8.8.8",       "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1",
           "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "64:ff9b:1::8.8.8.8", "100::1", "2001::1",
           "2001:0:7f00:1::", "2001:20::1",      "2001:db8::1",     "2002:7f00:1::",    "2002:808:808::1", "3fff::1",
           "5f00::1",         "fc00::1",         "fd00:ec2::254",   "fe80::1",          "febf::1",         "fec0::1",
           "ff02::1",         "ff0e::1",
       }) {
    EXPECT_FALSE(permits(address)) << address;
  }
}

TEST(AddressGuard, RefusesTheMetadataServicesOfTheClouds) {
  for (const char* address : {"169.254.169.254", "169.254.170.2", "169.254.170.23", "169.254.42.42", "169.254.0.23", "168.63.129.16", "192.0.0.192",
                              "100.100.100.200", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "fd00:a9fe:a9fe::1", "fe80::a9fe:a9fe",
                              "fd00:c1::a9fe:a9fe", "::ffff:168.63.129.16", "64:ff9b::168.63.129.16"}) {
    EXPECT_FALSE(permits(address)) << address;
  }
}

TEST(AddressGuard, PermitsPublicAddressesUpToTheEdgesOfWhatIsRefused) {
  for (const char* address : {"1.0.0.0", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "168.63.129.15", "168.63.129.17",
                              "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255",
                              "198.20.0.0", "223.255.255.255", "2001:200::1", "2001:4860:4860::8888", "2606:4700::1111", "::ffff:8.8.8.8",
                              "64:ff9b::8.8.8.8"}) {
    EXPECT_TRUE(permits(address)) << address;
  }
}

TEST(AddressGuard, AllowedNetworksOpenExactlyThemselves) {
  const AddressGuard guard({parse_network("127.0.0.1/32").value(), parse_network("10.1.0.0/16").value(), parse_network("fd00::/8").value()});
  for (const char* address : {"127.0.0.1", "10.1.2.3", "fd12::1", "::ffff:127.0.0.1", "64:ff9b::10.1.0.1"}) EXPECT_TRUE(permits(address, guard)) << address;
  for (const char* address : {"127.0.0.2", "10.2.0.1", "fc00::1", "::1", "169.254.169.254"}) EXPECT_FALSE(permits(address, guard)) << address;
}

}  // namespace
}  // namespace hookhost::endpoints
