#include "plugins/instance.h"

#include <algorithm>
#include <utility>

#include "base/bytes.h"
#include "base/diagnostics.h"
#include "plugins/crash_watch.h"

namespace hookhost::plugins {
namespace {

constexpr std::uint64_t kLinesPerSecond = 100;
constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kFieldsMax = 16;
constexpr std::uint64_t kTokenMax = 1ULL << 62;  // far above what counting by one reaches

struct ErrorText {
  std::string text;
  hookhost_error table{sizeof(hookhost_error), 0, this, [](hookhost_error* self, hookhost_str message) noexcept {
                         static_cast<ErrorText*>(self->host_data)->text = to_utf8(view(message), kTextBytesMax);
                       }};
};

Error to_error(std::int32_t status, const std::string& name, const std::string& text) {
  const std::string message = text.empty() ? "plugin " + name + " did not start (status " + std::to_string(status) + ")" : text;
  switch (status) {
    case HOOKHOST_BAD_CONFIG: return {ErrorCode::invalid_config, message};
    case HOOKHOST_UNSUPPORTED: return {ErrorCode::not_supported, message};
    default: return {ErrorCode::unavailable, message};
  }
}

}  // namespace

Instance::Instance(std::shared_ptr<const Library> library, const InstanceSettings& settings, std::shared_ptr<PluginMetrics> metrics,
                   std::shared_ptr<delivery::KvReader> kv, Finished finished, const Clock& clock)
    : library_(std::move(library)),
      settings_(settings),
      metrics_(std::move(metrics)),
      kv_(std::move(kv)),
      finished_(std::move(finished)),
      clock_(clock),
      config_(&configs_.emplace_back(settings_.config)) {
  host_.struct_size = sizeof host_;
  host_.abi_minor = HOOKHOST_ABI_MINOR;
  host_.host_data = this;
  host_.instance = str(settings_.name);
  host_.log = log;
  host_.now = now;
  host_.complete = complete;
  host_.config_json = config_json;
  host_.get_extension = get_extension;
}

Result<std::unique_ptr<Instance>> Instance::start(std::shared_ptr<const Library> library, const InstanceSettings& settings,
                                                  std::shared_ptr<PluginMetrics> metrics, const delivery::StartRequest& request,
                                                  std::uint64_t& token, Finished finished, const Clock& clock) {
  std::unique_ptr<Instance> made(new Instance(std::move(library), settings, std::move(metrics), request.kv, std::move(finished), clock));
  ErrorText error;
  try {
    const auto& entry = made->library_->entry();
    const CallMark in_create(made->settings_.name, "create");
    const std::int32_t status = entry.create(&made->host_, str(made->settings_.config), str(made->settings_.config_dir), &made->instance_, &error.table);
    if (status != HOOKHOST_OK) {
      made->instance_ = nullptr;
      return fail(to_error(status, settings.name, error.text));
    }
    hookhost_instance* instance = made->instance_;
    const bool can_be_destroyed = instance != nullptr && HOOKHOST_HAS(instance, destroy) && instance->destroy != nullptr;
    if (!can_be_destroyed || instance->handle == nullptr) {
      if (!can_be_destroyed) made->instance_ = nullptr;
      return fail(ErrorCode::not_supported, "plugin " + settings.name + " made an instance without handle or destroy; tell its author");
    }
    if (instance->start != nullptr) {
      const std::uint32_t flags = (request.reset ? HOOKHOST_RESUME_RESET : 0) | (request.test ? HOOKHOST_RESUME_TEST : 0);
      hookhost_resume resume{sizeof resume, flags, token, token};
      const CallMark in_start(made->settings_.name, "start");
      const std::int32_t started = instance->start(instance, &resume, &error.table);
      if (started != HOOKHOST_OK) return fail(to_error(started, settings.name, error.text));
      if (resume.own_token > kTokenMax) {
        return fail(ErrorCode::not_supported, "plugin " + settings.name + " answered a token that no host hands out; tell its author");
      }
      if (resume.own_token < token) made->misbehaved("start answered a token older than the committed one");
      token = std::max(token, resume.own_token);
    }
  } catch (...) {
    return fail(ErrorCode::unavailable, "plugin " + settings.name + " threw an exception through the ABI while it started; tell its author");
  }
  return made;
}

Instance::~Instance() {
  if (instance_ == nullptr) return;
  const CallMark in_destroy(settings_.name, "destroy");
  try {
    instance_->destroy(instance_);
  } catch (...) {
    diagnose(Level::error, "plugins", "destroy threw an exception through the ABI", {{"instance", settings_.name}});
  }
}

bool Instance::has_checkpoint() const { return instance_->checkpoint != nullptr; }

// A table of the plugin's, or null.
template <class Table>
const Table* Instance::extension(const char* name) {
  if (!HOOKHOST_HAS(instance_, get_extension) || instance_->get_extension == nullptr) return nullptr;
  const CallMark in_get_extension(settings_.name, "get_extension");
  try {
    return static_cast<const Table*>(instance_->get_extension(instance_, str(name)));
  } catch (...) {
    misbehaved("get_extension threw an exception through the ABI");
    return nullptr;
  }
}

std::optional<std::string> Instance::health() {
  const auto* const table = extension<hookhost_health_v1>(HOOKHOST_EXT_HEALTH);
  if (table == nullptr || !HOOKHOST_HAS(table, check) || table->check == nullptr) return std::nullopt;
  ErrorText error;
  const CallMark in_health(settings_.name, "health");
  try {
    const std::int32_t status = table->check(instance_, &error.table);
    if (status == HOOKHOST_OK) return "";
    return error.text.empty() ? "it says that it is not well (status " + std::to_string(status) + ")" : error.text;
  } catch (...) {
    misbehaved("health threw an exception through the ABI");
    return "health threw an exception";
  }
}

Result<bool> Instance::reconfigure(const std::string& config) {
  const auto* const table = extension<hookhost_reconfigure_v1>(HOOKHOST_EXT_RECONFIGURE);
  if (table == nullptr || !HOOKHOST_HAS(table, reconfigure) || table->reconfigure == nullptr) return false;
  const auto put_in_force = [this](Configuration* next) {
    const std::scoped_lock lock(config_mutex_);
    return std::exchange(config_, next);
  };
  Configuration& next = configs_.emplace_back(config);
  Configuration* const old = put_in_force(&next);
  ErrorText error;
  std::int32_t status = HOOKHOST_RETRY;
  const CallMark in_reconfigure(settings_.name, "reconfigure");
  try {
    status = table->reconfigure(instance_, str(next.text), str(settings_.config_dir), &error.table);
  } catch (...) {
    misbehaved("reconfigure threw an exception through the ABI");
    error.text = "reconfigure threw an exception";
  }
  if (status == HOOKHOST_OK) return true;
  put_in_force(old);
  if (status == HOOKHOST_UNSUPPORTED) return false;
  return fail(ErrorCode::invalid_config, error.text.empty() ? "it gave no reason (status " + std::to_string(status) + ")" : error.text);
}

void Instance::handle(delivery::Delivery delivery) {
  std::shared_ptr<Call> call;
  {
    const std::scoped_lock lock(mutex_);
    call = std::make_shared<Call>(std::move(delivery), next_ticket_++, kv_.get(), clock_.wall(), clock_.monotonic());
    open_.emplace(call->ticket(), call);
    ++running_;
  }
  std::int32_t status = HOOKHOST_RETRY;
  bool threw = false;
  {
    const CallMark in_handle(settings_.name, "handle", &call->delivery());
    try {
      status = instance_->handle(instance_, call->event(), call->call());
    } catch (...) {
      threw = true;
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    --running_;
  }
  auto outcome = threw ? std::optional(to_outcome(HOOKHOST_RETRY, "the handler threw an exception through the ABI", 0)) : call->returned(status);
  if (outcome && threw) outcome->misbehaved = true;
  // A call past its deadline was given up on: whatever it answers, it is tried again.
  if (outcome && call->cancelled() && clock_.monotonic() >= call->deadline()) {
    const bool misbehaved = outcome->misbehaved;
    outcome = to_outcome(HOOKHOST_RETRY, "timeout", 0);
    outcome->misbehaved = misbehaved;
  }
  if (outcome) end(call, std::move(*outcome));
}

bool Instance::end(const std::shared_ptr<Call>& call, delivery::Outcome outcome, bool abandoned) {
  {
    const std::scoped_lock lock(mutex_);
    if (open_.erase(call->ticket()) == 0) return false;
    if (abandoned) abandoned_.emplace(call->ticket(), call);
  }
  finished_(call->finish(std::move(outcome), clock_.monotonic()));
  return true;
}

Result<> Instance::checkpoint(const delivery::Checkpoint& checkpoint) {
  std::vector<std::uint64_t> offsets;
  offsets.reserve(checkpoint.offsets.size());
  for (const Offset offset : checkpoint.offsets) offsets.push_back(offset.value);
  const hookhost_checkpoint raw{sizeof raw, 0, checkpoint.token, offsets.data(), offsets.size()};
  const CallMark in_checkpoint(settings_.name, "checkpoint");
  try {
    const std::int32_t status = instance_->checkpoint(instance_, &raw);
    if (status == HOOKHOST_OK) return success();
    return fail(ErrorCode::unavailable, "plugin " + settings_.name + " refused a checkpoint (status " + std::to_string(status) + ")");
  } catch (...) {
    return fail(ErrorCode::unavailable, "plugin " + settings_.name + " threw an exception through the ABI in checkpoint");
  }
}

void Instance::sweep(MonotonicTime now) {
  std::vector<std::shared_ptr<Call>> late;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [ticket, call] : open_) {
      if (now >= call->deadline() && !call->cancelled()) late.push_back(call);
    }
  }
  for (const auto& call : late) {
    call->cancel();
    diagnose(Level::warn, "plugins", "a call is past its timeout", {{"instance", settings_.name}, {"offset", call->event()->offset}});
    if (auto done = call->completed(HOOKHOST_RETRY, "timeout", 0); done.outcome) end(call, std::move(*done.outcome), true);
  }
}

