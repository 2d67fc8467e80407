#include "delivery/match_index.h"

namespace hookhost::delivery {

void MatchIndex::clear() {
  exact_.clear();
  prefix_.clear();
  any_by_provider_.clear();
  by_source_.clear();
  any_.clear();
  seen_.clear();
}

void MatchIndex::add(Member member, const std::vector<Pattern>& patterns) {
  if (seen_.size() <= member) seen_.resize(member + 1, 0);
  for (const auto& pattern : patterns) {
    if (!pattern.source.empty()) {
      by_source_[pattern.source].push_back({member, {}});
    } else if (pattern.kind == Pattern::Kind::exact) {
      exact_[pattern.type].push_back({member, pattern.provider});
    } else if (pattern.kind == Pattern::Kind::prefix) {
      prefix_[pattern.type].push_back({member, pattern.provider});
    } else if (!pattern.provider.empty()) {
      any_by_provider_[pattern.provider].push_back({member, {}});
    } else {
      any_.push_back({member, {}});
    }
  }
}

void MatchIndex::take(const Entries& entries, std::string_view provider, std::vector<Member>& out) {
  for (const auto& entry : entries) {
    if (!entry.provider.empty() && entry.provider != provider) continue;
    if (seen_[entry.member] == round_) continue;
    seen_[entry.member] = round_;
    out.push_back(entry.member);
  }
}

void MatchIndex::take(const ByText& map, std::string_view text, std::string_view provider, std::vector<Member>& out) {
  if (map.empty()) return;
  if (const auto found = map.find(text); found != map.end()) take(found->second, provider, out);
}

void MatchIndex::match(const event_log::Event& event, std::vector<Member>& out) {
  ++round_;
  const std::string_view type = event.type;
  const bool own = type.starts_with(kOwnTypes);
  take(exact_, type, event.provider, out);
  if (!prefix_.empty()) {
    for (auto dot = type.find('.'); dot != std::string_view::npos; dot = type.find('.', dot + 1)) {
      const auto prefix = type.substr(0, dot + 1);
      // Only a pattern that itself begins with "hookhost." reaches the host's own events.
      if (!own || prefix.starts_with(kOwnTypes)) take(prefix_, prefix, event.provider, out);
    }
  }
  if (own) return;
  take(by_source_, event.source, event.provider, out);
  take(any_by_provider_, event.provider, event.provider, out);
  take(any_, event.provider, out);
}

}  // namespace hookhost::delivery
