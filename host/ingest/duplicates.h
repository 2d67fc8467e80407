// The duplicates window of one source: which digests were seen lately, and with which event.
//
// An entry is in flight (its event waits for the disk; followers wait with it and share its fate) or durable. Past the window it is forgotten.
// Bounded: above the number of entries the oldest go, of the owner who has the most. So none of n owners ever loses any of its newest
// entries_max / n to another. What is known by a name that its sender chose (an Idempotency-Key) must also say the same.
// Threads: every function from every thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/types.h"

namespace hookhost::ingest {

struct DuplicatesOptions {
  Duration window = std::chrono::hours{24};
  std::uint64_t entries_max = 1'000'000;  // of all owners
};

class DuplicatesWindow {
 public:
  using Digest = std::array<char, 16>;
  using Content = std::array<char, 4>;  // of a digest of what must be the same; zeros: nothing must
  struct Mark {
    Digest digest;
    Content content{};
  };
  using Follower = std::function<void(Result<EventId>)>;

  explicit DuplicatesWindow(DuplicatesOptions options) : options_(options) {}

  enum class Claim : std::uint8_t {
    first,    // the caller appends, then calls settle()
    known,    // `known` holds the first one's id
    follows,  // `follower` will be called when the first one is settled
    differs   // the digest is that of something with another content
  };
  // `owner`: whose share of the entries it takes (a team, where several share a window). The same digest has always the same owner.
  [[nodiscard]] Claim claim(const Mark& mark, const EventId& id, WallTime now, EventId& known, Follower follower, std::string_view owner = {});
  // Of the first one: durable, or failed (then the digest is forgotten). Calls the followers.
  void settle(const Digest& digest, const Result<EventId>& done, std::string_view owner = {});
  // At start, from the event log, in order.
  void remember(const Mark& mark, const EventId& id, WallTime received_at, std::string_view owner = {});
  void configure(DuplicatesOptions options);
  [[nodiscard]] Duration window() const;
  [[nodiscard]] std::size_t size() const;

 private:
  using Code = std::array<char, 26>;  // an id without its prefix
  struct Hash {
    std::size_t operator()(const Digest& digest) const noexcept;
  };
  struct Entry {
    Code id;
    Content content;
    bool in_flight = false;
  };
  using Ages = std::deque<std::pair<WallTime, Digest>>;  // the oldest first
  using Share = std::pair<const std::string, Ages>;      // whose, and never empty

  template <class Change>
  void change(Share& share, Change change);
  void add(const Digest& digest, WallTime at, std::string_view owner);
  void forget_oldest_of(Share& share);
  void forget_old(WallTime now);
  void forget_age(const Digest& digest, std::string_view owner);

  mutable std::mutex mutex_;
  DuplicatesOptions options_;
  std::unordered_map<Digest, Entry, Hash> entries_;
  std::map<std::string, Ages, std::less<>> shares_;
  // Whose turn it is costs no walk through all of them.
  std::set<std::pair<std::size_t, Share*>> by_size_;
  std::set<std::pair<WallTime, Share*>> by_age_;
  std::unordered_map<Digest, std::vector<Follower>, Hash> followers_;
};

// As it is stored in a record: the first 16 bytes of a SHA-256, and the first 4 of that of the content where there is one.
[[nodiscard]] DuplicatesWindow::Mark to_mark(std::string_view stored);
[[nodiscard]] std::string stored_mark(std::string_view sha256, std::string_view sha256_of_content = {});

}  // namespace hookhost::ingest