void Instance::cancel_all() {
  const std::scoped_lock lock(mutex_);
  for (const auto& [ticket, call] : open_) call->cancel();
}

std::size_t Instance::running() const {
  const std::scoped_lock lock(mutex_);
  return running_;
}

std::size_t Instance::open() const {
  const std::scoped_lock lock(mutex_);
  return open_.size();
}

std::size_t Instance::deferred() const {
  const std::scoped_lock lock(mutex_);
  return open_.size() - std::min(open_.size(), running_);
}

std::size_t Instance::abandoned() const {
  const std::scoped_lock lock(mutex_);
  return abandoned_.size();
}

// The first few, then every thousandth: a plugin that never behaves must not fill the disk.
void Instance::misbehaved(std::string_view what) {
  std::uint64_t count = 0;
  {
    const std::scoped_lock lock(mutex_);
    count = ++misbehaviours_;
  }
  if (count <= 10 || count % 1000 == 0) diagnose(Level::warn, "plugins", what, {{"instance", settings_.name}, {"count", count}});
}

void Instance::stop() {
  if (instance_->stop == nullptr) return;
  const CallMark in_stop(settings_.name, "stop");
  try {
    instance_->stop(instance_);
  } catch (...) {
    diagnose(Level::error, "plugins", "stop threw an exception through the ABI", {{"instance", settings_.name}});
  }
}

