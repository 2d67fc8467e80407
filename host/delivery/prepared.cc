// One description of the members serves both directions: `visit` names them in order, Writer and Reader carry them.
//   version byte, then the members: numbers as 8 bytes little endian, texts and lists with their length before them, optionals with a flag.
#include "delivery/prepared.h"

#include <bit>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

namespace hookhost::delivery {
namespace {

constexpr std::uint64_t kVersion = 2;  // 1 had no crashes_erased

class Writer {
 public:
  template <class... T>
  void operator()(const T&... values) { (put(values), ...); }
  std::string out;

 private:
  void number(std::uint64_t value) {
    for (int shift = 0; shift < 64; shift += 8) out.push_back(static_cast<char>(value >> shift));
  }
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void put(const T& value) { number(static_cast<std::uint64_t>(value)); }
  void put(const double& value) { number(std::bit_cast<std::uint64_t>(value)); }
  void put(const Offset& value) { number(value.value); }
  void put(const WallTime& value) { number(static_cast<std::uint64_t>(to_unix_ns(value))); }
  void put(const Duration& value) { number(static_cast<std::uint64_t>(value.count())); }
  void put(const std::string& value) {
    number(value.size());
    out += value;
  }
  template <class Tag>
  void put(const NamedText<Tag>& value) { put(value.value); }
  template <class T>
  void put(const std::optional<T>& value) {
    number(value ? 1 : 0);
    if (value) put(*value);
  }
  template <class A, class B>
  void put(const std::pair<A, B>& value) {
    put(value.first);
    put(value.second);
  }
  template <class T>
  void put(const std::vector<T>& values) {
    number(values.size());
    for (const auto& value : values) put(value);
  }
  template <class T>
    requires std::is_class_v<T>
  void put(const T& value) { visit(*this, const_cast<T&>(value)); }
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}
  template <class... T>
  void operator()(T&... values) { (get(values), ...); }
  [[nodiscard]] bool complete() const { return !failed_ && rest_.empty(); }

 private:
  std::uint64_t number() {
    if (rest_.size() < 8) {
      failed_ = true;
      rest_ = {};
      return 0;
    }
    std::uint64_t value = 0;
    for (int at = 7; at >= 0; --at) value = (value << 8) | static_cast<unsigned char>(rest_[static_cast<std::size_t>(at)]);
    rest_.remove_prefix(8);
    return value;
  }
  // A length, never more than what is left could hold.
  std::uint64_t length() {
    const auto value = number();
    if (value <= rest_.size()) return value;
    failed_ = true;
    rest_ = {};
    return 0;
  }
  template <class T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  void get(T& value) { value = static_cast<T>(number()); }
  void get(double& value) { value = std::bit_cast<double>(number()); }
  void get(Offset& value) { value = Offset{number()}; }
  void get(WallTime& value) { value = from_unix_ns(static_cast<std::int64_t>(number())); }
  void get(Duration& value) { value = Duration{static_cast<std::int64_t>(number())}; }
  void get(std::string& value) {
    const auto size = static_cast<std::size_t>(length());
    value.assign(rest_.substr(0, size));
    rest_.remove_prefix(size);
  }
  template <class Tag>
  void get(NamedText<Tag>& value) { get(value.value); }
  template <class T>
  void get(std::optional<T>& value) {
    value.reset();
    if (number() != 0) get(value.emplace());
  }
  template <class A, class B>
  void get(std::pair<A, B>& value) {
    get(value.first);
    get(value.second);
  }
  template <class T>
  void get(std::vector<T>& values) {
    values.clear();
    const auto count = length();
    for (std::uint64_t n = 0; n < count && !failed_; ++n) get(values.emplace_back());
  }
  template <class T>
    requires std::is_class_v<T>
  void get(T& value) { visit(*this, value); }

  std::string_view rest_;
  bool failed_ = false;
};

template <class V>
void visit(V& v, state::Position& p) { v(p.frontier, p.done); }
template <class V>
void visit(V& v, state::SubscriberRow& r) {
  v(r.id, r.kind, r.condition, r.reason, r.position, r.token, r.reset_pending, r.handled_any, r.failed_run, r.plan, r.created_at, r.changed_at);
}
template <class V>
void visit(V& v, state::LaneRow& r) {
  v(r.stream, r.lane, r.head, r.attempts, r.crashes, r.due, r.last_outcome, r.last_error, r.first_skipped);
}
template <class V>
void visit(V& v, state::ParkedRow& r) {
  v(r.kind, r.stream, r.offset, r.id, r.type, r.reason, r.attempts, r.last_error, r.parked_at, r.run, r.event);
}
template <class V>
void visit(V& v, state::KvWrite& w) { v(w.key, w.value); }
template <class V>
void visit(V& v, state::AttemptRow& r) { v(r.stream, r.offset, r.id, r.type, r.attempt, r.at, r.took, r.outcome, r.error); }
template <class V>
void visit(V& v, state::ReplayRow& r) {
  v(r.id, r.subscriber, r.mode, r.state, r.filter, r.from, r.until, r.position, r.rate, r.total, r.handled, r.failed, r.created_at, r.finished_at);
}
template <class V>
void visit(V& v, state::GapRow& r) { v(r.from, r.until, r.at, r.acknowledged); }
template <class V>
void visit(V& v, state::Batch& b) {
  v(b.subscriber, b.row, b.position, b.token, b.lanes, b.lanes_erased, b.parked, b.parked_erased, b.run_to_held, b.kv, b.attempts, b.replays, b.gaps);
}

}  // namespace

std::string encode_batch(const state::Batch& batch) {
  Writer writer;
  writer(kVersion);
  visit(writer, const_cast<state::Batch&>(batch));
  writer(batch.crashes_erased);
  return std::move(writer.out);
}

Result<state::Batch> decode_batch(std::string_view bytes) {
  Reader reader(bytes);
  std::uint64_t version = 0;
  state::Batch batch;
  reader(version);
  const bool known = version >= 1 && version <= kVersion;
  if (known) visit(reader, batch);
  if (version >= 2) reader(batch.crashes_erased);
  if (!known || !reader.complete()) {
    return fail(ErrorCode::corrupt, "what a checkpoint covered cannot be read from delivery.db; the events are delivered again");
  }
  return batch;
}

}  // namespace hookhost::delivery
