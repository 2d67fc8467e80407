// Names that lead to private addresses: this program resolves *.test by itself, for libcurl as for everybody else in the process.
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>

#include <clocale>
#include <cstring>
#include <map>
#include <mutex>

#include "deliveries.h"

namespace hookhost::endpoints {
namespace {

using Addresses = std::vector<std::string>;

class Names {
 public:
  void point(const std::string& name, const Addresses& addresses) {
    const std::scoped_lock lock(mutex_);
    auto& of_name = addresses_[name];
    of_name.clear();
    for (const std::string& address : addresses) of_name.push_back(*IpAddress::parse(address));
  }
  void point(const std::string& name, const std::string& address) { point(name, Addresses{address}); }
  std::vector<IpAddress> find(const std::string& name) {
    const std::scoped_lock lock(mutex_);
    const auto found = addresses_.find(name);
    return found == addresses_.end() ? std::vector<IpAddress>{} : found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::vector<IpAddress>> addresses_;
};

Names& names() {
  static Names out;
  return out;
}

// One node as freeaddrinfo() frees it: the address behind the node in one piece.
addrinfo* node_of(const IpAddress& address, int port, int type) {
  auto* const out = static_cast<addrinfo*>(std::calloc(1, sizeof(addrinfo) + sizeof(sockaddr_in6)));
  out->ai_addr = reinterpret_cast<sockaddr*>(out + 1);
  out->ai_socktype = type;
  out->ai_family = address.v6 ? AF_INET6 : AF_INET;
  out->ai_addrlen = address.v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  out->ai_addr->sa_family = static_cast<sa_family_t>(out->ai_family);
  const auto network_port = htons(static_cast<std::uint16_t>(port));
  if (address.v6) {
    auto* const to = reinterpret_cast<sockaddr_in6*>(out->ai_addr);
    std::memcpy(&to->sin6_addr, address.bytes.data(), 16);
    to->sin6_port = network_port;
  } else {
    auto* const to = reinterpret_cast<sockaddr_in*>(out->ai_addr);
    std::memcpy(&to->sin_addr, address.bytes.data(), 4);
    to->sin_port = network_port;
  }
  return out;
}

}  // namespace
}  // namespace hookhost::endpoints

extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** out) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  if (name != nullptr && std::string_view(name).ends_with(".test")) {
    const auto addresses = hookhost::endpoints::names().find(name);
    for (const auto& address : addresses) {
      *out = hookhost::endpoints::node_of(address, service == nullptr ? 0 : std::atoi(service), hints == nullptr ? SOCK_STREAM : hints->ai_socktype);
      out = &(*out)->ai_next;
    }
    return addresses.empty() ? EAI_NONAME : 0;
  }
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(name, service, hints, out);
}

