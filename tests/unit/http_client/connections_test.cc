// Which connection a transfer uses, and what becomes of those that are kept.
#include <dlfcn.h>
#include <netdb.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>

#include "unit/http_client/transfers_fixture.h"

namespace hookhost::http_client {
namespace {

// A name whose lookup takes as long as this lives.
class HangingName {
 public:
  static constexpr const char* kName = "hangs.test";
  HangingName() { held().emplace(release_.get_future().share()); }
  ~HangingName() { release_.set_value(); }
  // Never destroyed: the thread that looked it up may end after main().
  static std::optional<std::shared_future<void>>& held() {
    static auto* const out = new std::optional<std::shared_future<void>>;
    return *out;
  }

 private:
  std::promise<void> release_;
};

class Lookups final : public Listener {
 public:
  void ended(std::vector<Ended> transfers) override {
    for (const auto& one : transfers) told_.set_value(one.is_looking_up);
  }
  bool next() {
    const bool out = told_.get_future().get();
    told_ = {};
    return out;
  }

 private:
  std::promise<bool> told_;
};

TEST_F(TransfersTest, ConnectionsAreKept) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  const auto group = transfers.new_group();
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(send({.url = receiver.url(), .group = group}));
  EXPECT_EQ(receiver.connections(), 1U);
}

TEST_F(TransfersTest, KeptConnectionsAreBoundedAndANewOneTakesThePlaceOfAnUnusedOne) {
  Transfers few(1, 1);
  std::vector<std::unique_ptr<HttpReceiver>> receivers;
  for (int i = 0; i < 40; ++i) {
    receivers.push_back(std::make_unique<HttpReceiver>(HttpReceiver::Answer([](const std::string&) { return HttpReceiver::status(200); })));
    std::promise<bool> told;
    begin(few, {.url = receivers.back()->url(), .group = few.new_group()}, one(), [&](const Result<TransferAnswer>& answer) { told.set_value(answer.has_value()); });
    ASSERT_TRUE(told.get_future().get()) << "transfer " << i;
  }
  EXPECT_TRUE(test::poll_until([&] { return std::count_if(receivers.begin(), receivers.end(), [](const auto& one) { return !one->is_quiet(); }) <= 20; }));
  EXPECT_FALSE(receivers.back()->is_quiet()) << "the newest is kept";
}

// Descriptors are used again, also by the sockets that libcurl opens for itself to ask for a name: none may be mistaken for one that is gone.
TEST_F(TransfersTest, AKeptConnectionThatItsPeerClosesIsReplaced) {
  HttpReceiver receiver(HttpReceiver::Serve([](int peer, const std::string&) {
    const std::string bytes = HttpReceiver::status(200);
    static_cast<void>(!::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    return false;  // closed without a word
  }));
  const std::string by_name = "http://localhost:" + std::to_string(receiver.port()) + "/";
  constexpr std::size_t kRequests = 60;
  const auto groups = std::array{transfers.new_group(), transfers.new_group()};
  for (std::size_t n = 0; n < kRequests; ++n) {
    ASSERT_TRUE(send({.url = n % 2 == 0 ? by_name : receiver.url(), .group = groups.at(n % 2)})) << n;
    ASSERT_TRUE(test::poll_until([&] { return receiver.is_quiet(); })) << n;
  }
  EXPECT_EQ(receiver.connections(), kRequests);
}

// As when the operator takes an exception away, or a name leads to another place.
TEST_F(TransfersTest, AKeptConnectionToWhatIsAllowedNoMoreIsNotUsed) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  bool allowed = true;
  const Route route{.url = receiver.url(), .may_connect = [&](const IpAddress&) { return allowed; }, .group = transfers.new_group()};
  ASSERT_TRUE(send(route, one("allowed")));
  allowed = false;
  const auto answer = send(route, one("not"));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::forbidden) << answer.error().message;
  EXPECT_EQ(receiver.bodies(), std::vector<std::string>{"allowed"});
}

// A receiver may close whenever it likes; libcurl's own count of new tries goes over all transfers of a handle.
TEST_F(TransfersTest, ARequestWhoseKeptConnectionDiesIsSentOnceMoreOnANewOne) {
  std::mutex mutex;
  std::set<int> used;
  HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
    const std::scoped_lock lock(mutex);
    if (!used.insert(peer).second) return used.erase(peer) == 0;  // closed amid the second request
    const std::string bytes = HttpReceiver::status(200);
    return ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }));
  const auto group = transfers.new_group();
  for (int n = 0; n < 30; ++n) {
    const auto answer = send({.url = receiver.url(), .group = group});
    ASSERT_TRUE(answer) << "transfer " << n << ": " << answer.error().message;
  }
  EXPECT_EQ(receiver.bodies().size(), 30 + 29U);
}

