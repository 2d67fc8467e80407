// The fake host's inside. Include testing.hpp.
#ifndef HOOKHOST_TESTING_FAKE_HOST_HPP
#define HOOKHOST_TESTING_FAKE_HOST_HPP

#include <hookhost/testing.hpp>

namespace hookhost::testing {

class FakeHost::Inside {
 public:
  explicit Inside(FakeHost& host) : host_(host) {
    host_.locked([&] { ++host_.inside_[std::this_thread::get_id()]; });
  }
  ~Inside() {
    host_.locked([&] {
      if (--host_.inside_[std::this_thread::get_id()] == 0) host_.inside_.erase(std::this_thread::get_id());
    });
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;

 private:
  FakeHost& host_;
};

// ---- Into the instance --------------------------------------------------------------------------------------------------------------------

template <class F>
std::int32_t FakeHost::guarded(const char* function, F f) {
  const Inside inside(*this);
  try {
    return f();
  } catch (...) {
    locked([&] { broken(std::string(function) + " threw an exception through the ABI"); });
    return HOOKHOST_RETRY;
  }
}

inline Answer FakeHost::begin(std::uint32_t flags) {
  if (instance_ != nullptr) return {HOOKHOST_RETRY, "it runs already"};
  if (entry_ == nullptr || entry_->create == nullptr) return {HOOKHOST_UNSUPPORTED, "the entry has no create function"};
  ErrorText error;
  hookhost_instance* made = nullptr;
  const std::string config = copy(config_), directory = copy(directory_);
  locked([&] {
    began_ = true;
    stopped_ = false;
  });
  std::int32_t status = guarded("create", [&] { return entry_->create(&host_, str(config), str(directory), &made, &error.table); });
  if (status == HOOKHOST_OK && (made == nullptr || !HOOKHOST_HAS(made, destroy) || made->handle == nullptr || made->destroy == nullptr)) {
    locked([&] { broken("create made an instance without handle or destroy"); });
    return {HOOKHOST_UNSUPPORTED, "no instance"};
  }
  if (status != HOOKHOST_OK) {
    locked([&] {
      stopped_ = true;
      if (status > 0) broken("create answered " + std::to_string(status));
    });
    return {status, error.text};
  }
  instance_ = made;
  hookhost_resume resume{sizeof resume, flags, copy(committed_token_), copy(committed_token_)};
  if (made->start != nullptr) status = guarded("start", [&] { return made->start(made, &resume, &error.table); });
  if (status != HOOKHOST_OK) {
    drop_instance(false);
    return {status, error.text};
  }
  locked([&] {
    if (resume.own_token < resume.token || resume.own_token > token_) {
      broken("start answered token " + std::to_string(resume.own_token) + ", which was never handed out");
    } else if (resume.own_token > committed_token_) {  // the plugin's own store has the batch: it counts as done
      committed_token_ = resume.own_token;
    }
    batch_.clear();
    covered_.clear();
  });
  return {};
}

inline void FakeHost::drop_instance(bool orderly) {
  hookhost_instance* const instance = instance_;
  if (instance == nullptr) return;
  const std::scoped_lock serial(serial_);
  locked([&] {
    for (auto& [delivery, call] : calls_) call->cancelled = call->cancelled || !call->over();
  });
  if (orderly && instance->stop != nullptr) {
    guarded("stop", [&] { return instance->stop(instance), HOOKHOST_OK; });
  }
  locked([&] {
    stopped_ = orderly;
    for (auto& [delivery, call] : calls_) {
      if (call->over()) continue;
      if (orderly) broken("the deferred call of offset " + std::to_string(call->offset) + " was not completed by the end of stop");
      call->completed = true;  // given up
      call->status = HOOKHOST_RETRY;
      call->memory.reset();
    }
    batch_.clear();
    covered_.clear();
    changed_.notify_all();
  });
  guarded("destroy", [&] { return instance->destroy(instance), HOOKHOST_OK; });
  locked([&] { stopped_ = true; });
  instance_ = nullptr;
}

inline Answer FakeHost::handle(TestEvent event) {
  if (instance_ == nullptr) return {HOOKHOST_RETRY, "no instance runs; call start()"};
  std::unique_lock serial(serial_, std::defer_lock);
  if ((entry_->flags & HOOKHOST_CONCURRENT) == 0) serial.lock();
  auto made = std::make_unique<FakeCall>();
  FakeCall& call = *made;
  locked([&] {
    if (event.offset == TestEvent::kNext) event.offset = next_offset_;
    next_offset_ = std::max(next_offset_, event.offset + 1);
    if (event.id.empty()) event.id = "evt_" + std::to_string(event.offset);
    call.offset = event.offset;
    call.delivery = next_delivery_++;
    call.thread = std::this_thread::get_id();
    call.memory = std::make_unique<FakeCall::Memory>(std::move(event), now_);
    call.table = {sizeof call.table, 0, this, now_ + timeout_, json, set_error, set_retry_after, is_cancelled, defer};
    calls_.emplace(call.delivery, std::move(made));
  });
  const hookhost_event* const seen = &call.memory->event;
  const std::int32_t status = guarded("handle", [&] { return instance_->handle(instance_, seen, &call.table); });
  const std::scoped_lock lock(mutex_);
  call.in_handle = false;
  if (call.deferred && status != HOOKHOST_DEFERRED) {
    broken("handle called defer but answered " + std::to_string(status));
    call.completed = true;
    end(call, HOOKHOST_RETRY);
  } else if (!call.deferred && status == HOOKHOST_DEFERRED) {
    broken("handle answered deferred without calling defer");
    end(call, HOOKHOST_RETRY);
  } else if (!call.deferred || call.completed) {
    end(call, call.deferred ? call.status : status);
  }
  return call.over() ? answer_of(call) : Answer{HOOKHOST_DEFERRED, {}, {}, call.delivery};
}

inline void FakeHost::end(FakeCall& call, std::int32_t status) {
  if (status < HOOKHOST_UNAVAILABLE || status > HOOKHOST_IGNORED) {
    broken("a call ended with the unknown status " + std::to_string(status));
    status = HOOKHOST_RETRY;
  }
  call.status = status;
  if (status == HOOKHOST_OK || status == HOOKHOST_IGNORED) {
    for (auto& [key, value] : call.staged) batch_[key] = std::move(value);
    covered_.push_back(call.offset);
  }
  call.staged.clear();
  call.memory.reset();
  changed_.notify_all();
}

inline Answer FakeHost::commit_batch(bool committed) {
  if (instance_ == nullptr) return {HOOKHOST_RETRY, "no instance runs; call start()"};
  std::vector<std::uint64_t> offsets;
  KvWrites batch;
  hookhost_checkpoint point{sizeof point, 0, 0, nullptr, 0};
  std::int32_t status = HOOKHOST_OK;
  {
    std::unique_lock serial(serial_, std::defer_lock);
    if ((entry_->flags & HOOKHOST_CONCURRENT) == 0) serial.lock();
    locked([&] {
      offsets.swap(covered_);
      batch.swap(batch_);
      point.token = token_ = std::max(token_, committed_token_) + 1;
    });
    std::sort(offsets.begin(), offsets.end());
    point.offsets = offsets.data();
    point.offset_count = offsets.size();
    if (instance_->checkpoint != nullptr) status = guarded("checkpoint", [&] { return instance_->checkpoint(instance_, &point); });
  }
  if (status == HOOKHOST_OK && committed) {
    locked([&] {
      for (auto& [key, value] : batch) {
        if (value) {
          committed_[key] = std::move(*value);
        } else {
          committed_.erase(key);
        }
      }
      committed_token_ = point.token;
    });
    return {};
  }
  const Answer restarted = crash();
  return status == HOOKHOST_OK ? restarted : Answer{status, "checkpoint was refused"};
}

template <class Table>
const Table* FakeHost::extension(const char* name) {
  if (instance_ == nullptr || !HOOKHOST_HAS(instance_, get_extension) || instance_->get_extension == nullptr) return nullptr;
  const Inside inside(*this);
  return static_cast<const Table*>(instance_->get_extension(instance_, str(name)));
}

inline Answer FakeHost::health() {
  const std::scoped_lock serial(serial_);
  const auto* const table = extension<hookhost_health_v1>(HOOKHOST_EXT_HEALTH);
  if (table == nullptr) return {};
  ErrorText error;
  const std::int32_t status = guarded("health", [&] { return table->check(instance_, &error.table); });
  return {status, error.text};
}

inline Answer FakeHost::reconfigure(const std::string& json) {
  const std::scoped_lock serial(serial_);
  const auto* const table = extension<hookhost_reconfigure_v1>(HOOKHOST_EXT_RECONFIGURE);
  if (table == nullptr) return {HOOKHOST_UNSUPPORTED, "the plugin has no " HOOKHOST_EXT_RECONFIGURE};
  const std::string old = copy(config_), directory = copy(directory_);
  configure(json, directory);
  ErrorText error;
  const std::int32_t status = guarded("reconfigure", [&] { return table->reconfigure(instance_, str(json), str(directory), &error.table); });
  if (status != HOOKHOST_OK) configure(old, directory);
  return {status, error.text};
}

// ---- The host table -----------------------------------------------------------------------------------------------------------------------

inline void FakeHost::log(const hookhost_host* self, std::int32_t level, hookhost_str text, const hookhost_str* fields, std::size_t count) noexcept {
  FakeHost& host = of(self);
  Line line{level, std::string(view(text)), {}};
  for (std::size_t i = 0; i < count; ++i) line.fields.emplace_back(view(fields[2 * i]), view(fields[2 * i + 1]));
  const std::scoped_lock lock(host.mutex_);
  host.check_any("log");
  host.lines_.push_back(std::move(line));
}

inline std::int64_t FakeHost::now(const hookhost_host* self) noexcept {
  const std::scoped_lock lock(of(self).mutex_);
  of(self).check_any("now");
  return of(self).now_;
}

inline void FakeHost::complete(const hookhost_host* self, std::uint64_t delivery, std::int32_t status, hookhost_str error,
                               std::int64_t retry_after) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  if (host.stopped_) host.broken("complete was called after stop had returned");
  const auto found = host.calls_.find(delivery);
  if (found == host.calls_.end() || !found->second->deferred) {
    host.broken("complete was called with " + std::to_string(delivery) + ", which no call of defer returned");
    return;
  }
  FakeCall& call = *found->second;
  if (call.completed) {
    host.broken("the call of offset " + std::to_string(call.offset) + " was completed twice");
    return;
  }
  call.completed = true;
  call.error = std::string(view(error));
  call.retry_after = std::max<std::int64_t>(retry_after, 0);
  if (call.in_handle) {
    call.status = status;  // handle returns first
  } else {
    host.end(call, status);
  }
}

inline void FakeHost::config_json(const hookhost_host* self, hookhost_str pointer, hookhost_value* out) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  host.check_any("config_json");
  *out = host.configs_.back()->find(view(pointer));
}

