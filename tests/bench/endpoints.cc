// What deliveries to HTTP endpoints cost: the event log, the engine and the endpoints of the host in one process, a receiver in another.
//
//   bench_endpoints deliver DIRECTORY URL ENDPOINTS EVENTS OTHERS   EVENTS events, each to ENDPOINTS endpoints (URL/0, URL/1, ...), while OTHERS
//                                                                   more are registered, of other teams
//   bench_endpoints hanging DIRECTORY URL EVENTS HANGING            99 endpoints, and HANGING more whose receiver never answers
//   bench_endpoints latency DIRECTORY EVENTS                        one event after the other, a receiver in this process
//   bench_endpoints curl URL CONNECTIONS REQUESTS BODY_BYTES        the same requests from a plain loop over libcurl's multi interface
//
// Each prints one line of JSON: {"deliveries":N,"seconds":S,...}, the time from the first event on; latency: microseconds from the call that appends
// the event to the request at its receiver, the commit to the disk included.
#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>

#include "base/event_id.h"
#include "delivery/engine.h"
#include "delivery/log_feed.h"
#include "endpoints/endpoint_subscriber.h"
#include "event_log/event_log.h"
#include "os/file_system.h"
#include "state/delivery_store.h"
#include "support/http_receiver.h"
#include "support/poll.h"

namespace {

using namespace hookhost;
using namespace std::chrono_literals;

double seconds_since(std::chrono::steady_clock::time_point begun) { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count(); }

void print(std::uint64_t deliveries, double seconds) {
  std::printf("{\"deliveries\":%llu,\"seconds\":%.3f,\"per_second\":%.0f}\n", static_cast<unsigned long long>(deliveries), seconds, static_cast<double>(deliveries) / seconds);
}

// Waiting for it costs nothing, unlike for a std::counting_semaphore, which spins.
class Count {
 public:
  void add() {
    const std::scoped_lock lock(mutex_);
    ++count_;
    changed_.notify_all();
  }
  void wait_for(std::uint64_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return count_ >= count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t count_ = 0;
};

// The rooms of a host that deliveries pass through.
struct Service {
  explicit Service(const std::string& directory) {
    log = event_log::EventLog::open(os::local_file_system(), {.directory = directory + "/events"}, system_clock()).value();
    store = state::DeliveryStore::open(directory + "/delivery.db").value();
    feed = std::make_unique<delivery::LogFeed>(*log, ids, system_clock());
    engine = std::make_unique<delivery::Engine>(*feed, *store, system_clock());
    if (!engine->start()) std::abort();
  }
  ~Service() { engine->stop(system_clock().monotonic() + 5s); }

  void add(const std::string& name, const std::string& url, const std::string& team, std::uint32_t concurrency) {
    endpoints::Endpoint endpoint{.id = SubscriberId(name), .url = url, .team = team, .events = {Pattern{}}, .secrets = {{"bench-secret", {}}}, .concurrency = concurrency, .allow_http = true};
    endpoint.allowed_networks = {parse_network("127.0.0.0/8").value()};
    const auto options = endpoints::subscriber_options(endpoint);
    if (!engine->accept(options.id, "endpoint", {.kind = delivery::StartAt::Kind::now})) std::abort();
    if (!engine->attach(options, endpoints::make_subscriber(std::move(endpoint), sender))) std::abort();
    added.push_back(options.id);
  }
  void wait_until_live() {
    for (const SubscriberId& id : added) wait_for(id, [](const delivery::SubscriberStatus& status) { return status.state == "live"; });
  }
  void append(std::uint64_t count) {
    constexpr std::uint64_t waiting_max = 10'000;
    Count done;
    event_log::Event event;
    event.source = event.provider = "kakiyo";
    event.type = "linkedin.message.received";
    event.team = "bench";
    event.content_type = "application/json";
    event.verified = true;
    for (std::uint64_t n = 0; n < count; ++n) {
      event.received_at = system_clock().wall();
      event.id = ids.next(event.received_at);
      event.key = "chat_" + std::to_string(n % 1000);
      event.body = R"({"event":"linkedin.message.received","teamId":"bench","data":{"message":")" + std::string(620, 'm') + "\"}}";
      if (n >= waiting_max) done.wait_for(n - waiting_max + 1);
      log->append(event, [&](const Result<Offset>&) { done.add(); });
    }
    done.wait_for(count);
  }
  void wait_until_delivered(std::uint64_t endpoints, std::uint64_t events) {
    for (std::uint64_t n = 0; n < endpoints; ++n) {
      wait_for(SubscriberId("e" + std::to_string(n)), [&](const delivery::SubscriberStatus& status) { return status.outcomes.ok >= events; });
    }
  }

  template <class Condition>
  void wait_for(const SubscriberId& id, Condition condition) {
    if (test::poll_until([&] { return condition(engine->status(id).value()); }, 10min)) return;
    std::fprintf(stderr, "%s did not get there within ten minutes\n", id.value.c_str());
    std::exit(1);
  }