// With many kept connections: not once for each of them.
TEST_F(TransfersTest, OnceMoreAndNoMoreThanThat) {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::atomic<bool> dies{false};
  HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
    if (dies) return false;
    released.wait();
    const std::string bytes = HttpReceiver::status(200);
    return ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }));
  Transfers one_loop(1);
  const Route route{.url = receiver.url(), .group = one_loop.new_group()};
  std::atomic<int> answered{0};
  for (int n = 0; n < 8; ++n) begin(one_loop, route, one(), [&](const Result<TransferAnswer>& answer) { answered += answer ? 1 : 0; });
  ASSERT_TRUE(test::poll_until([&] { return receiver.bodies().size() == 8; }));
  release.set_value();
  ASSERT_TRUE(test::poll_until([&] { return answered == 8; }));
  dies = true;
  std::promise<Result<TransferAnswer>> told;
  begin(one_loop, route, one("again"), [&](Result<TransferAnswer> answer) { told.set_value(std::move(answer)); });
  const auto answer = told.get_future().get();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unreachable) << answer.error().message;
  EXPECT_EQ(receiver.bodies().size(), 8 + 2U);
}

TEST_F(TransfersTest, ConnectionsAreNotSharedByOwners) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  Transfers one_loop(1);
  const auto groups = std::array{one_loop.new_group(), one_loop.new_group(), std::uint64_t{0}};
  for (std::size_t n = 0; n < 9; ++n) {
    std::promise<bool> told;
    begin(one_loop, {.url = receiver.url(), .group = groups.at(n % 3)}, one(), [&](const Result<TransferAnswer>& answer) { told.set_value(answer.has_value()); });
    ASSERT_TRUE(told.get_future().get());
  }
  EXPECT_EQ(receiver.connections(), 2 + 3U) << "one for each of two, and one for each transfer of nobody";
}

// As proxies do that tell an idle connection of a timeout.
TEST_F(TransfersTest, WhatIsSentUnaskedIsNobodysAnswer) {
  std::atomic<int> peers{-1};
  HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
    peers = peer;
    const std::string bytes = HttpReceiver::status(200);
    return ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }));
  const auto group = transfers.new_group();
  for (int n = 0; n < 5; ++n) {
    const auto answer = send({.url = receiver.url(), .group = group});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer.value().status, 200);
    const std::string unasked = HttpReceiver::status(408);
    ASSERT_GT(::send(peers, unasked.data(), unasked.size(), MSG_NOSIGNAL), 0);
    ASSERT_TRUE(test::poll_until([&] { return receiver.is_quiet(); })) << "it is closed";
  }
  EXPECT_EQ(receiver.connections(), 5U);
}

TEST_F(TransfersTest, ThatANameIsStillLookedUpIsSaid) {
  HangingName name;
  const auto listener = std::make_shared<Lookups>();
  const auto ask = [&](const std::string& url, Duration timeout) {
    Transfer transfer = one("x", timeout);
    transfer.route = std::make_shared<const Route>(Route{.url = url, .group = transfers.new_group()});
    transfer.listener = listener;
    transfers.send(std::move(transfer));
    return listener->next();
  };
  EXPECT_TRUE(ask("http://" + std::string(HangingName::kName) + "/", 50ms));
  HttpReceiver silent(HttpReceiver::Serve([](int peer, const std::string&) {
    char byte = 0;
    return ::recv(peer, &byte, 1, MSG_PEEK) > 0;
  }));
  EXPECT_FALSE(ask(silent.url(), 50ms)) << "an address";
  EXPECT_FALSE(ask("http://localhost:" + std::to_string(silent.port()) + "/", 2s)) << "found, and connected to";
}

}  // namespace
}  // namespace hookhost::http_client

// libcurl's resolver finds this one first.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** out) {
  using Function = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto real = reinterpret_cast<Function>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  using hookhost::http_client::HangingName;
  if (name == nullptr || std::strcmp(name, HangingName::kName) != 0) return real(name, service, hints, out);
  HangingName::held()->wait();
  return EAI_NONAME;
}
