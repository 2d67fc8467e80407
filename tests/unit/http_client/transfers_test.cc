#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "unit/http_client/transfers_fixture.h"

namespace hookhost::http_client {
namespace {

TEST_F(TransfersTest, TellStatusBodyAndRetryAfter) {
  HttpReceiver receiver([](const std::string& body) { return HttpReceiver::status(body == "hello" ? 429 : 400, "Retry-After: 7\r\n"); });
  const auto answer = send({.url = receiver.url()}, one("hello"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer.value().status, 429);
  EXPECT_EQ(answer.value().body, "ok");
  EXPECT_EQ(answer.value().retry_after, "7");
}

// libcurl drops a timer that is due less than a millisecond after another one of its handle.
TEST_F(TransfersTest, ATransferEndsAlsoWhenItsTimeIsOverJustAfterAConnectionsWouldBe) {
  HttpReceiver receiver(HttpReceiver::Serve([](int peer, const std::string& body) {
    char byte = 0;
    if (body == "hang") return ::recv(peer, &byte, 1, MSG_PEEK) > 0;  // until the other side gives up
    const std::string bytes = HttpReceiver::status(200);
    return ::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL) >= 0;
  }));
  for (int n = 0; n < 20; ++n) {
    const auto group = transfers.new_group();
    static_cast<void>(send({.url = receiver.url(), .group = group}, one("x", 30ms)));
    auto told = std::make_shared<std::promise<Result<TransferAnswer>>>();
    auto answer = told->get_future();
    begin(transfers, {.url = receiver.url(), .group = group}, one("hang", 31'500us), [told](Result<TransferAnswer> said) { told->set_value(std::move(said)); });
    ASSERT_EQ(answer.wait_for(30s), std::future_status::ready) << "round " << n;
    const auto result = answer.get();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::timeout) << result.error().message;
  }
}

TEST_F(TransfersTest, AHangingReceiverCostsOnlyItsOwnTransfer) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver hanging([&](const std::string&) { return released.wait(), std::string(); });
  HttpReceiver healthy([](const std::string&) { return HttpReceiver::status(200); });
  std::promise<Result<TransferAnswer>> late;
  begin(transfers, {.url = hanging.url()}, one("x", 500ms), [&](Result<TransferAnswer> answer) { late.set_value(std::move(answer)); });
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(send({.url = healthy.url()}));
  const auto answer = late.get_future().get();
  release.set_value();
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
}

TEST_F(TransfersTest, AnAddressThatIsNotAllowedIsNotConnectedTo) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  for (const std::string host : {"127.0.0.1", "localhost", "0x7f.1", "017700000001", "2130706433"}) {
    const auto answer = send({.url = "http://" + host + ":" + std::to_string(receiver.port()) + "/", .may_connect = nobody});
    ASSERT_FALSE(answer) << host;
    EXPECT_EQ(answer.error().code, ErrorCode::forbidden) << host << ": " << answer.error().message;
  }
  EXPECT_EQ(receiver.connections(), 0U);
}

TEST_F(TransfersTest, AnAnswerBeyondTheBoundIsCutAndStillAnAnswer) {
  HttpReceiver receiver([](const std::string&) { return "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'); });
  const auto answer = send({.url = receiver.url(), .answer_bytes_max = 1000});
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer.value().status, 200);
  EXPECT_TRUE(answer.value().cut);
  EXPECT_EQ(answer.value().body.size(), 1000U);
}

// Of these libcurl hands on nothing, however much there is.
TEST_F(TransfersTest, AnAnswerWithoutEndThatHasNoBodyIsCutAndStillAnAnswer) {
  const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", extension = chunked + "2;";
  const std::string file_name = std::string("\x1f\x8b\x08\x08\0\0\0\0\0\x03", 10);  // gzip, with a name of the file
  const std::string name_of_gzip = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n" + file_name;
  constexpr std::size_t kMuch = 256 << 20, kBound = 8 << 20;  // with what the buffers of both sides hold
  for (const std::string& begin : {extension, name_of_gzip}) {
    std::atomic<std::size_t> sent{0};
    HttpReceiver receiver(HttpReceiver::Serve([&](int peer, const std::string&) {
      const std::string more(64 << 10, 'e');
      const int buffer = static_cast<int>(more.size());
      ::setsockopt(peer, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
      bool goes = ::send(peer, begin.data(), begin.size(), MSG_NOSIGNAL) > 0;
      while (goes && sent < kMuch) {
        const auto taken = ::send(peer, more.data(), more.size(), MSG_NOSIGNAL);
        goes = taken > 0;
        if (goes) sent += static_cast<std::size_t>(taken);
      }
      return false;
    }));
    const auto group = transfers.new_group();
    for (int n = 0; n < 3; ++n) {  // each on the handle of the one before
      sent = 0;
      const auto answer = send({.url = receiver.url(), .group = group});
      ASSERT_TRUE(answer) << answer.error().message;
      EXPECT_EQ(answer.value().status, 200);
      EXPECT_TRUE(answer.value().cut);
      ASSERT_TRUE(test::poll_until([&] { return receiver.is_quiet(); }));
      EXPECT_LT(sent, kBound);
    }
  }
}

TEST_F(TransfersTest, AnAnswerInManySmallPiecesIsWhole) {
  std::string pieces = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int n = 0; n < (64 << 10); ++n) pieces += "1\r\nx\r\n";
  pieces += "0\r\n\r\n";
  HttpReceiver receiver([&](const std::string&) { return pieces; });
  const auto group = transfers.new_group();
  for (int n = 0; n < 5; ++n) {
    const auto answer = send({.url = receiver.url(), .group = group});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_FALSE(answer.value().cut);
    EXPECT_EQ(answer.value().body.size(), 64U << 10);
  }
  EXPECT_EQ(receiver.connections(), 1U) << "what came before on a connection is not this answer's";
}

TEST_F(TransfersTest, HeadersWithoutEndAreAnErrorThatSaysSo) {
  std::string many = "HTTP/1.1 200 OK\r\n", heads;
  for (int n = 0; n < 2000; ++n) many += "X-Filler: " + std::string(100, 'x') + "\r\n";
  for (int n = 0; n < 10'000; ++n) heads += "HTTP/1.1 100 Continue\r\n\r\n";
  for (const std::string& bytes : {many + "\r\n", heads, "HTTP/1.1 200 OK\r\nX-Filler: " + std::string(1 << 20, 'x') + "\r\n\r\n"}) {
    HttpReceiver receiver([&](const std::string&) { return bytes; });
    const auto answer = send({.url = receiver.url()});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::io_error);
    EXPECT_NE(answer.error().message.find("its headers are larger than 64 KiB"), std::string::npos) << answer.error().message;
  }
}

TEST_F(TransfersTest, AProxyThatCannotBeReachedOrDoesNotConnectIsNamed) {
  std::uint16_t port = 0;
  { port = HttpReceiver([](const std::string&) { return std::string(); }).port(); }  // nobody listens there any more
  const std::string nobody_there = "http://127.0.0.1:" + std::to_string(port);
  for (const char* url : {"http://receiver.invalid/", "https://receiver.invalid/"}) {
    const auto answer = send({.url = url, .proxy = "http://user:word@127.0.0.1:" + std::to_string(port)});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, ErrorCode::unreachable);
    EXPECT_NE(answer.error().message.find("the proxy " + nobody_there + " cannot be reached"), std::string::npos) << answer.error().message;
  }
  HttpReceiver refusing([](const std::string&) { return HttpReceiver::status(403); });
  const auto answer = send({.url = "https://receiver.invalid/", .proxy = "http://127.0.0.1:" + std::to_string(refusing.port())});
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().message.find("answered its CONNECT with 403"), std::string::npos) << answer.error().message;
}

