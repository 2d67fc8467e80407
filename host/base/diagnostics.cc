#include "base/diagnostics.h"

#include <atomic>
#include <cstdio>
#include <memory>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include "base/clock.h"
#include "base/printable.h"

namespace hookhost {
namespace {

std::atomic<bool> write_json{false};

spdlog::level::level_enum native(Level level) {
  switch (level) {
    case Level::trace: return spdlog::level::trace;
    case Level::debug: return spdlog::level::debug;
    case Level::info: return spdlog::level::info;
    case Level::warn: return spdlog::level::warn;
    case Level::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

constexpr std::string_view kNames[] = {"trace", "debug", "info", "warn", "error"};

// Never destroyed: threads of plugins may write while the process ends.
spdlog::logger& logger() {
  static auto* instance = [] {
    auto* made = new spdlog::logger("hookhost", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
    made->set_level(spdlog::level::info);
    made->set_pattern("%v");
    made->flush_on(spdlog::level::trace);
    return made;
  }();
  return *instance;
}

// Control characters are escaped in both forms, so that no input can forge a line; bytes that are no UTF-8 too, so that a line is always
// JSON.
void append_escaped(std::string& out, std::string_view text, bool quotes) {
  std::string marked;
  for (const char c : text) {
    if (c == '\\' || (c == '"' && quotes)) marked += '\\';
    marked += c;
  }
  out += printable(marked);
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += out.size() == 1 ? "\"" : ",\"";
  append_escaped(out, name, true);
  out += "\":\"";
  append_escaped(out, value, true);
  out += '"';
}

std::string json_line(Level level, std::string_view room, std::string_view message, std::initializer_list<Field> fields) {
  std::string line = "{";
  append_member(line, "time", to_rfc3339(system_clock().wall()));
  append_member(line, "level", kNames[static_cast<std::size_t>(level)]);
  append_member(line, "room", room);
  append_member(line, "message", message);
  for (const Field& field : fields) append_member(line, field.name, field.value);
  line += '}';
  return line;
}

std::string text_line(Level level, std::string_view room, std::string_view message, std::initializer_list<Field> fields) {
  std::string line = to_rfc3339(system_clock().wall());
  line += ' ';
  line += kNames[static_cast<std::size_t>(level)];
  line += ' ';
  line += room;
  line += ": ";
  append_escaped(line, message, false);
  for (const Field& field : fields) {
    line += ' ';
    line += field.name;
    line += '=';
    const bool quote = field.value.empty() || field.value.find_first_of(" \"=") != std::string::npos;
    if (quote) line += '"';
    append_escaped(line, field.value, quote);
    if (quote) line += '"';
  }
  return line;
}

}  // namespace

void configure_diagnostics(const DiagnosticsOptions& options) {
  write_json.store(options.json);
  logger().set_level(native(options.level));
}

Result<Level> parse_level(std::string_view text) {
  for (std::size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == text) return static_cast<Level>(i);
  }
  return fail(ErrorCode::usage, "'" + std::string(text) + "' is not a level: use trace, debug, info, warn or error");
}

void diagnose(Level level, std::string_view room, std::string_view message, std::initializer_list<Field> fields) {
  if (!logger().should_log(native(level))) return;
  const std::string line = write_json.load() ? json_line(level, room, message, fields) : text_line(level, room, message, fields);
  logger().log(native(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace hookhost
