#include "base/host_port.h"

#include <gtest/gtest.h>

namespace hookhost {
namespace {

TEST(HostPort, IsReadInEveryForm) {
  EXPECT_EQ(parse_host_port("127.0.0.1:8080").value(), (HostPort{"127.0.0.1", 8080}));
  EXPECT_EQ(parse_host_port("hooks.example.com:1").value(), (HostPort{"hooks.example.com", 1}));
  EXPECT_EQ(parse_host_port("[::1]:65535").value(), (HostPort{"::1", 65535}));
  EXPECT_EQ(parse_host_port(":0").value(), (HostPort{"", 0}));
}

TEST(HostPort, WhatIsNoneSaysWhatOneLooksLike) {
  for (const char* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:80x", "::1:80", "[::1]", "[::1:80", "[evil.com]:80", "[]:80", "[127.0.0.1]:80", "a b:80",
                           "http://a:80"}) {
    const auto parsed = parse_host_port(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().message.find("host:port"), std::string::npos) << parsed.error().message;
  }
}

TEST(HostPort, ListenersCollideOnOnePortOfOneAddressOrOfAll) {
  const auto collide_ = [](const char* a, const char* b) {
    const bool there = collide(parse_host_port(a).value(), parse_host_port(b).value());
    EXPECT_EQ(there, collide(parse_host_port(b).value(), parse_host_port(a).value()));
    return there;
  };
  EXPECT_TRUE(collide_("127.0.0.1:80", "127.0.0.1:80"));
  EXPECT_TRUE(collide_("127.0.0.1:80", "0.0.0.0:80"));
  EXPECT_TRUE(collide_("127.0.0.1:80", "localhost:80"));
  EXPECT_TRUE(collide_("127.0.0.1:80", "[::]:80"));
  EXPECT_TRUE(collide_("[::1]:80", ":80"));
  EXPECT_FALSE(collide_("[::1]:80", "0.0.0.0:80"));
  EXPECT_FALSE(collide_("127.0.0.1:80", "127.0.0.2:80"));
  EXPECT_FALSE(collide_("127.0.0.1:80", "127.0.0.1:81"));
  EXPECT_FALSE(collide_("127.0.0.1:0", "127.0.0.1:0"));
}

}  // namespace
}  // namespace hookhost