  std::vector<SubscriberId> added;
  EventIdGenerator ids;
  http_client::Transfers transfers;
  endpoints::Sender sender{transfers, "hookhost/bench", system_clock()};
  std::unique_ptr<event_log::EventLog> log;
  std::unique_ptr<state::DeliveryStore> store;
  std::unique_ptr<delivery::LogFeed> feed;
  std::unique_ptr<delivery::Engine> engine;
};

void measure(Service& service, std::uint64_t events, std::uint64_t endpoints) {
  const auto begun = std::chrono::steady_clock::now();
  service.append(events);
  service.wait_until_delivered(endpoints, events);
  print(events * endpoints, seconds_since(begun));
}

int deliver(const std::string& directory, const std::string& url, std::uint64_t endpoints, std::uint64_t events, std::uint64_t others) {
  Service service(directory);
  const auto concurrency = static_cast<std::uint32_t>(endpoints == 1 ? 64 : endpoints <= 10 ? 16 : 4);
  const auto begun = std::chrono::steady_clock::now();
  for (std::uint64_t n = 0; n < others; ++n) service.add("other" + std::to_string(n), "http://127.0.0.1:9/", "team" + std::to_string(n % 1000), 8);
  for (std::uint64_t n = 0; n < endpoints; ++n) service.add("e" + std::to_string(n), url + "/" + std::to_string(n), "bench", concurrency);
  service.wait_until_live();
  std::fprintf(stderr, "%llu registered and live after %.1f s\n", static_cast<unsigned long long>(endpoints + others), seconds_since(begun));
  measure(service, events, endpoints);
  return 0;
}

int hanging(const std::string& directory, const std::string& url, std::uint64_t events, std::uint64_t hanging) {
  test::HttpReceiver silent(test::HttpReceiver::Serve([](int peer, const std::string&) {
    char byte = 0;
    return ::recv(peer, &byte, 1, MSG_PEEK) > 0;  // until the other side gives up
  }));
  {
    Service service(directory);
    for (int n = 0; n < 99; ++n) service.add("e" + std::to_string(n), url + "/" + std::to_string(n), "bench", 4);
    for (std::uint64_t n = 0; n < hanging; ++n) service.add("hangs" + std::to_string(n), silent.url(), "bench", 4);
    service.wait_until_live();
    measure(service, events, 99);
  }
  return 0;
}

int latency(const std::string& directory, std::uint64_t events) {
  using Time = std::chrono::steady_clock::time_point;
  std::vector<double> took;
  Time asked;
  Count received;
  test::HttpReceiver receiver(test::HttpReceiver::Answer([&](const std::string&) {
    took.push_back(std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - asked).count());
    received.add();
    return test::HttpReceiver::status(200);
  }));
  Service service(directory);
  service.add("e0", receiver.url(), "bench", 4);
  service.wait_until_live();
  for (std::uint64_t n = 0; n < events; ++n) {
    asked = std::chrono::steady_clock::now();
    service.append(1);
    received.wait_for(n + 1);
  }
  std::sort(took.begin(), took.end());
  std::printf("{\"deliveries\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n", took.size(), took[took.size() / 2], took[took.size() * 99 / 100]);
  return 0;
}

// Those of a delivery.
constexpr const char* kHeaders[] = {"Expect:", "Content-Type: application/json", "User-Agent: hookhost/bench",
                                    "X-Kakiyo-Signature: 0000000000000000000000000000000000000000000000000000000000000000",
                                    "webhook-id: evt_01KAXXXXXXXXXXXXXXXXXXXXXX", "webhook-timestamp: 1764000000",
                                    "webhook-signature: v1,00000000000000000000000000000000000000000000", "Hookhost-Type: linkedin.message.received",
                                    "Hookhost-Source: kakiyo", "Hookhost-Attempt: 1"};

std::size_t nothing(char*, std::size_t, std::size_t size, void*) { return size; }

int plain_curl(const std::string& url, std::size_t connections, std::uint64_t requests, std::size_t body_bytes) {
  const std::string body(body_bytes, 'm');
  CURLM* const multi = curl_multi_init();
  curl_slist* headers = nullptr;
  for (const char* header : kHeaders) headers = curl_slist_append(headers, header);
  const auto begun = std::chrono::steady_clock::now();
  std::uint64_t asked = 0, done = 0;
  for (; asked < connections; ++asked) {
    CURL* const easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, nothing);
    curl_multi_add_handle(multi, easy);
  }
  while (done < requests) {
    int running = 0, left = 0;
    curl_multi_perform(multi, &running);
    while (CURLMsg* const message = curl_multi_info_read(multi, &left)) {
      CURL* const easy = message->easy_handle;
      if (message->data.result != CURLE_OK) return std::fprintf(stderr, "%s\n", curl_easy_strerror(message->data.result)), 1;
      ++done;
      curl_multi_remove_handle(multi, easy);
      if (asked < requests) {
        ++asked;
        curl_multi_add_handle(multi, easy);
      } else {
        curl_easy_cleanup(easy);
      }
    }
    curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  print(done, seconds_since(begun));
  curl_multi_cleanup(multi);
  curl_slist_free_all(headers);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const auto number = [&](int at) { return std::strtoull(argv[at], nullptr, 10); };
  if (argc == 7 && std::strcmp(argv[1], "deliver") == 0) return deliver(argv[2], argv[3], number(4), number(5), number(6));
  if (argc == 6 && std::strcmp(argv[1], "hanging") == 0) return hanging(argv[2], argv[3], number(4), number(5));
  if (argc == 4 && std::strcmp(argv[1], "latency") == 0) return latency(argv[2], number(3));
  if (argc == 6 && std::strcmp(argv[1], "curl") == 0) return plain_curl(argv[2], number(3), number(4), number(5));
  return std::fprintf(stderr, "usage: bench_endpoints deliver|hanging|latency|curl ..., see the head of endpoints.cc\n"), 2;
}
