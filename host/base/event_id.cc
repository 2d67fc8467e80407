#include "base/event_id.h"

#include <random>
#include <tuple>

namespace hookhost {
namespace {

constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";  // Crockford's: no I, L, O, U
constexpr std::string_view kPrefix = "evt_";
constexpr std::size_t kDigits = 26;
constexpr std::uint64_t kMillisecondsMax = (std::uint64_t{1} << 48) - 1;

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

// splitmix64 (Steele, Lea, Flood 2014): ids need to be unlike each other, not secret.
std::uint64_t splitmix(std::uint64_t& state) {
  state += 0x9e3779b97f4a7c15;
  std::uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

EventIdGenerator::EventIdGenerator() : EventIdGenerator(random_seed()) {}
EventIdGenerator::EventIdGenerator(std::uint64_t seed) : state_(seed) {}

std::uint64_t EventIdGenerator::random() { return splitmix(state_); }

EventId EventIdGenerator::next(WallTime now) {
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count();
  const std::uint64_t ms = since < 0 ? 0 : static_cast<std::uint64_t>(since) & kMillisecondsMax;
  const std::scoped_lock lock(mutex_);
  if (ms > ms_) {
    ms_ = ms;
    high_ = static_cast<std::uint16_t>(random() & 0x7fff);  // the top bit stays free, so that counting up cannot overflow
    low_ = random();
  } else if (++low_ == 0) {
    ++high_;
  }
  std::string text(kPrefix.size() + kDigits, '0');
  kPrefix.copy(text.data(), kPrefix.size());
  char* digits = text.data() + kPrefix.size();
  for (int i = 0; i < 10; ++i) digits[i] = kAlphabet[ms_ >> (45 - 5 * i) & 31];
  // 80 bits in 16 digits, from the low end.
  std::uint64_t low = low_, high = high_;
  for (int i = 25; i >= 10; --i) {
    digits[i] = kAlphabet[low & 31];
    low = low >> 5 | high << 59;
    high >>= 5;
  }
  return EventId{std::move(text)};
}

void EventIdGenerator::resume_after(const EventId& last) {
  if (!is_event_id(last.value)) return;
  std::uint64_t ms = 0, high = 0, low = 0;
  const std::string_view digits = std::string_view(last.value).substr(kPrefix.size());
  for (std::size_t i = 0; i < kDigits; ++i) {
    const std::uint64_t digit = kAlphabet.find(digits[i]);
    if (i < 10) {
      ms = ms << 5 | digit;
    } else {
      high = (high << 5 | low >> 59) & 0xffff;
      low = low << 5 | digit;
    }
  }
  const std::scoped_lock lock(mutex_);
  if (std::tie(ms, high, low) < std::tuple<std::uint64_t, std::uint64_t, std::uint64_t>{ms_, high_, low_}) return;
  ms_ = ms;
  high_ = static_cast<std::uint16_t>(high);
  low_ = low;
}

bool is_event_id(std::string_view text) {
  return text.size() == kPrefix.size() + kDigits && text.starts_with(kPrefix) && text[kPrefix.size()] <= '7' &&
         text.find_first_not_of(kAlphabet, kPrefix.size()) == std::string_view::npos;
}

RequestId make_request_id() {
  thread_local std::uint64_t state = random_seed();
  std::uint64_t bits = splitmix(state);
  std::string text = "req_";
  for (int i = 0; i < 16; ++i) {
    if (i == 12) bits = splitmix(state);
    text += kAlphabet[bits & 31];
    bits >>= 5;
  }
  return RequestId{std::move(text)};
}

}  // namespace hookhost
