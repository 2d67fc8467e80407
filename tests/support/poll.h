// Waiting without sleeping for luck: a condition is looked at again and again until a deadline. Seeds are printed and accepted.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <string>
#include <thread>

namespace hookhost::test {

// True as soon as `condition` is; false after `within`, which is generous, because machines are slow under sanitizers.
template <class Condition>
bool poll_until(Condition condition, std::chrono::milliseconds within = std::chrono::seconds{30}) {
  const auto deadline = std::chrono::steady_clock::now() + within;
  std::mutex mutex;
  std::condition_variable never;
  for (;;) {
    if (condition()) return true;
    if (std::chrono::steady_clock::now() >= deadline) return false;
    std::unique_lock lock(mutex);
    never.wait_for(lock, std::chrono::milliseconds{1});
  }
}

// HOOKHOST_SEED when it is set, else a new one; printed, so that a failure can be repeated.
inline std::uint64_t seed() {
  const char* given = std::getenv("HOOKHOST_SEED");
  const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "HOOKHOST_SEED=" << value << std::endl;
  return value;
}

// --quick of tests/run.sh.
inline bool quick() { return std::getenv("HOOKHOST_QUICK") != nullptr; }

}  // namespace hookhost::test
