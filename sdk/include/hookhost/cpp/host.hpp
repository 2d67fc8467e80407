// The host as one instance sees it: diagnostics, metrics, the clock, the configuration.
#ifndef HOOKHOST_CPP_HOST_HPP
#define HOOKHOST_CPP_HOST_HPP

#include <hookhost/cpp/values.hpp>

#include <initializer_list>
#include <limits>
#include <vector>

namespace hookhost {

enum class LogLevel : std::int32_t { trace, debug, info, warn, error };

// metrics/1. Names are [a-z0-9_]+ and appear as hookhost_plugin_<name>. Without the extension nothing is counted. [any]
class Metrics {
 public:
  explicit Metrics(const hookhost_host* host)
      : host_(host), table_(static_cast<const hookhost_metrics_v1*>(host->get_extension(host, str(HOOKHOST_EXT_METRICS)))) {}
  [[nodiscard]] explicit operator bool() const { return table_ != nullptr; }
  void count(std::string_view name, double by = 1) const {
    if (table_ != nullptr) table_->count(host_, str(name), by);
  }
  void gauge(std::string_view name, double value) const {
    if (table_ != nullptr) table_->gauge(host_, str(name), value);
  }

 private:
  const hookhost_host* host_;
  const hookhost_metrics_v1* table_;
};

// Copy it freely; it lives until the instance is destroyed. [any]
class Host {
 public:
  explicit Host(const hookhost_host* host) : host_(host) {}

  // `fields`: name, value, name, value... The host adds instance, offset and id, and cuts floods.
  void log(LogLevel level, std::string_view text, std::initializer_list<std::string_view> fields = {}) const {
    std::vector<hookhost_str> pairs;
    pairs.reserve(fields.size());
    for (const std::string_view field : fields) pairs.push_back(str(field));
    host_->log(host_, static_cast<std::int32_t>(level), str(text), pairs.data(), pairs.size() / 2);
  }
  void info(std::string_view text) const { say(LogLevel::info, text); }
  void warn(std::string_view text) const { say(LogLevel::warn, text); }
  void error(std::string_view text) const { say(LogLevel::error, text); }

  [[nodiscard]] Time time() const { return Time(now()); }
  [[nodiscard]] std::chrono::nanoseconds now() const { return std::chrono::nanoseconds(host_->now(host_)); }  // since 1970
  [[nodiscard]] std::string_view instance() const { return view(host_->instance); }  // the name in the configuration
  [[nodiscard]] Metrics metrics() const { return Metrics(host_); }
  void count(std::string_view name, double by = 1) const { metrics().count(name, by); }
  void gauge(std::string_view name, double value) const { metrics().gauge(name, value); }
  [[nodiscard]] const hookhost_host* raw() const { return host_; }

 private:
  void say(LogLevel level, std::string_view text) const { host_->log(host_, static_cast<std::int32_t>(level), str(text), nullptr, 0); }

  const hookhost_host* host_;
};

namespace detail {

// "250ms", "30s", "5m", "2h", "30d" and sums such as "1m30s"; "0" needs no unit.
inline std::optional<std::chrono::nanoseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t ns;
  };
  static constexpr Unit kUnits[] = {{"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}, {"s", 1'000'000'000}, {"m", 60'000'000'000},
                                    {"h", 3'600'000'000'000}, {"d", 86'400'000'000'000}};
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  if (text == "0") return std::chrono::nanoseconds(0);
  if (text.empty()) return std::nullopt;
  std::int64_t sum = 0;
  while (!text.empty()) {
    std::int64_t number = 0;
    std::size_t digits = 0;
    for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
      if (digits == 18) return std::nullopt;
      number = number * 10 + (text[digits] - '0');
    }
    if (digits == 0) return std::nullopt;
    text.remove_prefix(digits);
    const Unit* unit = nullptr;
    for (const Unit& one : kUnits) {
      if (unit == nullptr && text.starts_with(one.name)) unit = &one;
    }
    if (unit == nullptr || number > (kMax - sum) / unit->ns) return std::nullopt;
    text.remove_prefix(unit->name.size());
    sum += number * unit->ns;
  }
  return std::chrono::nanoseconds(sum);
}

}  // namespace detail

