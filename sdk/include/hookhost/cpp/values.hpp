// Views, JSON values and outcomes: the small things that the rest of the C++ SDK is made of.
#ifndef HOOKHOST_CPP_VALUES_HPP
#define HOOKHOST_CPP_VALUES_HPP

#include <hookhost/abi.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace hookhost {

using namespace std::chrono_literals;

using Time = std::chrono::sys_time<std::chrono::nanoseconds>;

// Between the ABI's views and C++'s. What comes back shows the same bytes and lives as long as they do.
constexpr std::string_view view(hookhost_str text) { return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len); }
inline std::string_view view(hookhost_bytes bytes) {
  return bytes.ptr == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}
constexpr hookhost_str str(std::string_view text) { return {text.data() == nullptr ? "" : text.data(), text.size()}; }
inline hookhost_bytes bytes(std::string_view text) { return {reinterpret_cast<const std::uint8_t*>(str(text).ptr), text.size()}; }

// Whether it is UTF-8 (RFC 3629): bodies and headers are bytes of others and need not be.
constexpr bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const unsigned lead = byte(i);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || text.size() - i < length) return false;
    for (std::size_t j = 1; j < length; ++j) {
      if ((byte(i + j) & 0xC0U) != 0x80) return false;
    }
    // Overlong forms, surrogates, and what is above U+10FFFF.
    if (length > 2) {
      const unsigned second = byte(i + 1);
      if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) || (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) return false;
    }
    i += length;
  }
  return true;
}

// A value in the event's body or in the configuration. Its texts live as long as the event, or as the instance.
class Json {
 public:
  Json() = default;
  explicit Json(const hookhost_value& value) : value_(value) {}

  [[nodiscard]] bool exists() const { return value_.kind > HOOKHOST_VALUE_ABSENT && value_.kind <= HOOKHOST_VALUE_OBJECT; }
  [[nodiscard]] bool is_null() const { return value_.kind == HOOKHOST_VALUE_NULL; }
  [[nodiscard]] bool is_text() const { return value_.kind == HOOKHOST_VALUE_TEXT; }
  [[nodiscard]] bool is_array() const { return value_.kind == HOOKHOST_VALUE_ARRAY; }
  [[nodiscard]] bool is_object() const { return value_.kind == HOOKHOST_VALUE_OBJECT; }

  // Empty when the value is absent or of another kind; never an exception.
  [[nodiscard]] std::optional<std::string_view> text() const { return is_text() ? std::optional(view(value_.text)) : std::nullopt; }
  [[nodiscard]] std::string_view text_or(std::string_view fallback) const { return is_text() ? view(value_.text) : fallback; }
  [[nodiscard]] std::optional<std::int64_t> integer() const {
    return value_.kind == HOOKHOST_VALUE_INTEGER ? std::optional(value_.integer) : std::nullopt;
  }
  [[nodiscard]] std::optional<double> number() const {
    const bool is_number = value_.kind == HOOKHOST_VALUE_INTEGER || value_.kind == HOOKHOST_VALUE_NUMBER;
    return is_number ? std::optional(value_.number) : std::nullopt;
  }
  [[nodiscard]] std::optional<bool> boolean() const {
    if (value_.kind == HOOKHOST_VALUE_TRUE) return true;
    return value_.kind == HOOKHOST_VALUE_FALSE ? std::optional(false) : std::nullopt;
  }
  // An array or object as JSON text; empty for other kinds.
  [[nodiscard]] std::string_view raw() const { return is_array() || is_object() ? view(value_.text) : std::string_view{}; }

 private:
  hookhost_value value_{};
};

// What handle() answers, and what ends a deferred call.
class [[nodiscard]] Outcome {
 public:
  explicit Outcome(std::int32_t status, std::string error = {}) : status_(status), error_(std::move(error)) {}
  // With retry and unavailable: how long to wait, instead of the schedule's delay.
  Outcome after(std::chrono::nanoseconds delay) && {
    retry_after_ = delay;
    return std::move(*this);
  }
  [[nodiscard]] std::int32_t status() const { return status_; }
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] std::chrono::nanoseconds retry_after() const { return retry_after_; }

 private:
  std::int32_t status_;
  std::string error_;
  std::chrono::nanoseconds retry_after_{0};
};

inline Outcome ok() { return Outcome(HOOKHOST_OK); }                  // handled
inline Outcome ignored() { return Outcome(HOOKHOST_IGNORED); }        // handled, nothing to do; counted apart
inline Outcome deferred() { return Outcome(HOOKHOST_DEFERRED); }      // after call.defer(): the completion follows
inline Outcome retry(std::string error) { return Outcome(HOOKHOST_RETRY, std::move(error)); }    // this event failed, try it again later
inline Outcome reject(std::string error) { return Outcome(HOOKHOST_REJECT, std::move(error)); }  // it can never be handled: dead letter
// What the plugin depends on is down: the whole subscriber waits, no attempt is used up.
inline Outcome unavailable(std::string error) { return Outcome(HOOKHOST_UNAVAILABLE, std::move(error)); }

// Exceptions with a status of their own. Every other exception counts as HOOKHOST_RETRY.
struct StatusError : std::runtime_error {
  StatusError(std::int32_t status_of_it, const std::string& what) : std::runtime_error(what), status(status_of_it) {}
  std::int32_t status;
};
// From the constructor, start() and reconfigure(): the configuration is wrong; the host does not try again until it changes.
struct ConfigError : StatusError {
  explicit ConfigError(const std::string& what) : StatusError(HOOKHOST_BAD_CONFIG, what) {}
};
// From everywhere: what the plugin depends on is down.
struct UnavailableError : StatusError {
  explicit UnavailableError(const std::string& what) : StatusError(HOOKHOST_UNAVAILABLE, what) {}
};
// From the constructor and start(): this host lacks something that the plugin needs.
struct UnsupportedError : StatusError {
  explicit UnsupportedError(const std::string& what) : StatusError(HOOKHOST_UNSUPPORTED, what) {}
};

}  // namespace hookhost

#endif
