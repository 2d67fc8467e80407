// An event log on a fake machine beside a model of it: what was submitted, what was answered, and what must therefore be there.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <future>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "event_log/event_log.h"
#include "support/fake_file_system.h"

namespace hookhost::event_log {

inline constexpr const char* kEventsDirectory = "/data/events";

inline Event make_event(std::uint64_t n, std::size_t body_bytes = 60) {
  Event event;
  char id[64];
  std::snprintf(id, sizeof id, "evt_%026llu", static_cast<unsigned long long>(n));
  event.id = EventId{id};
  event.source = "kakiyo";
  event.provider = "kakiyo";
  event.type = "linkedin.message.sent";
  event.key = "chat_" + std::to_string(n % 3);
  event.received_at = from_unix_ns(1'700'000'000'000'000'000 + static_cast<std::int64_t>(n) * 1'000'000);
  event.headers = {{"X-Number", std::to_string(n)}};
  event.verified = true;
  event.body = std::string(body_bytes, static_cast<char>('a' + n % 26));
  event.digest = "digest" + std::to_string(n);
  return event;
}

inline Options small_log(std::uint64_t segment_bytes = 4096) {
  Options options;
  options.directory = kEventsDirectory;
  options.segment_bytes = segment_bytes;
  options.disk_free_min = 0;
  options.idle_mark = std::chrono::hours{1};
  options.make_ahead = false;
  return options;
}

// Everything that can be read, by offset. Gaps are left out.
inline std::map<Offset, Event> read_all(const EventLog& log) {
  std::map<Offset, Event> out;
  Reader reader = log.reader();
  for (Offset at = log.begin(); at < log.durable_end();) {
    auto got = reader.read(at, log.durable_end(), {.events_max = 7});
    if (!got) {
      ADD_FAILURE() << got.error().message;
      return out;
    }
    for (const EventPtr& event : got.value().events) EXPECT_TRUE(out.emplace(event->offset, *event).second) << "an offset is read twice";
    if (got.value().next <= at) {
      ADD_FAILURE() << "the reader stands still at " << at.value;
      return out;
    }
    at = got.value().next;
  }
  return out;
}

class Machine {
 public:
  explicit Machine(std::uint64_t seed, Options options = small_log()) : files(seed), options_(std::move(options)) {}
  ~Machine() {
    files.freeze();
    log.reset();
  }

  test::FakeFileSystem files;
  ManualClock clock;
  std::unique_ptr<EventLog> log;

  bool open() {
    auto opened = EventLog::open(files, options_, clock);
    if (!opened) {
      open_error = opened.error();
      return false;
    }
    log = std::move(opened.value());
    return true;
  }
  // The process dies; what it wrote stays in the cache of the machine.
  void kill() {
    files.freeze();
    log.reset();
    files.thaw();
  }
  void cut_power() {
    files.freeze();
    log.reset();
    files.cut_power();
  }

  // Appends `count` new events and waits for all answers: the first in a batch of its own, whose answer holds the commit thread until the
  // others wait for it, so that they are one batch. False when one was not accepted.
  bool append(std::size_t count) {
    std::vector<std::pair<EventId, std::future<Result<Offset>>>> answers;
    const auto caller = std::this_thread::get_id();
    auto all_wait = std::make_shared<std::promise<void>>();
    auto released = all_wait->get_future().share();
    auto begun = std::make_shared<std::promise<void>>();
    for (std::size_t i = 0; i < count; ++i) {
      const Event event = make_event(next_, 40 + next_ % 50);
      ++next_;
      submitted_.emplace(event.id, event);
      auto promise = std::make_shared<std::promise<Result<Offset>>>();
      answers.emplace_back(event.id, promise->get_future());
      log->append(event, [=](Result<Offset> done) {
        if (i == 0) begun->set_value();
        if (i == 0 && std::this_thread::get_id() != caller) released.wait();
        promise->set_value(std::move(done));
      });
      if (i == 0) begun->get_future().wait();
    }
    all_wait->set_value();
    bool all = true;
    for (auto& [id, answer] : answers) {
      const auto done = answer.get();
      all = all && done.has_value();
      if (done) {
        EXPECT_TRUE(answered.emplace(done.value(), id).second) << "offset " << done.value().value << " is given twice";
      }
    }
    return all;
  }
  // Retention may have removed everything below it.
  void allow_removal_below(Offset offset) { kept_from_ = std::max(kept_from_, offset); }

  // The promise: what was answered is there, at its offset, once, unchanged; offsets are dense; nothing else is there but what was submitted.
  void expect_promise() {
    ASSERT_TRUE(log);
    EXPECT_LE(log->begin(), kept_from_);
    const auto events = read_all(*log);
    ASSERT_EQ(events.size(), log->durable_end().distance_from(log->begin())) << "there are gaps";
    std::set<EventId> ids;
    for (const auto& [offset, event] : events) {
      EXPECT_TRUE(ids.insert(event.id).second) << event.id.value << " is there twice";
      const auto known = submitted_.find(event.id);
      ASSERT_NE(known, submitted_.end()) << "nobody submitted " << event.id.value;
      Event expected = known->second;
      expected.offset = offset;
      EXPECT_EQ(event, expected);
    }
    for (const auto& [offset, id] : answered) {
      if (offset < log->begin()) continue;
      const auto found = events.find(offset);
      ASSERT_NE(found, events.end()) << "offset " << offset.value << " was answered and is missing";
      EXPECT_EQ(found->second.id, id) << "at offset " << offset.value;
    }
    for (const auto& [offset, event] : events) answered[offset] = event.id;  // read, so durable from now on
  }

  std::map<Offset, EventId> answered;
  Error open_error;

 private:
  const Options options_;
  std::map<EventId, Event> submitted_;
  std::uint64_t next_ = 0;
  Offset kept_from_;
};

}  // namespace hookhost::event_log
