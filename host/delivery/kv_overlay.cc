#include "delivery/kv_overlay.h"

namespace hookhost::delivery {

Result<std::optional<std::string>> KvOverlay::get(std::string_view key) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = written_.find(key); found != written_.end()) return found->second.value;
  }
  // Order: first the overlay, then the store. What leaves the overlay in between is in the store already.
  return store_.kv_get(subscriber_, key);
}

Result<std::vector<std::pair<std::string, std::string>>> KvOverlay::scan(std::string_view prefix, std::string_view after, std::size_t limit) {
  std::map<std::string, std::optional<std::string>, std::less<>> merged;
  {
    const std::lock_guard lock(mutex_);
    for (auto at = written_.lower_bound(prefix); at != written_.end() && at->first.starts_with(prefix); ++at) {
      if (after.empty() || at->first > after) merged.emplace(at->first, at->second.value);
    }
  }
  // Each erased key may hide one that is stored: ask for that many more.
  const std::size_t wanted = limit + merged.size();
  HOOKHOST_TRY(auto stored, store_.kv_scan(subscriber_, prefix, after, wanted));
  // Beyond the last stored key of a full page nothing is known of the store: what the overlay has there comes with the next page.
  const std::optional<std::string> end = stored.size() == wanted && !stored.empty() ? std::optional(stored.back().first) : std::nullopt;
  for (auto& [key, value] : stored) merged.emplace(std::move(key), std::move(value));
  std::vector<std::pair<std::string, std::string>> out;
  for (auto& [key, value] : merged) {
    if (out.size() == limit || (end && key > *end)) break;
    if (value) out.emplace_back(key, std::move(*value));
  }
  return out;
}

void KvOverlay::put(const std::vector<state::KvWrite>& writes, std::uint64_t batch) {
  if (writes.empty()) return;
  const std::lock_guard lock(mutex_);
  for (const auto& write : writes) written_[write.key] = Value{write.value, batch};
}

void KvOverlay::committed(std::uint64_t batch) {
  const std::lock_guard lock(mutex_);
  std::erase_if(written_, [&](const auto& entry) { return entry.second.batch <= batch; });
}

}  // namespace hookhost::delivery
