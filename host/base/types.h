// The small strong types that every room speaks: index, count, bytes and offset are different words.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>

namespace hookhost {

// The place of an event in the event log: dense, from 0. The end of a log with n events is Offset{n}.
struct Offset {
  std::uint64_t value = 0;

  constexpr Offset() = default;
  constexpr explicit Offset(std::uint64_t v) : value(v) {}
  friend constexpr auto operator<=>(Offset, Offset) = default;
  [[nodiscard]] constexpr Offset next() const { return Offset{value + 1}; }
  [[nodiscard]] constexpr Offset plus(std::uint64_t count) const { return Offset{value + count}; }
  // How many offsets lie in [from, *this); 0 when from is not before this.
  [[nodiscard]] constexpr std::uint64_t distance_from(Offset from) const { return value > from.value ? value - from.value : 0; }
};

// A text with a meaning of its own, so that an event's id cannot be passed where a subscriber's name is wanted.
template <class Tag>
struct NamedText {
  std::string value;

  NamedText() = default;
  explicit NamedText(std::string v) : value(std::move(v)) {}
  friend auto operator<=>(const NamedText&, const NamedText&) = default;
  [[nodiscard]] bool empty() const { return value.empty(); }
};

using EventId = NamedText<struct EventIdTag>;            // "evt_" + 26 characters (event_id.h)
using SubscriberId = NamedText<struct SubscriberIdTag>;  // the name in the configuration, or an endpoint's id
using RequestId = NamedText<struct RequestIdTag>;        // "req_" + 16 characters: joins an answer and its diagnostics

// Which attempt of one delivery, from 1.
struct Attempt {
  std::uint32_t value = 1;
  friend constexpr auto operator<=>(Attempt, Attempt) = default;
};

}  // namespace hookhost

template <>
struct std::hash<hookhost::Offset> {
  std::size_t operator()(hookhost::Offset offset) const noexcept { return std::hash<std::uint64_t>{}(offset.value); }
};
template <class Tag>
struct std::hash<hookhost::NamedText<Tag>> {
  std::size_t operator()(const hookhost::NamedText<Tag>& text) const noexcept { return std::hash<std::string>{}(text.value); }
};
