// One call of handle: the event and the call as the ABI shows them, what the handler staged, and how it ended.
//
// A call that defers lives on until it is completed; the event's memory with it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "delivery/subscriber.h"
#include "hookhost/abi.h"
#include "plugins/abi_views.h"
#include "plugins/json_document.h"

namespace hookhost::plugins {

// What a plugin is shown of kv/1's scan: 0 ends it.
using KvVisit = std::int32_t (*)(void* context, hookhost_bytes key, hookhost_bytes value);

// Shows what is committed under the prefix, page by page, until `show` says no. 0, or -1 when reading fails.
std::int32_t scan_committed(delivery::KvReader& kv, std::string_view prefix, const std::function<bool(const std::string&, const std::string&)>& show);

class Call {
 public:
  Call(delivery::Delivery delivery, std::uint64_t ticket, delivery::KvReader* kv, WallTime now, MonotonicTime begun);
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  [[nodiscard]] const hookhost_event* event() const { return &event_; }
  [[nodiscard]] const delivery::Delivery& delivery() const { return delivery_; }
  [[nodiscard]] hookhost_call* call() { return &call_; }
  static Call& of(hookhost_call* raw) { return *static_cast<Call*>(raw->host_data); }

  [[nodiscard]] std::uint64_t ticket() const { return ticket_; }
  [[nodiscard]] MonotonicTime deadline() const { return deadline_; }
  void cancel() { cancelled_.store(true); }
  [[nodiscard]] bool cancelled() const { return cancelled_.load(); }

  // What the handler answered. nullopt: deferred, complete() decides.
  [[nodiscard]] std::optional<delivery::Outcome> returned(std::int32_t status);
  // From host->complete(). No outcome: handle has not returned yet, the first outcome is kept until it has.
  struct Completed {
    std::optional<delivery::Outcome> outcome;
    bool again = false;  // completed before; this one does not count
  };
  [[nodiscard]] Completed completed(std::int32_t status, std::string error, std::int64_t retry_after);
  [[nodiscard]] delivery::Completion finish(delivery::Outcome outcome, MonotonicTime now);

  // kv/1, within this call.
  std::int32_t kv_get(std::string_view key, hookhost_bytes& out);
  std::int32_t kv_write(std::string_view key, std::optional<std::string_view> value);
  std::int32_t kv_scan(std::string_view prefix, KvVisit visit, void* context);

 private:
  static void json(hookhost_call* self, hookhost_str pointer, hookhost_value* out) noexcept;
  static void set_error(hookhost_call* self, hookhost_str text) noexcept;
  static void set_retry_after(hookhost_call* self, std::int64_t ns) noexcept;
  static std::int32_t is_cancelled(hookhost_call* self) noexcept;
  static std::uint64_t defer(hookhost_call* self) noexcept;

  delivery::Delivery delivery_;
  const std::uint64_t ticket_;
  delivery::KvReader* kv_;
  const MonotonicTime begun_;
  const MonotonicTime deadline_;
  std::vector<hookhost_header> headers_;
  hookhost_event event_{};
  hookhost_call call_{};
  std::atomic<bool> cancelled_{false};
  std::mutex mutex_;  // json, kv and the way the call ends may meet on several threads once it is deferred
  JsonDocument document_;
  std::string error_;
  std::int64_t retry_after_ = 0;
  bool deferred_ = false, returned_ = false;
  std::optional<delivery::Outcome> early_;  // completed before handle returned
  std::vector<state::KvWrite> staged_;
  std::size_t staged_bytes_ = 0;
  bool kv_refused_ = false;  // a write in a delivery that may not write
  std::string kv_answer_;
};

inline constexpr std::size_t kErrorBytesMax = 1024;

// A status from a plugin as an outcome: what is unknown is retry and misbehaviour.
[[nodiscard]] delivery::Outcome to_outcome(std::int32_t status, std::string error, std::int64_t retry_after);

}  // namespace hookhost::plugins
