// Finds the subscribers that an event matches. The cost is that of the matches and of the dots in the type, not of what is registered.
// Threads: one.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/pattern.h"
#include "event_log/event.h"

namespace hookhost::delivery {

class MatchIndex {
 public:
  using Member = std::uint32_t;  // the caller's number for a subscriber

  void clear();
  void add(Member member, const std::vector<Pattern>& patterns);

  // Puts the members that `event` matches into `out`, each once, in no particular order.
  void match(const event_log::Event& event, std::vector<Member>& out);

 private:
  struct Entry {
    Member member;
    std::string provider;  // empty: any
  };
  using Entries = std::vector<Entry>;
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  using ByText = std::unordered_map<std::string, Entries, TextHash, std::equal_to<>>;

  void take(const Entries& entries, std::string_view provider, std::vector<Member>& out);
  void take(const ByText& map, std::string_view text, std::string_view provider, std::vector<Member>& out);

  ByText exact_;        // by type
  ByText prefix_;       // by "linkedin."
  ByText any_by_provider_;
  ByText by_source_;
  Entries any_;
  std::vector<std::uint64_t> seen_;  // per member: the last round that took it
  std::uint64_t round_ = 0;
};

}  // namespace hookhost::delivery
