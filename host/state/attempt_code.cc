#include "state/attempt_code.h"

#include <utility>

#include "state/cut.h"
#include "state/varint.h"

namespace hookhost::state {
namespace {

constexpr std::uint64_t kTextOfTheRowBefore = 0;  // else its length and one

// Small numbers of both signs become small ones (0, -1, 1, -2, ...).
std::uint64_t folded(std::uint64_t difference) { return (difference << 1) ^ (difference >> 63 != 0 ? UINT64_MAX : 0); }
std::uint64_t unfolded(std::uint64_t value) { return (value >> 1) ^ ((value & 1) != 0 ? UINT64_MAX : 0); }

std::uint64_t ns(WallTime time) { return static_cast<std::uint64_t>(to_unix_ns(time)); }

void put_text(std::string_view text, std::string_view before, std::string& out) {
  if (text == before) return put_varint(kTextOfTheRowBefore, out);
  put_varint(text.size() + 1, out);
  out += text;
}

// Reads one row after the other; once something is missing it stays so.
class Reading {
 public:
  explicit Reading(std::string_view bytes) : rest_(bytes) {}

  [[nodiscard]] bool at_end() const { return rest_.empty(); }
  [[nodiscard]] bool failed() const { return failed_; }
  std::uint64_t number() {
    const auto value = take_varint(rest_);
    if (!value) failed_ = true;
    return value.value_or(0);
  }
  std::string text(const std::string& before) {
    const std::uint64_t size = number();
    if (failed_ || size == kTextOfTheRowBefore) return before;
    if (size - 1 > rest_.size()) {
      failed_ = true;
      return {};
    }
    std::string out(rest_.substr(0, size - 1));
    rest_.remove_prefix(size - 1);
    return out;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace

std::string encode_attempts(std::span<const AttemptRow> rows) {
  static const AttemptRow kNone{};
  std::string out;
  const AttemptRow* before = &kNone;
  for (const AttemptRow& row : rows) {
    put_varint(row.stream, out);
    put_varint(folded(row.offset.value - before->offset.value), out);
    put_varint(row.attempt, out);
    put_varint(folded(ns(row.at) - ns(before->at)), out);
    put_varint(folded(static_cast<std::uint64_t>(row.took.count())), out);
    put_varint(folded(static_cast<std::uint64_t>(row.http_status)), out);
    put_text(row.id.value, before->id.value, out);
    put_text(row.type, before->type, out);
    put_text(row.outcome, before->outcome, out);
    put_text(cut(row.error), cut(before->error), out);
    put_text(cut(row.answer), cut(before->answer), out);
    before = &row;
  }
  return out;
}

std::optional<std::vector<AttemptRow>> decode_attempts(std::string_view bytes) {
  Reading reading(bytes);
  std::vector<AttemptRow> out;
  AttemptRow before;
  while (!reading.at_end()) {
    AttemptRow row;
    row.stream = reading.number();
    row.offset = Offset{before.offset.value + unfolded(reading.number())};
    row.attempt = static_cast<std::uint32_t>(reading.number());
    row.at = from_unix_ns(static_cast<std::int64_t>(ns(before.at) + unfolded(reading.number())));
    row.took = Duration{static_cast<std::int64_t>(unfolded(reading.number()))};
    row.http_status = static_cast<int>(unfolded(reading.number()));
    row.id = EventId{reading.text(before.id.value)};
    row.type = reading.text(before.type);
    row.outcome = reading.text(before.outcome);
    row.error = reading.text(before.error);
    row.answer = reading.text(before.answer);
    if (reading.failed()) return std::nullopt;
    out.push_back(row);
    before = std::move(row);
  }
  return out;
}

}  // namespace hookhost::state
