// A plugin that misbehaves in the one way that its configuration names: {"mode": "...", "cell": address}. The cell is an atomic number of the
// test's: what hangs here sets it to -1 and hangs until it is above 0. Written against the raw ABI, so that no wrapper protects the host.
#include <hookhost/abi.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

HOOKHOST_PLUGIN_NOTE("test.hookhost.hostile")

namespace {

struct Parked {
  const hookhost_host* host = nullptr;
  std::uint64_t delivery = 0;
};
Parked parked;  // of another instance of this library

struct Hostile {
  hookhost_instance table{};
  const hookhost_host* host = nullptr;
  std::string mode;
  std::atomic<int>* cell = nullptr;
  std::uint64_t last = 0;
  int calls = 0;
  std::vector<std::thread> threads;
  std::atomic<int> open{0};
};

hookhost_str str(const char* text) { return {text, std::char_traits<char>::length(text)}; }
hookhost_bytes bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }

void hang(const Hostile& self) {
  int idle = 0;
  self.cell->compare_exchange_strong(idle, -1);
  while (self.cell->load() <= 0) ::usleep(1000);
}

int32_t use_kv(Hostile& self, hookhost_call* call) {
  const auto* kv = static_cast<const hookhost_kv_v1*>(self.host->get_extension(self.host, str(HOOKHOST_EXT_KV)));
  hookhost_bytes out{};
  if (kv->put(self.host, call, bytes("a"), bytes("1")) != 0) return HOOKHOST_REJECT;
  if (kv->get(self.host, call, bytes("a"), &out) != 1 || out.len != 1) return HOOKHOST_RETRY;
  if (kv->erase(self.host, call, bytes("a")) != 0 || kv->get(self.host, call, bytes("a"), &out) != 0) return HOOKHOST_RETRY;
  if (kv->put(self.host, call, bytes(std::string(257, 'k')), bytes("1")) != -1) return HOOKHOST_RETRY;
  if (kv->put(self.host, call, bytes("big"), bytes(std::string((1U << 20) + 1, 'v'))) != -1) return HOOKHOST_RETRY;
  // Lengths that lie are refused before anything is read.
  if (kv->put(self.host, call, bytes("big"), {bytes("v").ptr, SIZE_MAX / 2}) != -1) return HOOKHOST_RETRY;
  if (kv->put(self.host, call, {bytes("k").ptr, SIZE_MAX / 2}, bytes("v")) != -1) return HOOKHOST_RETRY;
  if (kv->put(self.host, call, {nullptr, 3}, bytes("v")) != -1) return HOOKHOST_RETRY;
  return kv->put(self.host, call, bytes("b"), bytes("2")) == 0 ? HOOKHOST_OK : HOOKHOST_RETRY;
}

int32_t count_oddly(const Hostile& self) {
  const auto* metrics = static_cast<const hookhost_metrics_v1*>(self.host->get_extension(self.host, str(HOOKHOST_EXT_METRICS)));
  metrics->count(self.host, str("good"), 2);
  for (const double by : {-1.0, std::nan(""), HUGE_VAL}) metrics->count(self.host, str("good"), by);
  metrics->gauge(self.host, str("good"), 7);  // it is a counter
  for (const char* name : {"", "Upper", "with space", "caf\xc3\xa9", "a{b}"}) metrics->count(self.host, str(name), 1);
  metrics->count(self.host, str(std::string(65, 'a').c_str()), 1);
  metrics->count(self.host, {nullptr, 5}, 1);
  for (int i = 0; i < 1000; ++i) metrics->count(self.host, str(("n" + std::to_string(i)).c_str()), 1);
  return HOOKHOST_OK;
}

