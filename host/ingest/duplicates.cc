#include "ingest/duplicates.h"

#include <algorithm>
#include <cstring>

#include "base/assert.h"

namespace hookhost::ingest {
namespace {

constexpr std::string_view kIdPrefix = "evt_";

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

DuplicatesWindow::Claim DuplicatesWindow::claim(const Mark& mark, const EventId& id, WallTime now, EventId& known, Follower follower) {
  HOOKHOST_ASSERT(id.value.size() == kIdPrefix.size() + sizeof(Code));
  const std::scoped_lock lock(mutex_);
  forget_old(now);
  const auto [found, fresh] = entries_.try_emplace(mark.digest);
  if (fresh) {
    std::copy_n(id.value.begin() + kIdPrefix.size(), sizeof(Code), found->second.id.begin());
    found->second.content = mark.content;
    found->second.in_flight = true;
    ages_.emplace_back(now, mark.digest);
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

void DuplicatesWindow::settle(const Digest& digest, const Result<EventId>& done) {
  std::vector<Follower> waiting;
  {
    const std::scoped_lock lock(mutex_);
    const auto found = entries_.find(digest);
    if (found != entries_.end()) {
      if (done) {
        found->second.in_flight = false;
      } else {
        entries_.erase(found);
        forget_age(digest);
      }
    }
    if (const auto all = followers_.find(digest); all != followers_.end()) {
      waiting = std::move(all->second);
      followers_.erase(all);
    }
  }
  for (Follower& follower : waiting) follower(done);
}

void DuplicatesWindow::remember(const Mark& mark, const EventId& id, WallTime received_at) {
  if (id.value.size() != kIdPrefix.size() + sizeof(Code)) return;
  const std::scoped_lock lock(mutex_);
  const auto [found, fresh] = entries_.try_emplace(mark.digest);
  if (!fresh) return;
  std::copy_n(id.value.begin() + kIdPrefix.size(), sizeof(Code), found->second.id.begin());
  found->second.content = mark.content;
  ages_.emplace_back(received_at, mark.digest);
}

// Otherwise the age of what failed would end the time of the same webhook sent again. It is young: the search ends soon.
void DuplicatesWindow::forget_age(const Digest& digest) {
  const auto age = std::find_if(ages_.rbegin(), ages_.rend(), [&](const auto& one) { return one.second == digest; });
  if (age != ages_.rend()) ages_.erase(std::next(age).base());
}

// In-flight entries are young; one that is so old that it goes is forgotten too, its followers are still called by settle().
void DuplicatesWindow::forget_old(WallTime now) {
  while (!ages_.empty() && (ages_.size() > options_.entries_max || ages_.front().first + options_.window < now)) {
    entries_.erase(ages_.front().second);
    ages_.pop_front();
  }
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
