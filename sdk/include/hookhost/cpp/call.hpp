// One event and one call: what handle() is given, kv, and completions of deferred calls.
#ifndef HOOKHOST_CPP_CALL_HPP
#define HOOKHOST_CPP_CALL_HPP

#include <hookhost/cpp/values.hpp>

#include <atomic>
#include <concepts>
#include <exception>
#include <span>
#include <vector>

namespace hookhost {

// One event; a view with the event's lifetime: until handle() returns, and with a deferred call until its completion.
class Event {
 public:
  explicit Event(const hookhost_event* event) : event_(event) {}
  [[nodiscard]] std::uint64_t offset() const { return event_->offset; }
  [[nodiscard]] std::string_view id() const { return view(event_->id); }
  [[nodiscard]] std::string_view source() const { return view(event_->source); }
  [[nodiscard]] std::string_view provider() const { return view(event_->provider); }
  [[nodiscard]] std::string_view type() const { return view(event_->type); }
  [[nodiscard]] std::string_view team() const { return view(event_->team); }  // empty: none
  [[nodiscard]] std::string_view key() const { return view(event_->key); }    // empty: none
  [[nodiscard]] Time received_at() const { return Time(std::chrono::nanoseconds(event_->received_at)); }
  [[nodiscard]] std::string_view content_type() const { return view(event_->content_type); }
  [[nodiscard]] std::string_view body() const { return view(event_->body); }  // exactly as received
  [[nodiscard]] std::span<const hookhost_header> headers() const { return {event_->headers, event_->header_count}; }
  // The first header of this name, in whatever case it came.
  [[nodiscard]] std::optional<std::string_view> header(std::string_view name) const {
    for (const hookhost_header& one : headers()) {
      if (same_name(view(one.name), name)) return view(one.value);
    }
    return std::nullopt;
  }
  [[nodiscard]] std::uint32_t attempt() const { return event_->attempt; }  // from 1
  [[nodiscard]] bool verified() const { return has(HOOKHOST_EVENT_VERIFIED); }
  [[nodiscard]] bool is_replay() const { return has(HOOKHOST_EVENT_REPLAY); }
  [[nodiscard]] bool is_test() const { return has(HOOKHOST_EVENT_TEST); }
  [[nodiscard]] bool is_shadow() const { return has(HOOKHOST_EVENT_SHADOW); }  // effects must not leave the plugin
  [[nodiscard]] const hookhost_event* raw() const { return event_; }

 private:
  [[nodiscard]] bool has(std::uint32_t flag) const { return (event_->flags & flag) != 0; }
  static bool same_name(std::string_view left, std::string_view right) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    if (left.size() != right.size()) return false;
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (lower(left[i]) != lower(right[i])) return false;
    }
    return true;
  }

  const hookhost_event* event_;
};

// Ends a deferred call: call it once, from any thread. A second call does nothing; one that is dropped without a call is a retry. Move it into
// the work that it belongs to; where that must be copyable (std::function), hold it in a std::shared_ptr.
class Completion {
 public:
  Completion(const hookhost_host* host, std::uint64_t delivery) noexcept : host_(host), delivery_(delivery) {}
  Completion(Completion&& other) noexcept : host_(other.host_), delivery_(other.delivery_.exchange(0)) {}
  Completion& operator=(Completion&& other) noexcept {
    if (this != &other) {
      drop();
      host_ = other.host_;
      delivery_.store(other.delivery_.exchange(0));
    }
    return *this;
  }
  ~Completion() { drop(); }

  void operator()(const Outcome& outcome) const {
    if (const std::uint64_t delivery = delivery_.exchange(0); delivery != 0) {
      host_->complete(host_, delivery, outcome.status(), str(outcome.error()), outcome.retry_after().count());
    }
  }
  // Whether it still has to be called.
  [[nodiscard]] explicit operator bool() const noexcept { return delivery_.load() != 0; }

 private:
  void drop() noexcept {
    if (const std::uint64_t delivery = delivery_.exchange(0); delivery != 0) {
      host_->complete(host_, delivery, HOOKHOST_RETRY, str("the plugin dropped the call"), 0);
    }
  }

  const hookhost_host* host_;
  mutable std::atomic<std::uint64_t> delivery_;
};

