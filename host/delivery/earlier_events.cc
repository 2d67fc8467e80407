#include "delivery/earlier_events.h"

#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/filter.h"
#include "delivery/match_index.h"
#include "delivery/runner.h"

namespace hookhost::delivery {

void EarlierEvents::count(Runner& runner) {
  if (runner.row().position.frontier <= core_.feed.begin()) return;
  runner.earlier().until = runner.row().position.frontier;
  ask(runner, true);
}

void EarlierEvents::count_again(Runner& runner) { ask(runner, false); }

// Order: answers come in the order of the questions, so the last one stands.
void EarlierEvents::ask(Runner& runner, bool is_first) {
  Question question{runner.weak_from_this(), runner.row().id, runner.options().events, runner.options().team, runner.earlier(), is_first};
  question.earlier.events = 0;
  waiting_.push_back(std::move(question));
  if (!reading_) read();
}

void EarlierEvents::read() {
  reading_ = true;
  auto questions = std::make_shared<std::vector<Question>>(std::exchange(waiting_, {}));
  core_.jobs.run([this, &feed = core_.feed, inbox = core_.inbox, questions] {
    look(feed, *questions);
    inbox->post([this, questions] { tell(*questions); });
  });
}

void EarlierEvents::look(EventFeed& feed, std::vector<Question>& questions) {
  MatchIndex index;
  Offset until;
  for (std::size_t n = 0; n < questions.size(); ++n) {
    index.add(static_cast<MatchIndex::Member>(n), questions[n].events, questions[n].team);
    until = std::max(until, questions[n].earlier.until);
  }
  std::vector<MatchIndex::Member> matched;
  const auto looked = look_at_heads(feed, feed.begin(), until, [&](const EventHead& head) {
    matched.clear();
    index.match(head, matched);
    for (const auto n : matched) {
      EarlierCount& earlier = questions[n].earlier;
      if (head.offset >= earlier.until) continue;
      const bool has_it = std::any_of(earlier.replayed.begin(), earlier.replayed.end(), [&](const Replayed& replayed) { return replayed.has(head); });
      if (!has_it) ++earlier.events;
    }
  });
  for (auto& question : questions) question.is_known = looked.has_value();
}

void EarlierEvents::tell(const std::vector<Question>& questions) {
  for (const auto& question : questions) {
    const auto runner = question.runner.lock();
    if (!question.is_known || !runner) continue;
    const std::uint64_t events = runner->earlier().events = question.earlier.events;
    if (events == 0 || !question.is_first) continue;
    const bool one = events == 1;
    diagnose(Level::info, "delivery", (one ? "1 earlier event matches" : std::to_string(events) + " earlier events match") + ": hookhost replay " +
                                          question.id.value + " --from beginning would handle " + (one ? "it" : "them"),
             {{"subscriber", question.id.value}});
  }
  reading_ = false;
  if (!waiting_.empty()) read();
}

}  // namespace hookhost::delivery
