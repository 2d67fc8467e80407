// Diagnostics: what the host tells its operator, one line an occasion, as text or as JSON. ("Log" alone means this; the store of events
// is the event log.) The only header that stands for spdlog.
//
// Never in a diagnostic: secrets, bodies, the values of signature headers.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "base/result.h"

namespace hookhost {

enum class Level : std::uint8_t { trace, debug, info, warn, error };

// One value that the line carries beside its message; in JSON a member of its own.
struct Field {
  std::string_view name;
  std::string value;

  Field(std::string_view n, std::string v) : name(n), value(std::move(v)) {}
  Field(std::string_view n, const char* v) : name(n), value(v) {}
  Field(std::string_view n, std::string_view v) : name(n), value(v) {}
  template <class Integer>
    requires std::is_integral_v<Integer>
  Field(std::string_view n, Integer v) : name(n), value(std::to_string(v)) {}
};

struct DiagnosticsOptions {
  Level level = Level::info;
  bool json = false;
};

// Sets where lines go: standard error, from now on in this form. Before the first call: text, info and above.
void configure_diagnostics(const DiagnosticsOptions& options);

// "trace" ... "error". Error: usage, naming the five.
[[nodiscard]] Result<Level> parse_level(std::string_view text);

// Writes one line. `room` is the room's name. Threads: from every thread; a line is never torn. May block on a full pipe.
void diagnose(Level level, std::string_view room, std::string_view message, std::initializer_list<Field> fields = {});

}  // namespace hookhost
