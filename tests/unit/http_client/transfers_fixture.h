// Transfers, each told of by itself.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <utility>

#include "http_client/transfers.h"
#include "support/http_receiver.h"
#include "support/poll.h"

namespace hookhost::http_client {

using namespace std::chrono_literals;
using test::HttpReceiver;

inline bool nobody(const IpAddress&) { return false; }

// Tells of each transfer by itself.
class Ear final : public Listener {
 public:
  using Told = std::function<void(Result<TransferAnswer>)>;
  explicit Ear(Told told) : told_(std::move(told)) {}
  void ended(std::vector<Ended> transfers) override {
    for (auto& one : transfers) told_(std::move(one.answer));
  }

 private:
  const Told told_;
};

inline void begin(Transfers& transfers, Route route, Transfer transfer, Ear::Told told) {
  transfer.route = std::make_shared<const Route>(std::move(route));
  transfer.listener = std::make_shared<Ear>(std::move(told));
  transfers.send(std::move(transfer));
}
inline Transfer one(std::string_view body = "x", Duration timeout = 30s) {
  Transfer out;
  out.body = body;
  out.timeout = timeout;
  return out;
}
inline Transfer with(Headers headers) {
  Transfer out = one();
  out.headers = std::move(headers);
  return out;
}

class TransfersTest : public testing::Test {
 protected:
  Result<TransferAnswer> send(Route route, Transfer transfer = one()) {
    std::promise<Result<TransferAnswer>> told;
    begin(transfers, std::move(route), std::move(transfer), [&](Result<TransferAnswer> answer) { told.set_value(std::move(answer)); });
    return told.get_future().get();
  }
  Transfers transfers;
};

}  // namespace hookhost::http_client
