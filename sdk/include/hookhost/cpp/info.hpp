// What a plugin says about itself. All of it is checked while compiling.
#ifndef HOOKHOST_CPP_INFO_HPP
#define HOOKHOST_CPP_INFO_HPP

#include <hookhost/abi.h>

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace hookhost {

namespace detail {

constexpr bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.' || c == '/';
}

constexpr bool is_name(std::string_view text) {
  for (const char c : text) {
    if (!is_name_character(c)) return false;
  }
  return !text.empty();
}

}  // namespace detail

// Patterns: "*", "prefix.*" or an exact type; "provider:" may stand before it. "*" and prefixes never match the host's own events, whose types
// begin with "hookhost."; only patterns that begin so do.
class Events {
 public:
  static constexpr std::size_t kMax = 32;
  consteval Events(std::initializer_list<const char*> patterns) {
    if (patterns.size() == 0 || patterns.size() > kMax) throw "events wants 1 to 32 patterns";
    for (const char* pattern : patterns) {
      const std::string_view whole(pattern);
      std::string_view types = whole;
      if (const auto colon = whole.find(':'); colon != std::string_view::npos) {
        if (!detail::is_name(whole.substr(0, colon))) throw "the provider before ':' is not a name";
        types.remove_prefix(colon + 1);
      }
      if (types != "*") {
        if (types.ends_with(".*")) types.remove_suffix(2);
        if (!detail::is_name(types)) throw "a pattern is *, prefix.*, an exact type, or one of these after provider:";
      }
      patterns_[count_++] = hookhost_str{pattern, whole.size()};
    }
  }
  [[nodiscard]] constexpr const hookhost_str* data() const { return patterns_.data(); }
  [[nodiscard]] constexpr std::size_t size() const { return count_; }

 private:
  std::array<hookhost_str, kMax> patterns_{};
  std::size_t count_ = 0;
};

enum class OnReplay : std::int32_t {
  ask = HOOKHOST_REPLAY_ASK,                // the operator must confirm a replay
  safe = HOOKHOST_REPLAY_SAFE,              // handling an event twice changes nothing
  reset_only = HOOKHOST_REPLAY_RESET_ONLY,  // only from a reset
};

// The least order that the plugin needs; the operator may only strengthen it.
enum class Order : std::int32_t { key = HOOKHOST_ORDER_KEY, none = HOOKHOST_ORDER_NONE, all = HOOKHOST_ORDER_ALL };

struct Info {
  std::string_view id;       // reverse DNS, 1 to 127 characters: "com.example.notify"
  std::string_view version;  // the plugin's own
  Events events;
  std::string_view name = {};  // for people; the id when empty
  std::string_view description = {};
  std::string_view config_schema = {};  // JSON Schema; properties with "writeOnly": true are never printed
  bool concurrent = false;              // handle() may run on several threads at once, never two with the same key
  OnReplay on_replay = OnReplay::ask;
  Order order = Order::key;
};

}  // namespace hookhost

#endif