namespace hookhost::endpoints {
namespace {

class PrivateAddresses : public Deliveries {
 protected:
  // What became of a delivery to it by an endpoint that may go nowhere special.
  state::AttemptRow attempt_at(const std::string& url) {
    auto one = endpoint(url);
    one.allowed_networks.clear();
    add(one);
    append("k", "x");
    return first_attempt();
  }
};

struct Form {
  const char* what;
  const char* address;
};

class PrivateNames : public PrivateAddresses, public testing::WithParamInterface<Form> {};

TEST_P(PrivateNames, AreRefusedBeforeAnythingIsSent) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  names().point("receiver.test", GetParam().address);
  const std::string url = "http://receiver.test:" + std::to_string(receiver.port()) + "/";
  auto registered = endpoint(url);
  registered.allowed_networks.clear();
  EXPECT_TRUE(check(registered)) << "a name is judged when it is used";
  const auto attempt = attempt_at(url);
  EXPECT_EQ(attempt.outcome, "retry");
  EXPECT_NE(attempt.error.find("is not allowed"), std::string::npos) << GetParam().what << ": " << attempt.error;
  EXPECT_EQ(receiver.connections(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Every, PrivateNames,
                         testing::Values(Form{"loopback", "127.0.0.1"}, Form{"loopback net", "127.8.9.10"}, Form{"ten", "10.1.2.3"}, Form{"172.16", "172.20.0.1"},
                                         Form{"192.168", "192.168.0.1"}, Form{"link local", "169.254.1.1"}, Form{"metadata", "169.254.169.254"},
                                         Form{"shared", "100.64.0.1"}, Form{"multicast", "224.0.0.1"}, Form{"unspecified", "0.0.0.0"}, Form{"broadcast", "255.255.255.255"},
                                         Form{"v6 loopback", "::1"}, Form{"v6 unspecified", "::"}, Form{"v6 unique local", "fd00::1"}, Form{"v6 link local", "fe80::1"},
                                         Form{"v6 multicast", "ff02::1"}, Form{"v4-mapped", "::ffff:127.0.0.1"}, Form{"v4-compatible", "::127.0.0.1"},
                                         Form{"6to4", "2002:7f00:1::1"}, Form{"nat64", "64:ff9b::7f00:1"}, Form{"local nat64", "64:ff9b:1::7f00:1"},
                                         Form{"teredo", "2001:0:7f00:1::"}, Form{"v6 metadata", "fd00:ec2::254"}));

TEST_F(PrivateAddresses, EveryWayOfWritingANumberIsTheNumber) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  int n = 0;
  for (const char* host : {"127.0.0.1", "127.1", "0177.0.0.1", "0x7f.0.0.1", "0x7f000001", "2130706433", "017700000001", "localhost", "[::1]", "[::ffff:127.0.0.1]"}) {
    auto one = endpoint("http://" + std::string(host) + ":" + std::to_string(receiver.port()) + "/");
    one.id = SubscriberId("e" + std::to_string(n++));
    one.allowed_networks.clear();
    add(one);
  }
  append("k", "x");
  for (int i = 0; i < n; ++i) {
    const std::string id = "e" + std::to_string(i);
    ASSERT_TRUE(poll_until([&] { return !status(id).last_error.empty(); })) << id;
    EXPECT_NE(status(id).last_error.find("is not allowed"), std::string::npos) << status(id).last_error;
  }
  EXPECT_EQ(receiver.connections(), 0U);
}

// They are registered no more. A registry may still have them: what libcurl makes of them is judged like any address.
TEST_F(PrivateAddresses, LettersThatAreMappedToNumbersLeadNowhere) {
  ASSERT_NE(::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);  // else libcurl does not read them at all
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  int n = 0;
  for (const char* host : {"１２７.０.０.１", "127。0。0。1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"}) {
    auto one = endpoint("http://" + std::string(host) + ":" + std::to_string(receiver.port()) + "/");
    one.id = SubscriberId("e" + std::to_string(n++));
    one.allowed_networks.clear();
    EXPECT_FALSE(check(one)) << host;
    add(one);
  }
  append("k", "x");
  for (int i = 0; i < n; ++i) {
    const std::string id = "e" + std::to_string(i);
    EXPECT_TRUE(poll_until([&] { return status(id).last_error.find("is not allowed") != std::string::npos; })) << id << ": " << status(id).last_error;
  }
  EXPECT_EQ(receiver.connections(), 0U);
  ::setlocale(LC_CTYPE, "C");
}

// Whichever comes first.
TEST_F(PrivateAddresses, OfANameWithSeveralTheAllowedOneIsUsedAndNoOther) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  const std::vector<Addresses> orders{{"::1", "127.0.0.1"}, {"127.0.0.1", "::1"}, {"127.0.0.2", "127.0.0.1"}, {"127.0.0.2", "::1", "127.0.0.1"}};
  std::uint64_t n = 0;
  for (const auto& order : orders) {
    const std::string name = "several" + std::to_string(++n) + ".test";
    names().point(name, order);
    auto one = endpoint("http://" + name + ":" + std::to_string(receiver.port()) + "/");  // 127.0.0.1 is allowed to it
    one.id = SubscriberId(name);
    add(one);
  }
  append("k", "x");
  for (std::uint64_t i = 1; i <= n; ++i) {
    const std::string id = "several" + std::to_string(i) + ".test";
    EXPECT_TRUE(poll_until([&] { return status(id).outcomes.ok == 1; })) << status(id).last_error;
    EXPECT_EQ(status(id).outcomes.retry, 0U) << status(id).last_error;
  }
}

TEST_F(PrivateAddresses, WhatIsToldOfANameWithSeveralIsWhatWasTriedAndWhatWasRefused) {
  std::uint16_t port = 0;
  { port = HttpReceiver([](const std::string&) { return std::string(); }).port(); }  // nobody listens there any more
  names().point("one-allowed.test", Addresses{"127.0.0.2", "127.0.0.1"});
  names().point("none-allowed.test", Addresses{"127.0.0.2", "127.0.0.3"});
  for (const char* name : {"one-allowed.test", "none-allowed.test"}) {
    auto one = endpoint("http://" + std::string(name) + ":" + std::to_string(port) + "/");
    one.id = SubscriberId(name);
    add(one);
  }
  append("k", "x");
  const auto told = [&](const std::string& id) {
    EXPECT_TRUE(poll_until([&] { return !status(id).last_error.empty(); }));
    return status(id).last_error;
  };
  const std::string one = told("one-allowed.test"), none = told("none-allowed.test");
  EXPECT_NE(one.find("tried the address 127.0.0.1; the address 127.0.0.2 of"), std::string::npos) << one;
  EXPECT_NE(none.find("the addresses 127.0.0.2, 127.0.0.3 of"), std::string::npos) << none;
  EXPECT_NE(none.find("allowed_networks"), std::string::npos) << none;
}

TEST_F(PrivateAddresses, ANameThatChangesAfterItWasUsedIsJudgedAnew) {
  HttpReceiver receiver([](const std::string&) {
    return std::string("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  });
  names().point("rebinding.test", "127.0.0.1");
  auto one = endpoint("http://rebinding.test:" + std::to_string(receiver.port()) + "/");  // 127.0.0.1 is allowed to it
  add(one);
  append("k", "first");
  ASSERT_TRUE(delivered(1));
  names().point("rebinding.test", "127.0.0.2");  // where the receiver would be reached as well
  append("k", "second");
  ASSERT_TRUE(poll_until([&] { return status().outcomes.retry > 0; }));
  EXPECT_NE(status().last_error.find("127.0.0.2"), std::string::npos) << status().last_error;
  EXPECT_EQ(receiver.bodies(), std::vector<std::string>{"first"});
}

}  // namespace
}  // namespace hookhost::endpoints