inline const void* FakeHost::get_extension(const hookhost_host* self, hookhost_str name) noexcept {
  static constexpr hookhost_kv_v1 kKv{sizeof(hookhost_kv_v1), 0, kv_get, kv_put, kv_erase, kv_scan};
  static constexpr hookhost_metrics_v1 kMetrics{
      sizeof(hookhost_metrics_v1), 0,
      [](const hookhost_host* host, hookhost_str series, double by) { of(host).metric(series, [by](double& value) { value += by; }); },
      [](const hookhost_host* host, hookhost_str series, double to) { of(host).metric(series, [to](double& value) { value = to; }); }};
  {
    const std::scoped_lock lock(of(self).mutex_);
    of(self).check_any("get_extension");
    if (!of(self).extensions_) return nullptr;
  }
  if (view(name) == HOOKHOST_EXT_KV) return &kKv;
  return view(name) == HOOKHOST_EXT_METRICS ? &kMetrics : nullptr;
}

// ---- The call table -----------------------------------------------------------------------------------------------------------------------

inline bool FakeHost::may_use(const char* function, hookhost_call* raw, bool while_deferred, FakeCall*& out) {
  for (auto& [delivery, call] : calls_) {
    if (&call->table != raw) continue;
    out = call.get();
    if (call->over()) {
      broken(std::string(function) + " was called after the call had ended");
      return false;
    }
    const bool here = call->in_handle && call->thread == std::this_thread::get_id();
    if (here || (while_deferred && call->deferred)) return true;
    broken(std::string(function) + (while_deferred ? " is [handle, deferred]" : " is [handle]") + ", but was called from another thread or too late");
    return false;
  }
  broken(std::string(function) + " was called with a call that the host never made");
  return false;
}

