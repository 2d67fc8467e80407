#include "delivery/lane_key.h"

#include <boost/json.hpp>
#include <optional>

namespace hookhost::delivery {
namespace {

constexpr char kSeparator = '\x1f';
constexpr std::string_view kAll = "*";

// FNV-1a, so that a name hashes the same in pieces and as a whole.
class Hash {
 public:
  void add(std::string_view bytes) {
    for (const char c : bytes) add(c);
  }
  void add(char c) { state_ = (state_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL; }
  [[nodiscard]] LaneNumber number() const { return state_ == kNoLane ? 1 : state_; }

 private:
  std::uint64_t state_ = 0xcbf29ce484222325ULL;
};

std::optional<std::string> value_at(const std::string& pointer, const std::string& body) {
  boost::system::error_code error;
  const auto json = boost::json::parse(body, error);
  if (error) return std::nullopt;
  const auto* value = json.find_pointer(pointer, error);
  if (value == nullptr || error || value->is_null() || value->is_structured()) return std::nullopt;
  if (const auto* text = value->if_string()) return std::string(text->data(), text->size());
  return boost::json::serialize(*value);
}

// The part of the lane that differs by event; nullopt: no order.
std::optional<std::string> ordering_value(const OrderBy& order, const event_log::Event& event) {
  if (order.kind == OrderBy::Kind::pointer) return value_at(order.pointer, event.body);
  if (order.kind == OrderBy::Kind::key && !event.key.empty()) return event.key;
  return std::nullopt;
}

}  // namespace

LaneNumber lane_number(std::string_view source, std::string_view team, std::string_view key) {
  Hash hash;
  hash.add(source);
  hash.add(kSeparator);
  hash.add(team);
  hash.add(kSeparator);
  hash.add(key);
  return hash.number();
}

LaneNumber lane_number(std::string_view name) {
  Hash hash;
  hash.add(name);
  return hash.number();
}

LaneNumber lane_number(const OrderBy& order, const event_log::Event& event) {
  switch (order.kind) {
    case OrderBy::Kind::none: return kNoLane;
    case OrderBy::Kind::all: return lane_number(kAll);
    case OrderBy::Kind::key: return event.key.empty() ? kNoLane : lane_number(event.source, event.team, event.key);
    case OrderBy::Kind::pointer: break;
  }
  const auto value = ordering_value(order, event);
  return value ? lane_number(event.source, event.team, *value) : kNoLane;
}

std::string lane_name(const OrderBy& order, const event_log::Event& event) {
  if (order.kind == OrderBy::Kind::all) return std::string(kAll);
  const auto value = ordering_value(order, event);
  if (!value) return "#" + std::to_string(event.offset.value);
  return event.source + kSeparator + event.team + kSeparator + *value;
}

std::string readable_lane(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c == kSeparator) c = '/';
  }
  return out;
}

}  // namespace hookhost::delivery