void Instance::log(const hookhost_host* self, std::int32_t level, hookhost_str text, const hookhost_str* fields, std::size_t count) noexcept {
  Instance& instance = of(self);
  std::uint64_t left_out = 0;
  {
    const std::scoped_lock lock(instance.mutex_);
    const std::int64_t second = to_unix_ns(instance.clock_.wall()) / 1'000'000'000;
    if (second != instance.log_second_) {
      instance.log_second_ = second;
      instance.log_lines_ = 0;
      left_out = std::exchange(instance.log_left_out_, 0);
    }
    if (++instance.log_lines_ > kLinesPerSecond) {
      ++instance.log_left_out_;
      return;
    }
  }
  std::string line = to_utf8(view(text), kTextBytesMax);
  for (std::size_t i = 0; fields != nullptr && i < 2 * std::min(count, kFieldsMax); i += 2) {
    line += ' ';
    line += to_utf8(view(fields[i]), kTextBytesMax);
    line += '=';
    line += to_utf8(view(fields[i + 1]), kTextBytesMax);
  }
  const auto known = level < 0 || level > 4 ? Level::info : static_cast<Level>(level);
  if (left_out > 0) diagnose(Level::warn, "plugin", "lines were left out", {{"instance", instance.settings_.name}, {"count", left_out}});
  const CallMark* const here = CallMark::current();
  const bool in_handle = here != nullptr && &here->instance() == &instance.settings_.name && here->delivery() != nullptr;
  if (!in_handle) return diagnose(known, "plugin", line, {{"instance", instance.settings_.name}});
  const event_log::Event& event = *here->delivery()->event;
  diagnose(known, "plugin", line, {{"instance", instance.settings_.name}, {"offset", event.offset.value}, {"id", event.id.value}});
}