int32_t deferring(Hostile& self, const std::string& mode, hookhost_call* call) {
  if (mode == "defers_without_defer") return HOOKHOST_DEFERRED;
  const std::uint64_t delivery = call->defer(call);
  if (mode == "defers_never") return HOOKHOST_DEFERRED;
  if (mode == "defers_and_answers") return HOOKHOST_OK;
  if (mode == "defers_garbage") {
    self.host->complete(self.host, delivery, HOOKHOST_DEFERRED, str("caf\xe9"), -7);
  } else if (mode == "defers_early_twice") {
    self.host->complete(self.host, delivery, HOOKHOST_REJECT, str("the first"), 0);
    self.host->complete(self.host, delivery, HOOKHOST_OK, str(""), 0);
  } else if (mode == "defers_twice") {
    if (self.last != 0) self.host->complete(self.host, self.last, HOOKHOST_REJECT, str("again"), 0);
    self.host->complete(self.host, delivery, HOOKHOST_OK, str(""), 0);
    self.last = delivery;
  } else if (mode == "defers_and_looks") {  // uses the call long after its deadline, as it may until it completes it
    self.threads.emplace_back([&self, call, delivery] {
      hookhost_value value;
      while (self.cell->load() == 0) {
        call->is_cancelled(call);
        call->json(call, str("/n"), &value);
        ::usleep(1000);
      }
      self.host->complete(self.host, delivery, HOOKHOST_OK, str(""), 0);
    });
  } else if (mode == "defers_and_counts") {  // the cell: minus the most calls that were open at once
    self.cell->store(std::min(self.cell->load(), -++self.open));
    self.threads.emplace_back([&self, delivery] {
      ::usleep(1000);
      --self.open;
      self.host->complete(self.host, delivery, HOOKHOST_OK, str(""), 0);
    });
  } else if (mode == "defers_and_parks") {
    parked = {self.host, delivery};
    self.cell->store(1);
  }
  return HOOKHOST_DEFERRED;
}

