// bench_events requests COUNT SECRET: prints that many bodies of 700 bytes, each of another repository, with GitHub's signature before each.
// bench_events fill DIRECTORY COUNT: an event log of that many such events, keys of 1,000 repositories.
// bench_events scan DIRECTORY: reads and parses each event once, one thread; prints {"events":N,"seconds":S}.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <thread>

#include "base/clock.h"
#include "base/event_id.h"
#include "event_log/event_log.h"
#include "event_log/reader.h"
#include "os/file_system.h"
#include "signing/sign.h"

namespace {

using namespace hookhost;

std::string repository_of(std::uint64_t n) { return "example/bench_" + std::to_string(n % 1000); }

std::string body_of(std::uint64_t n) {
  std::string body = R"({"ref":"refs/heads/main","repository":{"full_name":")" + repository_of(n) + R"("},"pad":")";
  return body + std::string(698 - body.size(), 'x') + "\"}";
}

int requests(std::uint64_t count, const std::string& secret) {
  for (std::uint64_t n = 0; n < count; ++n) {
    const auto headers = signing::sign({.scheme = signing::Scheme::github}, secret, "", WallTime{}, body_of(n));
    if (!headers) return std::cerr << headers.error().message << "\n", 1;
    std::cout << headers.value().front().second << ' ' << body_of(n) << '\n';
  }
  return 0;
}

int fill(const std::string& directory, std::uint64_t count) {
  auto log = event_log::EventLog::open(os::local_file_system(), {.directory = directory}, system_clock());
  if (!log) return std::fprintf(stderr, "%s\n", log.error().message.c_str()), 1;
  EventIdGenerator ids;
  std::atomic<std::uint64_t> done{0}, failed{0};
  event_log::Event event;
  event.source = event.provider = "github";
  event.type = "push";
  event.content_type = "application/json";
  event.headers = {{"Content-Type", "application/json"}, {"X-GitHub-Event", "push"}};
  event.verified = true;
  for (std::uint64_t i = 0; i < count; ++i) {
    event.received_at = system_clock().wall() - std::chrono::hours(48);
    event.id = ids.next(event.received_at);
    event.key = repository_of(i);
    event.body = body_of(i);
    while (i - done > 20'000) std::this_thread::yield();
    log.value()->append(event, [&](const Result<Offset>& at) {
      if (!at) ++failed;
      ++done;
    });
  }
  log.value()->close();
  return failed == 0 ? 0 : 1;
}

int scan(const std::string& directory) {
  auto view = event_log::open_view(os::local_file_system(), directory);
  if (!view) return std::fprintf(stderr, "%s\n", view.error().message.c_str()), 1;
  event_log::Reader reader(os::local_file_system(), view.value());
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t events = 0, bytes = 0;
  for (Offset at{0}; at < view.value()->durable_end();) {
    auto read = reader.read(at, view.value()->durable_end(), {});
    if (!read || read.value().next <= at) return 1;
    for (const auto& event : read.value().events) bytes += event->body.size();
    events += read.value().events.size();
    at = read.value().next;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::printf("{\"events\":%llu,\"body_bytes\":%llu,\"seconds\":%.4f}\n", static_cast<unsigned long long>(events), static_cast<unsigned long long>(bytes), seconds);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "requests") == 0) return requests(std::strtoull(argv[2], nullptr, 10), argv[3]);
  if (argc == 4 && std::strcmp(argv[1], "fill") == 0) return fill(argv[2], std::strtoull(argv[3], nullptr, 10));
  if (argc == 3 && std::strcmp(argv[1], "scan") == 0) return scan(argv[2]);
  return std::fprintf(stderr, "usage: bench_events requests COUNT SECRET | fill DIRECTORY COUNT | scan DIRECTORY\n"), 2;
}