std::int64_t Instance::now(const hookhost_host* self) noexcept { return to_unix_ns(of(self).clock_.wall()); }

void Instance::complete(const hookhost_host* self, std::uint64_t ticket, std::int32_t status, hookhost_str error, std::int64_t retry_after) noexcept {
  Instance& instance = of(self);
  std::shared_ptr<Call> call;
  bool late = false;
  {
    const std::scoped_lock lock(instance.mutex_);
    const auto found = instance.open_.find(ticket);
    if (found != instance.open_.end()) call = found->second;
    if (!call) late = instance.abandoned_.erase(ticket) != 0;
  }
  if (late) return;  // reported when it timed out
  if (!call) return instance.misbehaved("a completion came twice, or for no call");
  auto done = call->completed(status, to_utf8(view(error), kErrorBytesMax), retry_after);
  if (done.again && !call->cancelled()) return instance.misbehaved("a completion came twice");
  if (!done.outcome || instance.end(call, std::move(*done.outcome))) return;
  // The timeout was faster; now nobody looks at the call any more.
  const std::scoped_lock lock(instance.mutex_);
  instance.abandoned_.erase(ticket);
}

void Instance::config_json(const hookhost_host* self, hookhost_str pointer, hookhost_value* out) noexcept {
  Instance& instance = of(self);
  const std::scoped_lock lock(instance.config_mutex_);
  instance.config_->document.find(view(pointer), *out);
}

std::int32_t Instance::committed(std::string_view key, hookhost_bytes& out) {
  if (!kv_) return -1;
  auto found = kv_->get(key);
  if (!found) return -1;
  if (!found.value()) return 0;
  kv_answer_ = std::move(*found.value());
  out = bytes(kv_answer_);
  return 1;
}

std::int32_t Instance::scan(std::string_view prefix, KvVisit visit, void* context) {
  if (!kv_ || visit == nullptr) return -1;
  return scan_committed(*kv_, prefix, [&](const std::string& key, const std::string& value) { return visit(context, bytes(key), bytes(value)) != 0; });
}

const void* Instance::get_extension(const hookhost_host*, hookhost_str name) noexcept {
  static const hookhost_metrics_v1 metrics{
      sizeof(hookhost_metrics_v1), 0,
      [](const hookhost_host* host, hookhost_str series, double by) noexcept { of(host).metrics_->count(view(series), by); },
      [](const hookhost_host* host, hookhost_str series, double value) noexcept { of(host).metrics_->gauge(view(series), value); }};
  static const hookhost_kv_v1 kv{
      sizeof(hookhost_kv_v1), 0,
      [](const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes* out) noexcept -> std::int32_t {
        return call == nullptr ? of(host).committed(view(key), *out) : Call::of(call).kv_get(view(key), *out);
      },
      [](const hookhost_host*, hookhost_call* call, hookhost_bytes key, hookhost_bytes value) noexcept -> std::int32_t {
        return call == nullptr ? -1 : Call::of(call).kv_write(view(key), view(value));
      },
      [](const hookhost_host*, hookhost_call* call, hookhost_bytes key) noexcept -> std::int32_t {
        return call == nullptr ? -1 : Call::of(call).kv_write(view(key), std::nullopt);
      },
      [](const hookhost_host* host, hookhost_call* call, hookhost_bytes prefix, KvVisit visit, void* context) -> std::int32_t {
        return call == nullptr ? of(host).scan(view(prefix), visit, context) : Call::of(call).kv_scan(view(prefix), visit, context);
      }};
  if (view(name) == HOOKHOST_EXT_KV) return &kv;
  if (view(name) == HOOKHOST_EXT_METRICS) return &metrics;
  return nullptr;
}

}  // namespace hookhost::plugins
