#include "base/units.h"

#include <array>
#include <cstdio>
#include <limits>

#include "base/bytes.h"

namespace hookhost {
namespace {

using namespace std::chrono_literals;

struct DurationUnit {
  std::string_view name;
  Duration size;
};
constexpr std::array<DurationUnit, 7> kDurations{{{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}, {"us", 1us}, {"ns", 1ns}}};

struct BytesUnit {
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array<BytesUnit, 10> kBytes{{{"", 1},
                                            {"B", 1},
                                            {"KiB", 1_KiB},
                                            {"MiB", 1_MiB},
                                            {"GiB", 1_GiB},
                                            {"TiB", 1024_GiB},
                                            {"kB", 1000},
                                            {"MB", 1000'000},
                                            {"GB", 1000'000'000},
                                            {"TB", 1000'000'000'000}}};

// Splits "30d rest" into 30, "d", and leaves the rest.
bool take_part(std::string_view& text, std::uint64_t& number, std::string_view& unit) {
  const auto digits = text.find_first_not_of("0123456789");
  const auto value = parse_u64(text.substr(0, digits));
  if (!value) return false;
  number = *value;
  text.remove_prefix(digits == std::string_view::npos ? text.size() : digits);
  const auto next = text.find_first_of("0123456789");
  unit = text.substr(0, next);
  text.remove_prefix(next == std::string_view::npos ? text.size() : next);
  return true;
}

}  // namespace

Result<Duration> parse_duration(std::string_view text) {
  const std::string_view whole = text;
  const auto wrong = [&] {
    return fail(ErrorCode::usage, "'" + std::string(whole) + "' is not a duration: write a number and a unit, such as 250ms, 10s, 5m, 2h or 30d");
  };
  if (text == "0") return Duration{0};
  Duration sum{0};
  do {
    std::uint64_t number = 0;
    std::string_view unit;
    if (!take_part(text, number, unit)) return wrong();
    bool known = false;
    for (const auto& [name, size] : kDurations) {
      if (name != unit) continue;
      const auto room = static_cast<std::uint64_t>((Duration::max() - sum) / size);
      if (number > room) return wrong();
      sum += size * static_cast<std::int64_t>(number);
      known = true;
    }
    if (!known) return wrong();
  } while (!text.empty());
  return sum;
}

std::string format_duration(Duration duration) {
  if (duration == Duration{0}) return "0s";
  std::string out = duration < Duration{0} ? "-" : "";
  if (duration < Duration{0}) duration = -duration;
  for (const auto& [name, size] : kDurations) {
    if (const auto count = duration / size; count > 0) {
      out += std::to_string(count) + std::string(name);
      duration -= size * count;
    }
  }
  return out;
}

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::string_view rest = text, unit;
  std::uint64_t number = 0;
  if (take_part(rest, number, unit) && rest.empty()) {
    for (const auto& [name, size] : kBytes) {
      if (name == unit && number <= std::numeric_limits<std::uint64_t>::max() / size) return number * size;
    }
  }
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is not a size: write a number and a unit, such as 512, 16KiB, 5MiB or 20GiB");
}

std::string format_bytes(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  char out[32];
  std::snprintf(out, sizeof out, unit == 0 ? "%.0f %s" : "%.1f %s", value, kUnits[unit].data());
  return out;
}

}  // namespace hookhost