int32_t handle(hookhost_instance* raw, const hookhost_event*, hookhost_call* call) {
  auto& self = *static_cast<Hostile*>(raw->plugin_data);
  const std::string& mode = self.mode;
  ++self.calls;
  if (mode == "throws") throw std::runtime_error("on purpose");
  if (mode == "throws_int") throw 1;
  if (mode == "garbage") return 4711;
  if (mode.starts_with("defers")) return deferring(self, mode, call);
  if (mode == "kv") return use_kv(self, call);
  if (mode == "hangs") return hang(self), HOOKHOST_OK;
  if (mode == "hangs_second") return self.calls == 2 ? (hang(self), HOOKHOST_OK) : HOOKHOST_OK;
  if (mode == "unavailable_second") return self.calls == 2 ? HOOKHOST_UNAVAILABLE : HOOKHOST_OK;
  if (mode == "hangs_until_cancelled") {
    while (call->is_cancelled(call) == 0) ::usleep(1000);
    return HOOKHOST_OK;
  }
  if (mode == "own_delay") {
    call->set_error(call, str("later"));
    call->set_retry_after(call, 5'000'000'000);
    return HOOKHOST_RETRY;
  }
  if (mode == "odd_answer") {  // no UTF-8, too long, and a wait of three centuries
    call->set_error(call, str(("\xff\x80" + std::string(5000, 'x')).c_str()));
    call->set_retry_after(call, INT64_MAX);
    return HOOKHOST_UNAVAILABLE;
  }
  if (mode == "odd_metrics") return count_oddly(self);
  if (mode == "floods") {
    for (int i = 0; i < 5000; ++i) self.host->log(self.host, HOOKHOST_LOG_INFO, str("flood"), nullptr, 0);
  }
  if (mode == "completes_nothing") {
    for (std::uint64_t i = 0; i < 5000; ++i) self.host->complete(self.host, 1'000'000 + i, HOOKHOST_OK, str(""), 0);
  }
  if (mode == "configured") {
    hookhost_value next;
    self.host->config_json(self.host, str("/next"), &next);
    return call->set_error(call, next.text), HOOKHOST_RETRY;
  }
  if (mode == "configured_hangs") return hang(self), HOOKHOST_OK;
  if (mode == "completes_parked") parked.host->complete(parked.host, parked.delivery, HOOKHOST_IGNORED, str(""), 0);
  return HOOKHOST_OK;
}

int32_t start(hookhost_instance* raw, hookhost_resume* resume, hookhost_error* error) {
  const auto& self = *static_cast<Hostile*>(raw->plugin_data);
  if (self.mode == "start_throws") throw 1;
  while (self.mode == "start_hangs") ::usleep(1000);
  if (self.mode == "start_unavailable") return error->set(error, str("the database is down")), HOOKHOST_UNAVAILABLE;
  if (self.mode == "start_old_token") resume->own_token = 1;
  if (self.mode == "start_mad_token") resume->own_token = UINT64_MAX;
  return HOOKHOST_OK;
}

int32_t checkpoint(hookhost_instance* raw, const hookhost_checkpoint*) {
  const auto& self = *static_cast<Hostile*>(raw->plugin_data);
  if (self.mode == "checkpoint_throws") throw 1;
  while (self.mode == "checkpoint_hangs") ::usleep(1000);
  return self.mode == "checkpoint_refuses" ? HOOKHOST_RETRY : HOOKHOST_OK;
}

// Ill while the cell is 5.
int32_t check_health(hookhost_instance* raw, hookhost_error* error) {
  const auto& self = *static_cast<Hostile*>(raw->plugin_data);
  if (self.mode == "health_throws") throw 1;
  if (self.cell->load() != 5) return HOOKHOST_OK;
  return error->set(error, str("feverish")), 4711;
}

// Does what the new configuration says, and asks for it through the host as it may.
int32_t reconfigure(hookhost_instance* raw, hookhost_str config, hookhost_str, hookhost_error* error) {
  auto& self = *static_cast<Hostile*>(raw->plugin_data);
  hookhost_value next;
  self.host->config_json(self.host, str("/next"), &next);
  const std::string wanted(next.text.ptr, next.text.len);
  if (std::string(config.ptr, config.len).find(wanted) == std::string::npos) return HOOKHOST_RETRY;
  if (wanted == "throws") throw 1;
  if (wanted == "refuses") return error->set(error, str("no such channel")), HOOKHOST_BAD_CONFIG;
  if (wanted == "garbage") return 4711;
  return wanted == "cannot" ? HOOKHOST_UNSUPPORTED : HOOKHOST_OK;
}

const void* get_extension(hookhost_instance* raw, hookhost_str name) {
  static const hookhost_reconfigure_v1 kReconfigure{sizeof(hookhost_reconfigure_v1), 0, reconfigure};
  if (static_cast<Hostile*>(raw->plugin_data)->mode.starts_with("configured") && std::string(name.ptr, name.len) == HOOKHOST_EXT_RECONFIGURE) {
    return &kReconfigure;
  }
  static const hookhost_health_v1 kHealth{sizeof(hookhost_health_v1), 0, check_health};
  const bool is_asked = static_cast<Hostile*>(raw->plugin_data)->mode.starts_with("health");
  return is_asked && std::string(name.ptr, name.len) == HOOKHOST_EXT_HEALTH ? &kHealth : nullptr;
}

void stop(hookhost_instance* raw) {
  auto& self = *static_cast<Hostile*>(raw->plugin_data);
  if (self.mode == "stop_hangs") hang(self);
  for (auto& thread : self.threads) thread.join();
}

void destroy(hookhost_instance* raw) { delete static_cast<Hostile*>(raw->plugin_data); }

int32_t create(const hookhost_host* host, hookhost_str, hookhost_str, hookhost_instance** out, hookhost_error* error) {
  hookhost_value mode, cell;
  host->config_json(host, str("/mode"), &mode);
  host->config_json(host, str("/cell"), &cell);
  const std::string wanted(mode.text.ptr, mode.text.len);
  if (wanted == "create_refuses") return error->set(error, str("no such channel")), HOOKHOST_BAD_CONFIG;
  if (wanted == "create_lies") return HOOKHOST_OK;
  auto* made = new Hostile;
  made->host = host;
  made->mode = wanted;
  made->cell = reinterpret_cast<std::atomic<int>*>(static_cast<std::uintptr_t>(cell.integer));
  made->table.struct_size = sizeof made->table;
  made->table.plugin_data = made;
  made->table.start = start;
  made->table.handle = handle;
  made->table.checkpoint = checkpoint;
  made->table.stop = stop;
  made->table.destroy = destroy;
  made->table.get_extension = get_extension;
  if (wanted == "create_small") {  // nobody can free it
    static const std::unique_ptr<Hostile> kept(made);
    made->table.struct_size = offsetof(hookhost_instance, destroy);
  }
  if (wanted == "create_handles_nothing") made->table.handle = nullptr;
  *out = &made->table;
  return HOOKHOST_OK;
}

const hookhost_str kEvents[] = {HOOKHOST_STR("*")};
const hookhost_plugin_entry kEntry = {
    sizeof(hookhost_plugin_entry), 0, 0, 0, HOOKHOST_STR("test.hookhost.hostile"), HOOKHOST_STR("hostile"), HOOKHOST_STR("1.0.0"), HOOKHOST_STR(""),
    HOOKHOST_STR(R"({"type":"object","properties":{"mode":{"type":"string"},"secret":{"type":"string","maxLength":3,"writeOnly":true}}})"),
    kEvents, 1, HOOKHOST_REPLAY_SAFE, HOOKHOST_ORDER_KEY, create};

}  // namespace

extern "C" const hookhost_plugin_entry* hookhost_plugin_entry_v1() { return &kEntry; }