TEST_F(TransfersTest, FailuresNameTheOriginOnly) {
  std::uint16_t port = 0;
  { port = HttpReceiver([](const std::string&) { return std::string(); }).port(); }  // nobody listens there any more
  const auto answer = send({.url = "http://user:word@127.0.0.1:" + std::to_string(port) + "/secret-path?token=t"});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::unreachable);
  EXPECT_NE(answer.error().message.find("http://127.0.0.1:" + std::to_string(port)), std::string::npos) << answer.error().message;
  for (const char* word : {"secret-path", "token", "word"}) EXPECT_EQ(answer.error().message.find(word), std::string::npos) << answer.error().message;
}

// A request that is passed through must arrive as it came.
TEST_F(TransfersTest, NothingIsAddedThatTheCallerDidNotSay) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  ASSERT_TRUE(send({.url = receiver.url()}, with({{"X-One", "1"}})));
  ASSERT_TRUE(send({.url = receiver.url()}, with({{"content-type", "text/xml"}, {"Accept", "text/plain"}})));
  const auto heads = receiver.heads();
  for (const char* name : {"Content-Type", "Accept", "Expect", "User-Agent"}) EXPECT_EQ(heads[0].find(name), std::string::npos) << heads[0];
  EXPECT_NE(heads[1].find("content-type: text/xml"), std::string::npos) << heads[1];
  EXPECT_NE(heads[1].find("Accept: text/plain"), std::string::npos) << heads[1];
}