inline void FakeHost::json(hookhost_call* self, hookhost_str pointer, hookhost_value* out) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  FakeCall* call = nullptr;
  *out = host.may_use("json", self, true, call) ? call->memory->document.find(view(pointer)) : hookhost_value{};
}

inline void FakeHost::set_error(hookhost_call* self, hookhost_str text) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  FakeCall* call = nullptr;
  if (host.may_use("set_error", self, false, call)) call->error = std::string(view(text));
}

inline void FakeHost::set_retry_after(hookhost_call* self, std::int64_t ns) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  FakeCall* call = nullptr;
  if (host.may_use("set_retry_after", self, false, call)) call->retry_after = std::max<std::int64_t>(ns, 0);
}

inline std::int32_t FakeHost::is_cancelled(hookhost_call* self) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  FakeCall* call = nullptr;
  return host.may_use("is_cancelled", self, true, call) && !call->cancelled ? 0 : 1;
}

inline std::uint64_t FakeHost::defer(hookhost_call* self) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  FakeCall* call = nullptr;
  if (!host.may_use("defer", self, false, call)) return ~std::uint64_t{0};
  if (call->deferred) host.broken("defer was called twice");
  call->deferred = true;
  return call->delivery;
}

// ---- kv/1 ---------------------------------------------------------------------------------------------------------------------------------

