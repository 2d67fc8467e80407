#include "plugins/call.h"

#include <map>

#include "base/bytes.h"

namespace hookhost::plugins {
namespace {

constexpr std::size_t kKeyBytesMax = 256;
constexpr std::size_t kValueBytesMax = 1 << 20;
constexpr std::size_t kStagedBytesMax = 64 << 20;  // of one call
constexpr std::size_t kScanPage = 256;

}  // namespace

delivery::Outcome to_outcome(std::int32_t status, std::string error, std::int64_t retry_after) {
  delivery::Outcome out;
  out.error = std::move(error);
  switch (status) {
    case HOOKHOST_OK: out.status = delivery::Status::ok; break;
    case HOOKHOST_IGNORED: out.status = delivery::Status::ignored; break;
    case HOOKHOST_RETRY: out.status = delivery::Status::retry; break;
    case HOOKHOST_REJECT: out.status = delivery::Status::reject; break;
    case HOOKHOST_UNAVAILABLE: out.status = delivery::Status::unavailable; break;
    default:
      out.status = delivery::Status::retry;
      out.misbehaved = true;
      out.error = "the handler answered the unknown status " + std::to_string(status);
  }
  if (retry_after > 0) out.retry_after = Duration{retry_after};
  return out;
}

Call::Call(delivery::Delivery delivery, std::uint64_t ticket, delivery::KvReader* kv, WallTime now, MonotonicTime begun)
    : delivery_(std::move(delivery)), ticket_(ticket), kv_(kv), begun_(begun), deadline_(begun + delivery_.timeout), document_(delivery_.event->body) {
  const event_log::Event& event = *delivery_.event;
  headers_.reserve(event.headers.size());
  for (const auto& header : event.headers) headers_.push_back({str(header.name), str(header.value)});
  event_.struct_size = sizeof event_;
  event_.flags = (event.verified ? HOOKHOST_EVENT_VERIFIED : 0) | (delivery_.replay ? HOOKHOST_EVENT_REPLAY : 0) |
                 (delivery_.test ? HOOKHOST_EVENT_TEST : 0);
  event_.offset = event.offset.value;
  event_.id = str(event.id.value);
  event_.source = str(event.source);
  event_.provider = str(event.provider);
  event_.type = str(event.type);
  event_.team = str(event.team);
  event_.key = str(event.key);
  event_.received_at = to_unix_ns(event.received_at);
  event_.content_type = str(event.content_type);
  event_.headers = headers_.data();
  event_.header_count = headers_.size();
  event_.body = bytes(event.body);
  event_.attempt = delivery_.attempt.value;
  call_.struct_size = sizeof call_;
  call_.host_data = this;
  call_.deadline = to_unix_ns(now + delivery_.timeout);
  call_.json = json;
  call_.set_error = set_error;
  call_.set_retry_after = set_retry_after;
  call_.is_cancelled = is_cancelled;
  call_.defer = defer;
}

void Call::json(hookhost_call* self, hookhost_str pointer, hookhost_value* out) noexcept {
  Call& call = of(self);
  const std::scoped_lock lock(call.mutex_);
  call.document_.find(view(pointer), *out);
}

void Call::set_error(hookhost_call* self, hookhost_str text) noexcept { of(self).error_ = to_utf8(view(text), kErrorBytesMax); }
void Call::set_retry_after(hookhost_call* self, std::int64_t ns) noexcept { of(self).retry_after_ = ns; }
std::int32_t Call::is_cancelled(hookhost_call* self) noexcept { return of(self).cancelled() ? 1 : 0; }

std::uint64_t Call::defer(hookhost_call* self) noexcept {
  Call& call = of(self);
  const std::scoped_lock lock(call.mutex_);
  call.deferred_ = true;
  return call.ticket_;
}

std::optional<delivery::Outcome> Call::returned(std::int32_t status) {
  const std::scoped_lock lock(mutex_);
  returned_ = true;
  if (status == HOOKHOST_DEFERRED) {
    if (deferred_) return early_;
    delivery::Outcome out = to_outcome(HOOKHOST_RETRY, "the handler answered deferred without calling defer", 0);
    out.misbehaved = true;
    return out;
  }
  delivery::Outcome out = to_outcome(status, std::move(error_), retry_after_);
  if (deferred_) {  // it promised to complete the call, then answered itself
    out = to_outcome(HOOKHOST_RETRY, "the handler called defer but did not answer deferred", 0);
    out.misbehaved = true;
  }
  return out;
}

Call::Completed Call::completed(std::int32_t status, std::string error, std::int64_t retry_after) {
  const std::scoped_lock lock(mutex_);
  delivery::Outcome out = to_outcome(status, std::move(error), retry_after);
  if (returned_) return {std::move(out), false};
  if (early_) return {std::nullopt, true};
  early_ = std::move(out);
  return {};
}

delivery::Completion Call::finish(delivery::Outcome outcome, MonotonicTime now) {
  const bool done = delivery::is_done(outcome.status);
  const std::scoped_lock lock(mutex_);
  return {delivery_.id, std::move(outcome), done ? std::move(staged_) : std::vector<state::KvWrite>{}, now - begun_, true, kv_refused_};
}

std::int32_t Call::kv_get(std::string_view key, hookhost_bytes& out) {
  const std::scoped_lock lock(mutex_);
  for (auto write = staged_.rbegin(); write != staged_.rend(); ++write) {
    if (write->key != key) continue;
    if (!write->value) return 0;
    kv_answer_ = *write->value;
    out = bytes(kv_answer_);
    return 1;
  }
  if (kv_ == nullptr) return -1;
  auto found = kv_->get(key);
  if (!found) return -1;
  if (!found.value()) return 0;
  kv_answer_ = std::move(*found.value());
  out = bytes(kv_answer_);
  return 1;
}

std::int32_t Call::kv_write(std::string_view key, std::optional<std::string_view> value) {
  if (key.empty() || key.size() > kKeyBytesMax || (value && value->size() > kValueBytesMax)) return -1;
  const std::size_t size = key.size() + (value ? value->size() : 0);
  const std::scoped_lock lock(mutex_);
  if (!delivery_.kv_writable) {
    kv_refused_ = true;
    return -1;
  }
  if (staged_bytes_ + size > kStagedBytesMax) return -1;
  staged_bytes_ += size;
  staged_.push_back({std::string(key), value ? std::optional<std::string>(*value) : std::nullopt});
  return 0;
}

std::int32_t scan_committed(delivery::KvReader& kv, std::string_view prefix, const std::function<bool(const std::string&, const std::string&)>& show) {
  for (std::string after;;) {
    auto page = kv.scan(prefix, after, kScanPage);
    if (!page) return -1;
    for (const auto& [key, value] : page.value()) {
      if (!show(key, value)) return 0;
    }
    if (page.value().size() < kScanPage) return 0;
    after = std::move(page.value().back().first);
  }
}

std::int32_t Call::kv_scan(std::string_view prefix, KvVisit visit, void* context) {
  if (kv_ == nullptr || visit == nullptr) return -1;
  std::map<std::string, std::optional<std::string>> staged;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& write : staged_) {
      if (write.key.starts_with(prefix)) staged[write.key] = write.value;
    }
  }
  // The call's own writes are merged in between the committed keys.
  bool more = true;
  auto own = staged.begin();
  const auto show = [&](const std::string& key, const std::string& value) { return more = visit(context, bytes(key), bytes(value)) != 0; };
  const auto show_own = [&](const std::string* below) {
    for (; more && own != staged.end() && (below == nullptr || own->first < *below); ++own) {
      if (own->second) show(own->first, *own->second);
    }
    return more;
  };
  const auto scanned = scan_committed(*kv_, prefix, [&](const std::string& key, const std::string& value) {
    if (!show_own(&key)) return false;
    const bool replaced = own != staged.end() && own->first == key;
    return replaced || show(key, value);
  });
  if (scanned == 0) show_own(nullptr);
  return scanned;
}

}  // namespace hookhost::plugins