TEST_F(TransfersTest, HeadersWithLineBreaksAreRefused) {
  const auto answer = send({.url = "http://127.0.0.1:1/"}, with({{"X-A", "b\r\nX-C: d"}}));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code, ErrorCode::usage);
}

TEST_F(TransfersTest, AGroupCanBeCancelledAndTheOthersGoOn) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver receiver([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  std::promise<Result<TransferAnswer>> first, second;
  const auto group = transfers.new_group();
  begin(transfers, {.url = receiver.url(), .group = group}, one(), [&](Result<TransferAnswer> answer) { first.set_value(std::move(answer)); });
  begin(transfers, {.url = receiver.url(), .group = transfers.new_group()}, one(), [&](Result<TransferAnswer> answer) { second.set_value(std::move(answer)); });
  ASSERT_TRUE(test::poll_until([&] { return receiver.bodies().size() == 2; }));
  transfers.cancel(group);
  const auto cancelled = first.get_future().get();
  ASSERT_FALSE(cancelled);
  EXPECT_EQ(cancelled.error().code, ErrorCode::cancelled);
  release.set_value();
  EXPECT_TRUE(second.get_future().get());
  transfers.cancel(group);  // nothing left of it
}

TEST_F(TransfersTest, AGroupOfManyIsSharedOutAndCancelledWhole) {
  std::promise<void> release;
  auto released = release.get_future().share();
  std::mutex mutex;
  std::set<std::thread::id> threads;
  HttpReceiver receiver([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  const auto group = transfers.new_group();
  std::atomic<int> cancelled{0};
  for (int i = 0; i < 64; ++i) {
    begin(transfers, {.url = receiver.url(), .group = group}, one(), [&](const Result<TransferAnswer>& answer) {
      const std::scoped_lock lock(mutex);
      threads.insert(std::this_thread::get_id());
      if (!answer && answer.error().code == ErrorCode::cancelled) ++cancelled;
    });
  }
  ASSERT_TRUE(test::poll_until([&] { return receiver.bodies().size() == 64; }));
  transfers.cancel(group);
  EXPECT_TRUE(test::poll_until([&] { return cancelled == 64; }));
  EXPECT_EQ(threads.size(), 2U);
  release.set_value();
}

// One that does not look at transfers one by one.
class Counting final : public Listener {
 public:
  void ended(std::vector<Ended> transfers) override {
    const std::scoped_lock lock(mutex_);
    ++calls_;
    for (const auto& one : transfers) {
      ids_.push_back(one.id);
      if (!one.answer && one.answer.error().code == ErrorCode::cancelled) ++cancelled_;
    }
  }
  [[nodiscard]] std::size_t calls() const { return locked(calls_); }
  [[nodiscard]] std::size_t cancelled() const { return locked(cancelled_); }
  [[nodiscard]] std::vector<std::uint64_t> ids() const {
    auto out = locked(ids_);
    std::ranges::sort(out);
    return out;
  }

 private:
  template <class T>
  T locked(const T& value) const {
    const std::scoped_lock lock(mutex_);
    return value;
  }
  mutable std::mutex mutex_;
  std::size_t calls_ = 0, cancelled_ = 0;
  std::vector<std::uint64_t> ids_;
};

std::vector<std::uint64_t> every_second(std::uint64_t from, std::uint64_t until) {
  std::vector<std::uint64_t> out;
  for (; from < until; from += 2) out.push_back(from);
  return out;
}

TEST_F(TransfersTest, WhatEndsAtTheSameTimeIsToldTogetherAndToWhomItBelongs) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver receiver([&](const std::string&) { return released.wait(), HttpReceiver::status(200); });
  const auto listeners = std::array{std::make_shared<Counting>(), std::make_shared<Counting>()};
  auto route = std::make_shared<Route>();
  route->url = receiver.url();
  route->group = transfers.new_group();
  for (std::uint64_t n = 0; n < 40; ++n) {
    Transfer transfer = one();
    transfer.route = route;
    transfer.listener = listeners.at(n % 2);
    transfer.id = n;
    transfers.send(std::move(transfer));
  }
  ASSERT_TRUE(test::poll_until([&] { return receiver.bodies().size() == 40; }));
  transfers.cancel(route->group);
  for (std::uint64_t n : {0, 1}) {
    ASSERT_TRUE(test::poll_until([&] { return listeners.at(n)->ids().size() >= 20; }));
    EXPECT_EQ(listeners.at(n)->ids(), every_second(n, 40)) << "each once";
    EXPECT_LE(listeners.at(n)->calls(), 2U) << "one of each thread";
  }
  release.set_value();
}

// From the loop's own thread, so that none of them was begun when their group is cancelled, or everything is.
TEST_F(TransfersTest, ThoseThatWaitToBeBegunAreCancelledToo) {
  HttpReceiver receiver([](const std::string&) { return HttpReceiver::status(200); });
  Transfers one_loop(1);
  const auto listener = std::make_shared<Counting>();
  const auto ask_many = [&](std::uint64_t group) {
    const auto route = std::make_shared<const Route>(Route{.url = receiver.url(), .group = group});
    for (std::uint64_t n = 0; n < 40; ++n) {
      Transfer transfer = one("not begun");
      transfer.route = route;
      transfer.listener = listener;
      transfer.id = n;
      one_loop.send(std::move(transfer));
    }
  };
  begin(one_loop, {.url = receiver.url()}, one(), [&](const Result<TransferAnswer>&) {
    const auto group = one_loop.new_group();
    ask_many(group);
    one_loop.cancel(group);
  });
  ASSERT_TRUE(test::poll_until([&] { return listener->cancelled() == 40; }));
  std::promise<void> asked, closes;
  auto closing = closes.get_future();
  begin(one_loop, {.url = receiver.url()}, one(), [&](const Result<TransferAnswer>&) {
    ask_many(0);
    asked.set_value();
    closing.wait();
  });
  asked.get_future().get();
  std::thread closer([&] { one_loop.close(); });
  // The loop stands in its listener until it is told to close.
  const auto refuses = [&] {
    const auto told = std::make_shared<std::atomic<bool>>(false);
    begin(one_loop, {.url = receiver.url()}, one("late"), [told](const Result<TransferAnswer>&) { *told = true; });
    return told->load();
  };
  EXPECT_TRUE(test::poll_until(refuses));
  closes.set_value();
  closer.join();
  EXPECT_EQ(listener->cancelled(), 80U);
  EXPECT_EQ(listener->ids().size(), 80U);
  EXPECT_EQ(receiver.bodies().size(), 2U) << "and nothing of them was sent";
}

TEST_F(TransfersTest, CloseCancelsWhatRunsAndWhatComesLater) {
  std::promise<void> release;
  auto released = release.get_future().share();
  HttpReceiver hanging([&](const std::string&) { return released.wait(), std::string(); });
  std::atomic<int> cancelled{0};
  const auto count = [&](const Result<TransferAnswer>& answer) {
    if (!answer && answer.error().code == ErrorCode::cancelled) ++cancelled;
  };
  for (int i = 0; i < 5; ++i) begin(transfers, {.url = hanging.url()}, one(), count);
  ASSERT_TRUE(test::poll_until([&] { return hanging.bodies().size() == 5; }));
  transfers.close();
  begin(transfers, {.url = hanging.url()}, one(), count);
  EXPECT_EQ(cancelled, 6);
  release.set_value();
}

}  // namespace
}  // namespace hookhost::http_client
