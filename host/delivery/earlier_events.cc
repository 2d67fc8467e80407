#include "delivery/earlier_events.h"

#include <algorithm>

#include "base/diagnostics.h"
#include "delivery/filter.h"
#include "delivery/match_index.h"
#include "delivery/runner.h"

namespace hookhost::delivery {

void EarlierEvents::count(Runner& runner) {
  const Offset until = runner.row().position.frontier;
  if (until <= core_.feed.begin()) return;
  waiting_.push_back({runner.weak_from_this(), runner.row().id, runner.options().events, runner.options().team, until});
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
    until = std::max(until, questions[n].until);
  }
  std::vector<MatchIndex::Member> matched;
  const auto looked = look_at_heads(feed, feed.begin(), until, [&](const EventHead& head) {
    matched.clear();
    index.match(head, matched);
    for (const auto n : matched) questions[n].count += head.offset < questions[n].until ? 1 : 0;
  });
  if (looked) return;
  for (auto& question : questions) question.count = 0;
}

void EarlierEvents::tell(const std::vector<Question>& questions) {
  for (const auto& question : questions) {
    const auto runner = question.runner.lock();
    if (question.count == 0 || !runner) continue;
    runner->set_earlier(question.count, question.until);
    const bool one = question.count == 1;
    diagnose(Level::info, "delivery", (one ? "1 earlier event matches" : std::to_string(question.count) + " earlier events match") + ": hookhost replay " +
                                          question.id.value + " --from beginning would handle " + (one ? "it" : "them"),
             {{"subscriber", question.id.value}});
  }
  reading_ = false;
  if (!waiting_.empty()) read();
}

}  // namespace hookhost::delivery