// kv/1 within one call, or without one (in start: committed state, read only). What a call writes is kept when its outcome is ok or ignored.
// Keys of 1 to 256 bytes, values to 1 MiB. Errors are exceptions: UnsupportedError when this host has no kv/1. [handle, deferred]
class Kv {
 public:
  Kv(const hookhost_host* host, hookhost_call* call)
      : host_(host), call_(call), table_(static_cast<const hookhost_kv_v1*>(host->get_extension(host, str(HOOKHOST_EXT_KV)))) {}
  [[nodiscard]] explicit operator bool() const { return table_ != nullptr; }

  [[nodiscard]] std::optional<std::string> get(std::string_view key) const {
    hookhost_bytes out{};
    const std::int32_t found = table().get(host_, call_, bytes(key), &out);
    if (found < 0) throw std::runtime_error("reading kv failed");
    return found == 1 ? std::optional(std::string(view(out))) : std::nullopt;
  }
  void put(std::string_view key, std::string_view value) const {
    if (table().put(host_, call_, bytes(key), bytes(value)) != 0) {
      throw std::runtime_error("kv refused a write: too large, or a replay beside live, which may not write");
    }
  }
  void erase(std::string_view key) const {
    if (table().erase(host_, call_, bytes(key)) != 0) throw std::runtime_error("kv refused to erase: a replay beside live may not write");
  }
  // Shows each key with the prefix, ascending; `visit(key, value)` answers whether to go on. It may use no kv itself: gather, then write.
  template <class Visit>
    requires std::predicate<Visit&, std::string_view, std::string_view>
  void scan(std::string_view prefix, Visit visit) const {
    struct Walk {
      Visit& visit;
      std::exception_ptr thrown;
    } walk{visit, nullptr};
    const auto show = [](void* context, hookhost_bytes key, hookhost_bytes value) noexcept -> std::int32_t {
      auto& self = *static_cast<Walk*>(context);
      try {
        return self.visit(view(key), view(value)) ? 1 : 0;
      } catch (...) {
        self.thrown = std::current_exception();
        return 0;
      }
    };
    const std::int32_t done = table().scan(host_, call_, bytes(prefix), show, &walk);
    if (walk.thrown) std::rethrow_exception(walk.thrown);
    if (done != 0) throw std::runtime_error("scanning kv failed");
  }

 private:
  [[nodiscard]] const hookhost_kv_v1& table() const {
    if (table_ == nullptr) throw UnsupportedError("this host has no hookhost.kv/1");
    return *table_;
  }

  const hookhost_host* host_;
  hookhost_call* call_;
  const hookhost_kv_v1* table_;
};

// One call of handle(). [handle]; json, is_cancelled and kv also while it is deferred.
class Call {
 public:
  Call(const hookhost_host* host, hookhost_call* call) : host_(host), call_(call) {}
  // The value behind an RFC 6901 pointer in the body: call.json("/data/chatId").text().
  [[nodiscard]] Json json(std::string_view pointer) const {
    hookhost_value value{};
    call_->json(call_, str(pointer), &value);
    return Json(value);
  }
  // The call has timed out or the host stops: finish soon, the answer no longer counts.
  [[nodiscard]] bool is_cancelled() const { return call_->is_cancelled(call_) != 0; }
  [[nodiscard]] Time deadline() const { return Time(std::chrono::nanoseconds(call_->deadline)); }
  // Then return hookhost::deferred(), and call the completion once, whenever and on whatever thread.
  [[nodiscard]] Completion defer() {
    const std::uint64_t delivery = call_->defer(call_);
    deferred_ = true;
    return {host_, delivery};
  }
  [[nodiscard]] bool is_deferred() const { return deferred_; }
  [[nodiscard]] Kv kv() const { return {host_, call_}; }
  [[nodiscard]] hookhost_call* raw() const { return call_; }

 private:
  const hookhost_host* host_;
  hookhost_call* call_;
  bool deferred_ = false;
};

// What start() learns of the past.
struct Resume {
  std::uint64_t token = 0;  // of the last checkpoint that the host committed; 0: none
  bool reset = false;       // the operator asked to start over: what was derived from earlier events must go
  Kv kv;                    // committed state
  bool test = false;        // a life for test events only, beside which another may run: leave alone what earlier lives made
};

// What checkpoint() makes durable.
struct Checkpoint {
  std::uint64_t token = 0;                 // above every earlier one
  std::span<const std::uint64_t> offsets;  // of the events answered ok or ignored, ascending
};

}  // namespace hookhost

#endif
