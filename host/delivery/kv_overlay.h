// kv/1 as a running instance sees it: what its successful calls wrote and the store does not have yet, over what is committed.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "delivery/subscriber.h"

namespace hookhost::delivery {

// Threads: every function from every thread.
class KvOverlay final : public KvReader {
 public:
  KvOverlay(state::DeliveryStore& store, SubscriberId subscriber) : store_(store), subscriber_(std::move(subscriber)) {}

  [[nodiscard]] Result<std::optional<std::string>> get(std::string_view key) override;
  [[nodiscard]] Result<std::vector<std::pair<std::string, std::string>>> scan(std::string_view prefix, std::string_view after,
                                                                             std::size_t limit) override;

  void put(const std::vector<state::KvWrite>& writes, std::uint64_t batch);
  // The store has everything up to this batch.
  void committed(std::uint64_t batch);

 private:
  struct Value {
    std::optional<std::string> value;
    std::uint64_t batch = 0;
  };

  state::DeliveryStore& store_;
  const SubscriberId subscriber_;
  std::mutex mutex_;
  std::map<std::string, Value, std::less<>> written_;
};

}  // namespace hookhost::delivery
