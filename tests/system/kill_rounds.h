// Lives of a host that each end by kill -9, at random moments and at the named failpoints, and providers that send whatever was not answered
// again, as providers do.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <random>
#include <span>
#include <thread>

#include "system/journal.h"

namespace hookhost::test {

// Where a life ends: at one of the first so many passes.
struct Failpoint {
  const char* name;
  std::uint64_t passes;
};

// What an answer says; an empty id: it was not 2xx, or there was none.
struct Receipt {
  std::string id, status;
};

// What a provider knows: which body was answered with which id, and what it still has to send again.
class Provider {
 public:
  using Send = std::function<Receipt(const std::string& body)>;
  struct Way {
    std::function<Send(std::uint16_t port)> connect;                           // a connection of one sender
    std::function<std::string(std::mt19937_64& random, std::int64_t n)> body;  // of event n; each is another
    int senders = 1;
  };

  Provider(std::uint64_t seed, Way way) : random_(seed), way_(std::move(way)) {}

  // Sends until the host is gone; what was not answered comes again in the next round.
  void send_until_gone(std::uint16_t port) {
    std::vector<std::thread> threads;
    for (int i = 0; i < way_.senders; ++i) {
      threads.emplace_back([this, port] {
        const Send send = way_.connect(port);
        while (send_one(send)) {
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  void send_the_rest(std::uint16_t port) {
    const Send send = way_.connect(port);
    while (!unanswered_.empty()) ASSERT_TRUE(send_one(send));
  }
  [[nodiscard]] const std::map<std::string, std::string>& answered() const { return answered_; }  // id to body
  [[nodiscard]] int sent_again() const { return sent_again_; }

 private:
  static constexpr std::uint64_t kAgainOneIn = 8;  // sends of what was answered before

  bool send_one(const Send& send) {
    if (const auto known = sometimes_answered()) return send_again(send, known->first, known->second);
    const std::string body = next();
    const Receipt receipt = send(body);
    const std::scoped_lock lock(mutex_);
    if (receipt.id.empty()) {
      unanswered_.push_back(body);
      return false;
    }
    const auto [known, is_new] = answered_.emplace(receipt.id, body);
    EXPECT_TRUE(is_new || known->second == body) << "one id for two events: " << receipt.id;
    return true;
  }
  // As a provider that did not take note of the answer, perhaps of an earlier life.
  bool send_again(const Send& send, const std::string& id, const std::string& body) {
    const Receipt again = send(body);
    if (again.id.empty()) return false;
    EXPECT_EQ(again.id, id) << "a duplicate is answered with the first one's id";
    EXPECT_EQ(again.status, "duplicate");
    ++sent_again_;
    return true;
  }
  std::optional<std::pair<std::string, std::string>> sometimes_answered() {
    const std::scoped_lock lock(mutex_);
    if (answered_.empty() || std::uniform_int_distribution<std::uint64_t>(1, kAgainOneIn)(random_) > 1) return std::nullopt;
    // Ids begin with their time: any of them, old and new alike.
    auto it = answered_.begin();
    std::advance(it, std::uniform_int_distribution<std::size_t>(0, answered_.size() - 1)(random_));
    return *it;
  }
  std::string next() {
    const std::scoped_lock lock(mutex_);
    if (!unanswered_.empty()) {
      std::string body = unanswered_.back();
      unanswered_.pop_back();
      return body;
    }
    return way_.body(random_, ++made_);
  }

  std::mutex mutex_;
  std::mt19937_64 random_;
  const Way way_;
  std::int64_t made_ = 0;
  std::map<std::string, std::string> answered_;
  std::vector<std::string> unanswered_;
  std::atomic<int> sent_again_{0};
};

// The way of Kakiyo's webhooks.
inline Provider::Send send_to_source(std::uint16_t port) {
  return [sender = std::make_shared<KakiyoSender>(port)](const std::string& body) -> Receipt {
    const std::string id = sender->send(body);
    return {id, id.empty() ? "" : std::string(json::parse(sender->last().body).at("status").as_string())};
  };
}

class KilledHost : public SystemTest {
 protected:
  // One life of the host, ended by SIGKILL: from outside after a random time, every other one from a failpoint.
  void live_and_die(const std::vector<Provider*>& providers, std::size_t round, std::span<const Failpoint> failpoints) {
    std::vector<std::string> environment;
    const Failpoint* failpoint = round % 2 == 0 ? nullptr : &failpoints[round / 2 % failpoints.size()];
    if (failpoint != nullptr) {
      environment.push_back("HOOKHOST_FAILPOINTS=" + std::string(failpoint->name) + "=kill@" + std::to_string(1 + pick(failpoint->passes)));
    }
    const auto life = failpoint != nullptr ? failpoint_life_ : std::chrono::milliseconds{20 + pick(200)};
    ChildProcess& process = host.spawn({}, environment);
    ASSERT_TRUE(poll_until([&] { return process.ended() || host.is_ready(); })) << host.diagnostics();
    if (process.ended()) {
      note_fired(failpoint);
    } else {
      std::thread killer([&] {
        if (poll_until([&] { return process.ended().has_value(); }, life)) note_fired(failpoint);
        process.signal(SIGKILL);
      });
      std::vector<std::thread> threads;
      for (Provider* provider : providers) threads.emplace_back([&, provider] { provider->send_until_gone(host.public_port()); });
      for (auto& thread : threads) thread.join();
      killer.join();
    }
    ASSERT_EQ(process.wait(), 128 + SIGKILL) << host.diagnostics();
  }

  // What was answered is in the event log once, and nothing is there twice.
  static void is_in_the_log_once(const std::vector<Provider*>& providers, const std::vector<json::object>& events) {
    std::map<std::string, std::string> logged;
    std::set<std::string> bodies;
    std::int64_t expected = 0;
    for (const auto& event : events) {
      EXPECT_EQ(event.at("offset").to_number<std::int64_t>(), expected++) << "offsets are dense";
      const std::string id(event.at("id").as_string()), body(event.at("body").as_string());
      EXPECT_TRUE(logged.emplace(id, body).second) << id << " is in the event log twice";
      EXPECT_TRUE(bodies.insert(body).second) << "a webhook that was sent again is in the event log twice";
    }
    for (const Provider* provider : providers) {
      for (const auto& [id, body] : provider->answered()) {
        ASSERT_TRUE(logged.contains(id)) << id << " was answered and is missing";
        EXPECT_EQ(logged[id], body);
      }
    }
  }

  [[nodiscard]] std::uint64_t pick(std::uint64_t below) { return std::uniform_int_distribution<std::uint64_t>(0, below - 1)(random_); }

  std::chrono::milliseconds failpoint_life_{3000};  // one whose failpoint is not passed so often ends after this
  std::mt19937_64 random_;
  std::set<std::string> fired_;

 private:
  void note_fired(const Failpoint* failpoint) {
    ASSERT_NE(failpoint, nullptr) << "it ended by itself\n" << host.diagnostics();
    fired_.insert(failpoint->name);
  }
};

}  // namespace hookhost::test
