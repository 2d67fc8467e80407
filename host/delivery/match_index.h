// Finds the subscribers that an event matches. The cost is that of the matches and of the dots in the type, not of what is registered: nor of
// what other teams have registered.
// Threads: one.
#pragma once

#include <cstdint>
#include <optional>
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
  // `team`: it gets only events of that team; none: of every team, and those that have none.
  void add(Member member, const std::vector<Pattern>& patterns, const std::optional<std::string>& team = std::nullopt);

  // Puts the members that an event matches into `out`, each once, in no particular order.
  void match(const event_log::EventHead& head, std::vector<Member>& out);
  void match(const event_log::Event& event, std::vector<Member>& out);

 private:
  struct Entry {
    Member member;
    std::string provider;  // empty: any
  };
  using Entries = std::vector<Entry>;
  struct OfSource {
    Member member;
    Pattern pattern;  // narrowed by a plugin's own list it wants less than all of the source
  };
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class Value>
  using ByText = std::unordered_map<std::string, Value, TextHash, std::equal_to<>>;
  struct Table {
    ByText<Entries> exact;   // by type
    ByText<Entries> prefix;  // by "linkedin."
    ByText<Entries> any_by_provider;
    ByText<std::vector<OfSource>> by_source;
    Entries any;
  };

  void match(const Table& table, const event_log::EventHead& head, std::vector<Member>& out);
  void take(Member member, std::vector<Member>& out);
  void take(const Entries& entries, std::string_view provider, std::vector<Member>& out);
  void take(const ByText<Entries>& map, std::string_view text, std::string_view provider, std::vector<Member>& out);

  Table every_team_;
  ByText<Table> by_team_;
  std::vector<std::uint64_t> seen_;  // per member: the last round that took it
  std::uint64_t round_ = 0;
};

}  // namespace hookhost::delivery
