#include "delivery/match_index.h"

#include <utility>

namespace hookhost::delivery {

void MatchIndex::clear() {
  every_team_ = Table{};
  by_team_.clear();
  seen_.clear();
}

void MatchIndex::add(Member member, const std::vector<Pattern>& patterns, const std::optional<std::string>& team) {
  if (seen_.size() <= member) seen_.resize(member + 1, 0);
  Table& table = team ? by_team_[*team] : every_team_;
  for (const auto& pattern : patterns) {
    if (!pattern.source.empty()) {
      table.by_source[pattern.source].push_back({member, pattern});
    } else if (pattern.kind == Pattern::Kind::exact) {
      table.exact[pattern.type].push_back({member, pattern.provider});
    } else if (pattern.kind == Pattern::Kind::prefix) {
      table.prefix[pattern.type].push_back({member, pattern.provider});
    } else if (!pattern.provider.empty()) {
      table.any_by_provider[pattern.provider].push_back({member, {}});
    } else {
      table.any.push_back({member, {}});
    }
  }
}

void MatchIndex::take(Member member, std::vector<Member>& out) {
  if (std::exchange(seen_[member], round_) != round_) out.push_back(member);
}

void MatchIndex::take(const Entries& entries, std::string_view provider, std::vector<Member>& out) {
  for (const auto& entry : entries) {
    if (entry.provider.empty() || entry.provider == provider) take(entry.member, out);
  }
}

void MatchIndex::take(const ByText<Entries>& map, std::string_view text, std::string_view provider, std::vector<Member>& out) {
  if (map.empty()) return;
  if (const auto found = map.find(text); found != map.end()) take(found->second, provider, out);
}

void MatchIndex::match(const event_log::Event& event, std::vector<Member>& out) {
  event_log::EventHead head;
  head.source = event.source;
  head.provider = event.provider;
  head.type = event.type;
  head.team = event.team;
  match(head, out);
}

void MatchIndex::match(const event_log::EventHead& head, std::vector<Member>& out) {
  ++round_;
  match(every_team_, head, out);
  if (head.team.empty() || by_team_.empty()) return;
  if (const auto found = by_team_.find(head.team); found != by_team_.end()) match(found->second, head, out);
}

void MatchIndex::match(const Table& table, const event_log::EventHead& head, std::vector<Member>& out) {
  const std::string_view type = head.type;
  const bool own = type.starts_with(kOwnTypes);
  take(table.exact, type, head.provider, out);
  if (!table.prefix.empty()) {
    for (auto dot = type.find('.'); dot != std::string_view::npos; dot = type.find('.', dot + 1)) {
      const auto prefix = type.substr(0, dot + 1);
      // Only a pattern that itself begins with "hookhost." reaches the host's own events.
      if (!own || prefix.starts_with(kOwnTypes)) take(table.prefix, prefix, head.provider, out);
    }
  }
  if (const auto found = table.by_source.find(head.source); found != table.by_source.end()) {
    for (const auto& [member, pattern] : found->second) {
      if (pattern.matches(head.source, head.provider, type)) take(member, out);
    }
  }
  if (own) return;
  take(table.any_by_provider, head.provider, head.provider, out);
  take(table.any, head.provider, out);
}

}  // namespace hookhost::delivery