inline KvMap FakeHost::visible(const FakeCall* call) const {
  KvMap out = committed_;
  const auto apply = [&out](const KvWrites& writes) {
    for (const auto& [key, value] : writes) {
      if (value) {
        out[key] = *value;
      } else {
        out.erase(key);
      }
    }
  };
  if (call != nullptr) {
    apply(batch_);
    apply(call->staged);
  }
  return out;
}

inline FakeCall* FakeHost::kv_call(const char* function, hookhost_call* raw, bool& allowed) {
  FakeCall* call = nullptr;
  if (raw == nullptr) {
    allowed = inside_.contains(std::this_thread::get_id());
    if (!allowed) broken(std::string(function) + " without a call is [handle], but was called from a thread of the plugin");
    return nullptr;
  }
  allowed = may_use(function, raw, true, call);
  if (allowed && call->scanning) {
    broken(std::string(function) + " was called from within a scan");
    allowed = false;
  }
  return call;
}

inline std::int32_t FakeHost::kv_get(const hookhost_host* self, hookhost_call* raw, hookhost_bytes key, hookhost_bytes* out) noexcept {
  FakeHost& host = of(self);
  const std::scoped_lock lock(host.mutex_);
  bool allowed = false;
  FakeCall* const call = host.kv_call("kv get", raw, allowed);
  if (!allowed) return -1;
  const KvMap all = host.visible(call);
  const auto found = all.find(std::string(view(key)));
  if (found == all.end()) return 0;
  std::string& answer = call == nullptr ? host.kv_answer_ : call->kv_answer;
  answer = found->second;
  *out = bytes(answer);
  return 1;
}

inline std::int32_t FakeHost::kv_write(hookhost_call* raw, hookhost_bytes key, std::optional<std::string> value, const char* function) {
  constexpr std::size_t kKeyBytesMax = 256, kValueBytesMax = 1 << 20;
  bool allowed = false;
  FakeCall* const call = kv_call(function, raw, allowed);
  if (!allowed || call == nullptr || kv_refused_ || key.len == 0 || key.len > kKeyBytesMax || (value && value->size() > kValueBytesMax)) return -1;
  call->staged[std::string(view(key))] = std::move(value);
  return 0;
}

inline std::int32_t FakeHost::kv_put(const hookhost_host* self, hookhost_call* raw, hookhost_bytes key, hookhost_bytes value) noexcept {
  const std::scoped_lock lock(of(self).mutex_);
  return of(self).kv_write(raw, key, std::string(view(value)), "kv put");
}

inline std::int32_t FakeHost::kv_erase(const hookhost_host* self, hookhost_call* raw, hookhost_bytes key) noexcept {
  const std::scoped_lock lock(of(self).mutex_);
  return of(self).kv_write(raw, key, std::nullopt, "kv erase");
}

inline std::int32_t FakeHost::kv_scan(const hookhost_host* self, hookhost_call* raw, hookhost_bytes prefix,
                                      std::int32_t (*visit)(void*, hookhost_bytes, hookhost_bytes), void* context) noexcept {
  FakeHost& host = of(self);
  FakeCall* call = nullptr;
  KvMap all;
  {
    const std::scoped_lock lock(host.mutex_);
    bool allowed = false;
    call = host.kv_call("kv scan", raw, allowed);
    if (!allowed) return -1;
    all = host.visible(call);
    if (call != nullptr) call->scanning = true;
  }
  for (auto at = all.lower_bound(std::string(view(prefix))); at != all.end() && at->first.starts_with(view(prefix)); ++at) {
    if (visit(context, bytes(at->first), bytes(at->second)) == 0) break;
  }
  host.locked([&] {
    if (call != nullptr) call->scanning = false;
  });
  return 0;
}

}  // namespace hookhost::testing

#endif
