#include "ingest/duplicates.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace hookhost::ingest {
namespace {

constexpr std::string_view kIdPrefix = "evt_";

// With the node that was taken out, where there was one: nothing is allocated for a place that changes.
template <class Set>
void put(Set& set, typename Set::node_type node, const typename Set::value_type& value) {
  if (node.empty()) {
    set.insert(value);
    return;
  }
  node.value() = value;
  set.insert(std::move(node));
}

bool differs(const DuplicatesWindow::Content& one, const DuplicatesWindow::Content& other) {
  constexpr DuplicatesWindow::Content kNone{};
  return one != other && one != kNone && other != kNone;
}

}  // namespace

std::size_t DuplicatesWindow::Hash::operator()(const Digest& digest) const noexcept {
  std::size_t out = 0;  // a digest is as random as a hash can be
  std::memcpy(&out, digest.data(), sizeof out);
  return out;
}

DuplicatesWindow::Mark to_mark(std::string_view stored) {
  DuplicatesWindow::Mark out{};
  const std::string_view digest = stored.substr(0, out.digest.size()), content = stored.substr(digest.size(), out.content.size());
  std::copy(digest.begin(), digest.end(), out.digest.begin());
  std::copy(content.begin(), content.end(), out.content.begin());
  return out;
}

std::string stored_mark(std::string_view sha256, std::string_view sha256_of_content) {
  const DuplicatesWindow::Mark sizes{};
  return std::string(sha256.substr(0, sizes.digest.size())).append(sha256_of_content.substr(0, sizes.content.size()));
}

DuplicatesWindow::Claim DuplicatesWindow::claim(const Mark& mark, const EventId& id, WallTime now, EventId& known, Follower follower,
                                                std::string_view owner) {
  HOOKHOST_ASSERT(id.value.size() == kIdPrefix.size() + sizeof(Code));
  const std::scoped_lock lock(mutex_);
  forget_old(now);
  const auto [found, fresh] = entries_.try_emplace(mark.digest);
  if (fresh) {
    std::copy_n(id.value.begin() + kIdPrefix.size(), sizeof(Code), found->second.id.begin());
    found->second.content = mark.content;
    found->second.in_flight = true;
    add(mark.digest, now, owner);
    return Claim::first;
  }
  if (differs(found->second.content, mark.content)) return Claim::differs;
  if (found->second.in_flight) {
    followers_[mark.digest].push_back(std::move(follower));
    return Claim::follows;
  }
  known = EventId{std::string(kIdPrefix) + std::string(found->second.id.data(), sizeof(Code))};
  return Claim::known;
}

void DuplicatesWindow::settle(const Digest& digest, const Result<EventId>& done, std::string_view owner) {
  std::vector<Follower> waiting;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(digest);
    if (found != entries_.end()) {
      if (done) {
        found->second.in_flight = false;
      } else {
        entries_.erase(found);
        forget_age(digest, owner);
      }
    }
    if (const auto all = followers_.find(digest); all != followers_.end()) {
      waiting = std::move(all->second);
      followers_.erase(all);
    }
  }
  for (Follower& follower : waiting) follower(done);
}

void DuplicatesWindow::remember(const Mark& mark, const EventId& id, WallTime received_at, std::string_view owner) {
  if (id.value.size() != kIdPrefix.size() + sizeof(Code)) return;
  const std::scoped_lock lock(mutex_);
  forget_old(received_at);
  const auto [found, fresh] = entries_.try_emplace(mark.digest);
  if (!fresh) return;
  std::copy_n(id.value.begin() + kIdPrefix.size(), sizeof(Code), found->second.id.begin());
  found->second.content = mark.content;
  add(mark.digest, received_at, owner);
}

// Keeps its places by size and by age; an empty one goes.
template <class Change>
void DuplicatesWindow::change(Share& share, Change change) {
  Ages& ages = share.second;
  auto size = by_size_.extract({ages.size(), &share});
  auto age = ages.empty() ? decltype(by_age_)::node_type() : by_age_.extract({ages.front().first, &share});
  change(ages);
  if (ages.empty()) {
    shares_.erase(shares_.find(share.first));
    return;
  }
  put(by_size_, std::move(size), {ages.size(), &share});
  put(by_age_, std::move(age), {ages.front().first, &share});
}

void DuplicatesWindow::add(const Digest& digest, WallTime at, std::string_view owner) {
  auto share = shares_.find(owner);
  if (share == shares_.end()) share = shares_.emplace(owner, Ages{}).first;
  change(*share, [&](Ages& ages) { ages.emplace_back(at, digest); });
}

void DuplicatesWindow::forget_oldest_of(Share& share) {
  entries_.erase(share.second.front().second);
  change(share, [](Ages& ages) { ages.pop_front(); });
}

// Otherwise the age of what failed would end the time of the same webhook sent again. It is young: the search ends soon.
void DuplicatesWindow::forget_age(const Digest& digest, std::string_view owner) {
  const auto share = shares_.find(owner);
  if (share == shares_.end()) return;
  const auto age = std::find_if(share->second.rbegin(), share->second.rend(), [&](const auto& one) { return one.second == digest; });
  if (age != share->second.rend()) change(*share, [at = std::next(age).base()](Ages& ages) { ages.erase(at); });
}

// In-flight entries are young; one that is so old that it goes is forgotten too, its followers are still called by settle().
// Order: what is over goes first, so that nobody loses what still counts while another keeps what does not.
void DuplicatesWindow::forget_old(WallTime now) {
  while (!by_age_.empty() && by_age_.begin()->first + options_.window < now) forget_oldest_of(*by_age_.begin()->second);
  while (entries_.size() > options_.entries_max && !by_size_.empty()) forget_oldest_of(*by_size_.rbegin()->second);
}

void DuplicatesWindow::configure(DuplicatesOptions options) {
  const std::scoped_lock lock(mutex_);
  options_ = options;
}

Duration DuplicatesWindow::window() const {
  const std::scoped_lock lock(mutex_);
  return options_.window;
}

std::size_t DuplicatesWindow::size() const {
  const std::scoped_lock lock(mutex_);
  return entries_.size();
}

}  // namespace hookhost::ingest