// The instance's `config:`, by JSON pointer ("/channel"). A missing or wrong value throws ConfigError with its full name:
// "plugins.notify.config.channel: missing (notify needs a text)". With a fallback a missing or null value is the fallback, a wrong one an error.
class Config {
 public:
  Config(const hookhost_host* host, std::string_view json, std::string_view directory) : host_(host), json_(json), directory_(directory) {}

  [[nodiscard]] Json find(std::string_view pointer) const {
    hookhost_value value{};
    host_->config_json(host_, str(pointer), &value);
    return Json(value);
  }
  [[nodiscard]] bool has(std::string_view pointer) const {
    const Json value = find(pointer);
    return value.exists() && !value.is_null();
  }

  [[nodiscard]] std::string text(std::string_view pointer) const { return std::string(required(find(pointer).text(), pointer, "a text")); }
  [[nodiscard]] std::string text(std::string_view pointer, std::string_view fallback) const {
    return has(pointer) ? text(pointer) : std::string(fallback);
  }
  [[nodiscard]] std::int64_t integer(std::string_view pointer) const { return required(find(pointer).integer(), pointer, "a whole number"); }
  [[nodiscard]] std::int64_t integer(std::string_view pointer, std::int64_t fallback) const { return has(pointer) ? integer(pointer) : fallback; }
  [[nodiscard]] double number(std::string_view pointer) const { return required(find(pointer).number(), pointer, "a number"); }
  [[nodiscard]] double number(std::string_view pointer, double fallback) const { return has(pointer) ? number(pointer) : fallback; }
  [[nodiscard]] bool boolean(std::string_view pointer) const { return required(find(pointer).boolean(), pointer, "true or false"); }
  [[nodiscard]] bool boolean(std::string_view pointer, bool fallback) const { return has(pointer) ? boolean(pointer) : fallback; }
  // A text such as "30s", "1m30s" or "250ms".
  [[nodiscard]] std::chrono::nanoseconds duration(std::string_view pointer) const {
    const auto written = find(pointer).text();
    return required(written ? detail::parse_duration(*written) : std::nullopt, pointer, "a duration such as 30s");
  }
  [[nodiscard]] std::chrono::nanoseconds duration(std::string_view pointer, std::chrono::nanoseconds fallback) const {
    return has(pointer) ? duration(pointer) : fallback;
  }
  // A list of texts; empty when it is missing.
  [[nodiscard]] std::vector<std::string> texts(std::string_view pointer) const {
    std::vector<std::string> out;
    if (!has(pointer)) return out;
    if (!find(pointer).is_array()) required(std::optional<bool>(), pointer, "a list of texts");
    for (std::string at; has(at = std::string(pointer) + "/" + std::to_string(out.size()));) out.push_back(text(at));
    return out;
  }
  // A text as a path: relative to the configuration's directory unless it begins with '/'.
  [[nodiscard]] std::string path(std::string_view pointer) const {
    std::string value = text(pointer);
    return value.starts_with('/') ? value : std::string(directory_) + "/" + value;
  }

  [[nodiscard]] std::string_view json() const { return json_; }            // the whole; lives for the constructor's call
  [[nodiscard]] std::string_view directory() const { return directory_; }  // of the configuration file; the same

 private:
  template <class T>
  T required(std::optional<T> value, std::string_view pointer, const char* what) const {
    if (value) return *value;
    const std::string instance(view(host_->instance));
    throw ConfigError("plugins." + instance + ".config" + dotted(pointer) + ": " + (has(pointer) ? "wrong" : "missing") + " (" + instance + " needs " +
                      what + ")");
  }
  // "/a~1b/c" -> ".a/b.c"
  static std::string dotted(std::string_view pointer) {
    std::string out;
    for (std::size_t i = 0; i < pointer.size(); ++i) {
      if (pointer[i] == '~' && i + 1 < pointer.size()) {
        out += pointer[++i] == '1' ? '/' : '~';
      } else {
        out += pointer[i] == '/' ? '.' : pointer[i];
      }
    }
    return out;
  }

  const hookhost_host* host_;
  std::string_view json_;
  std::string_view directory_;
};

}  // namespace hookhost

#endif
