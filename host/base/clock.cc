#include "base/clock.h"

#include <cstdio>

namespace hookhost {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] MonotonicTime monotonic() const override {
    return std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now());
  }
};

// Takes exactly `digits` decimal digits from the front of `text`.
bool take_number(std::string_view& text, int digits, int& out) {
  if (text.size() < static_cast<std::size_t>(digits)) return false;
  out = 0;
  for (int i = 0; i < digits; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') return false;
    out = out * 10 + (c - '0');
  }
  text.remove_prefix(static_cast<std::size_t>(digits));
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// ".25" and the like: up to nine digits count, more are read and cut.
bool take_fraction(std::string_view& text, std::int64_t& ns) {
  ns = 0;
  if (!take(text, '.') && !take(text, ',')) return true;
  std::int64_t scale = 100'000'000;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    ns += (text.front() - '0') * scale;
    scale /= 10;
    any = true;
    text.remove_prefix(1);
  }
  return any;
}

bool take_zone(std::string_view& text, std::chrono::minutes& offset) {
  offset = std::chrono::minutes{0};
  if (text.empty() || take(text, 'Z') || take(text, 'z')) return true;
  const bool minus = text.front() == '-';
  if (!minus && text.front() != '+') return false;
  text.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!take_number(text, 2, hours)) return false;
  take(text, ':');
  if (!text.empty() && !take_number(text, 2, minutes)) return false;
  if (hours > 23 || minutes > 59) return false;
  offset = std::chrono::minutes{(hours * 60 + minutes) * (minus ? -1 : 1)};
  return true;
}

}  // namespace

const Clock& system_clock() {
  static const auto* const clock = new SystemClock;  // never destroyed: a written-off thread of a plugin may outlive main()
  return *clock;
}

WallTime ManualClock::wall() const {
  const std::scoped_lock lock(mutex_);
  return wall_;
}
MonotonicTime ManualClock::monotonic() const {
  const std::scoped_lock lock(mutex_);
  return monotonic_;
}
void ManualClock::advance(Duration by) {
  const std::scoped_lock lock(mutex_);
  wall_ += by;
  monotonic_ += by;
}
void ManualClock::step_wall(Duration by) {
  const std::scoped_lock lock(mutex_);
  wall_ += by;
}

std::string to_rfc3339(WallTime time) {
  using namespace std::chrono;
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss<nanoseconds> clock{time - day};
  char out[48];
  std::snprintf(out, sizeof out, "%04d-%02u-%02uT%02d:%02d:%02d.%09dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()), static_cast<int>(clock.subseconds().count()));
  return out;
}

Result<WallTime> parse_time(std::string_view text) {
  const std::string whole(text);
  auto wrong = [&] {
    return fail(ErrorCode::usage, "'" + whole + "' is not a time: write 2026-11-23 or 2026-11-23T09:30:00Z (UTC without a zone)");
  };
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  std::int64_t ns = 0;
  std::chrono::minutes zone{0};
  if (!take_number(text, 4, year) || !take(text, '-') || !take_number(text, 2, month) || !take(text, '-') || !take_number(text, 2, day)) {
    return wrong();
  }
  const auto date = std::chrono::year{year} / month / day;
  if (!date.ok()) return wrong();
  if (!text.empty()) {
    if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return wrong();
    if (!take_number(text, 2, hour) || !take(text, ':') || !take_number(text, 2, minute)) return wrong();
    if (take(text, ':') && (!take_number(text, 2, second) || !take_fraction(text, ns))) return wrong();
    if (!take_zone(text, zone) || !text.empty() || hour > 23 || minute > 59 || second > 60) return wrong();
  }
  // The range of nanoseconds in 64 bits: 1678 to 2261.
  if (year < 1700 || year > 2260) return wrong();
  return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{hour} + std::chrono::minutes{minute} + std::chrono::seconds{second} +
         Duration{ns} - zone;
}

}  // namespace hookhost
