// A fake host for unit tests of plugins, for whatever test framework you use. It hands events to a real instance through the real ABI and
// writes down every rule of abi.h that the plugin breaks: wrong threads, late use of a call, completions that are missing or come twice.
//
//   hookhost::testing::FakeHost host(hookhost::testing::plugin<Notify>());      // or hookhost_plugin_entry_v1()
//   host.configure(R"({"channel": "#sales"})");
//   ASSERT_TRUE(host.start().ok());
//   EXPECT_EQ(host.deliver(hookhost::testing::kakiyo_event("linkedin.message.received")).status, HOOKHOST_OK);
//   EXPECT_TRUE(host.commit().ok());
//   host.stop();
//   EXPECT_TRUE(host.violations().empty());
//
// Threads: every function may be called from every thread; calls into an instance that is not concurrent are made one after the other, as the
// real host does. Lanes are the test's: it should not hand out two events of one key at once.
#ifndef HOOKHOST_TESTING_HPP
#define HOOKHOST_TESTING_HPP

#include <hookhost/testing/fake_call.hpp>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>

namespace hookhost {

namespace detail {
template <class T>
const hookhost_plugin_entry* entry() noexcept;  // plugin.hpp
}

namespace testing {

// The entry of a class that need not stand in HOOKHOST_PLUGIN. Include plugin.hpp.
template <class T>
const hookhost_plugin_entry* plugin() {
  return detail::entry<T>();
}

// What a call into the plugin came to.
struct Answer {
  std::int32_t status = HOOKHOST_OK;
  std::string error = {};
  std::chrono::nanoseconds retry_after{0};
  std::uint64_t delivery = 0;  // of handle(): for wait() and cancel()
  [[nodiscard]] bool ok() const { return status == HOOKHOST_OK; }
};

struct Line {
  std::int32_t level = HOOKHOST_LOG_INFO;
  std::string text;
  std::vector<std::pair<std::string, std::string>> fields;
};

class FakeHost {
 public:
  explicit FakeHost(const hookhost_plugin_entry* entry, std::string instance_name = "plugin") : entry_(entry), name_(std::move(instance_name)) {
    host_.struct_size = sizeof host_;
    host_.abi_minor = HOOKHOST_ABI_MINOR;
    host_.host_data = this;
    host_.instance = str(name_);
    host_.log = log;
    host_.now = now;
    host_.complete = complete;
    host_.config_json = config_json;
    host_.get_extension = get_extension;
    configure("{}");
  }
  ~FakeHost() { stop(); }
  FakeHost(const FakeHost&) = delete;
  FakeHost& operator=(const FakeHost&) = delete;

  // ---- Before start -----------------------------------------------------------------------------------------------------------------------
  void configure(const std::string& json, const std::string& directory = "/etc/hookhost") {
    const std::scoped_lock lock(mutex_);
    configs_.push_back(std::make_unique<JsonDocument>(json));
    if (!configs_.back()->valid()) violations_.push_back("the test's configuration is no JSON: " + json);
    config_ = json;
    directory_ = directory;
  }
  void put_kv(const std::string& key, const std::string& value) { locked([&] { committed_[key] = value; }); }
  // As in a replay beside live: writes to kv are refused.
  void refuse_kv_writes(bool refuse) { locked([&] { kv_refused_ = refuse; }); }
  void without_extensions() { locked([&] { extensions_ = false; }); }
  void set_time(Time time) { locked([&] { now_ = time.time_since_epoch().count(); }); }
  void set_timeout(std::chrono::nanoseconds timeout) { locked([&] { timeout_ = timeout.count(); }); }

  // ---- The instance's life ----------------------------------------------------------------------------------------------------------------
  // create and start, from what was committed. A failed start leaves no instance.
  Answer start() { return begin(0); }
  // For test events only, as `hookhost plugin test` starts it.
  Answer start_test() { return begin(HOOKHOST_RESUME_TEST); }
  // The operator starts over: kv, token and offsets are cleared.
  Answer reset() {
    stop();
    locked([&] {
      committed_.clear();
      batch_.clear();
      covered_.clear();
      token_ = committed_token_ = next_offset_ = 0;
    });
    return begin(HOOKHOST_RESUME_RESET);
  }
  // The instance dies without stop, and a new one starts from the committed state.
  Answer crash() {
    drop_instance(false);
    return begin(0);
  }
  // stop and destroy. Calls that are still deferred are cancelled first, and must be completed by the time that the plugin's stop returns.
  void stop() { drop_instance(true); }
  [[nodiscard]] bool running() const { return instance_ != nullptr; }

  // ---- Calls ------------------------------------------------------------------------------------------------------------------------------
  // One event. A deferred call answers HOOKHOST_DEFERRED; wait() for its completion.
  Answer handle(TestEvent event);
  // handle, and wait when it is deferred.
  Answer deliver(TestEvent event, std::chrono::nanoseconds timeout = std::chrono::seconds(10)) {
    const Answer answer = handle(std::move(event));
    return answer.status == HOOKHOST_DEFERRED ? wait(answer.delivery, timeout) : answer;
  }
  // The completion of a deferred call; status HOOKHOST_DEFERRED when it has not come in time.
  Answer wait(std::uint64_t delivery, std::chrono::nanoseconds timeout = std::chrono::seconds(10)) {
    std::unique_lock lock(mutex_);
    const auto found = calls_.find(delivery);
    if (found == calls_.end()) return {HOOKHOST_RETRY, "no such delivery", {}, delivery};
    FakeCall& call = *found->second;
    changed_.wait_for(lock, timeout, [&] { return call.over(); });
    return call.over() ? answer_of(call) : Answer{HOOKHOST_DEFERRED, "not completed in time", {}, delivery};
  }
  void cancel(std::uint64_t delivery) {
    locked([&] {
      if (const auto found = calls_.find(delivery); found != calls_.end()) found->second->cancelled = true;
    });
  }
  [[nodiscard]] std::size_t deferred() {
    const std::scoped_lock lock(mutex_);
    return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(), [](const auto& one) { return !one.second->over(); }));
  }

  // checkpoint, then the commit of outcomes and kv. A refusal is followed by a new instance, as in the real host.
  Answer commit() { return commit_batch(true); }
  // checkpoint succeeds, the host's own commit does not: a new instance is given the token before it, and may answer with its newer one.
  Answer lose_commit() { return commit_batch(false); }

  // hookhost.health/1 and hookhost.reconfigure/1; HOOKHOST_OK and HOOKHOST_UNSUPPORTED without.
  Answer health();
  Answer reconfigure(const std::string& json);

  // ---- What was seen ----------------------------------------------------------------------------------------------------------------------
  [[nodiscard]] std::vector<std::string> violations() { return copy(violations_); }
  [[nodiscard]] std::vector<Line> lines() { return copy(lines_); }
  [[nodiscard]] KvMap kv() { return copy(committed_); }  // committed only
  [[nodiscard]] std::map<std::string, double> metrics() { return copy(metrics_); }
  [[nodiscard]] std::uint64_t committed_token() { return copy(committed_token_); }
  [[nodiscard]] const hookhost_host* raw() const { return &host_; }

 private:
  class Inside;  // marks this thread as inside a call into the instance
  struct ErrorText {
    std::string text = {};
    hookhost_error table{sizeof(hookhost_error), 0, this, [](hookhost_error* self, hookhost_str message) {
                           static_cast<ErrorText*>(self->host_data)->text = std::string(view(message));
                         }};
  };

  static FakeHost& of(const hookhost_host* host) { return *static_cast<FakeHost*>(host->host_data); }
  static FakeHost& of(hookhost_call* call) { return *static_cast<FakeHost*>(call->host_data); }

  template <class F>
  void locked(F f) {
    const std::scoped_lock lock(mutex_);
    f();
  }
  template <class T>
  T copy(const T& what) {
    const std::scoped_lock lock(mutex_);
    return what;
  }
  template <class Change>
  void metric(hookhost_str series, Change change) {
    const std::scoped_lock lock(mutex_);
    check_any("a metric");
    change(metrics_[std::string(view(series))]);
  }
  static Answer answer_of(const FakeCall& call) {
    return {call.status, call.error, std::chrono::nanoseconds(call.retry_after), call.delivery};
  }

  // All below with mutex_ held, unless they say otherwise.
  void broken(std::string rule) { violations_.push_back(std::move(rule)); }
  // [any]: from create to the end of stop, and inside the calls around them.
  void check_any(const char* function) {
    if (began_ && stopped_ && !inside_.contains(std::this_thread::get_id())) {
      broken(std::string("a thread of the plugin called ") + function + " after stop had returned");
    }
  }
  bool may_use(const char* function, hookhost_call* raw, bool while_deferred, FakeCall*& out);
  void end(FakeCall& call, std::int32_t status);
  FakeCall* kv_call(const char* function, hookhost_call* raw, bool& allowed);
  std::int32_t kv_write(hookhost_call* raw, hookhost_bytes key, std::optional<std::string> value, const char* function);
  [[nodiscard]] KvMap visible(const FakeCall* call) const;

  // Without mutex_.
  template <class F>
  std::int32_t guarded(const char* function, F f);
  Answer begin(std::uint32_t flags);
  void drop_instance(bool orderly);
  Answer commit_batch(bool committed);
  template <class Table>
  const Table* extension(const char* name);

  // The host table.
  static void log(const hookhost_host* self, std::int32_t level, hookhost_str text, const hookhost_str* fields, std::size_t count) noexcept;
  static std::int64_t now(const hookhost_host* self) noexcept;
  static void complete(const hookhost_host* self, std::uint64_t delivery, std::int32_t status, hookhost_str error, std::int64_t retry_after) noexcept;
  static void config_json(const hookhost_host* self, hookhost_str pointer, hookhost_value* out) noexcept;
  static const void* get_extension(const hookhost_host* self, hookhost_str name) noexcept;
  // The call table.
  static void json(hookhost_call* self, hookhost_str pointer, hookhost_value* out) noexcept;
  static void set_error(hookhost_call* self, hookhost_str text) noexcept;
  static void set_retry_after(hookhost_call* self, std::int64_t ns) noexcept;
  static std::int32_t is_cancelled(hookhost_call* self) noexcept;
  static std::uint64_t defer(hookhost_call* self) noexcept;
  // kv/1.
  static std::int32_t kv_get(const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes* out) noexcept;
  static std::int32_t kv_put(const hookhost_host* host, hookhost_call* call, hookhost_bytes key, hookhost_bytes value) noexcept;
  static std::int32_t kv_erase(const hookhost_host* host, hookhost_call* call, hookhost_bytes key) noexcept;
  static std::int32_t kv_scan(const hookhost_host* host, hookhost_call* call, hookhost_bytes prefix,
                              std::int32_t (*visit)(void*, hookhost_bytes, hookhost_bytes), void* context) noexcept;

  const hookhost_plugin_entry* const entry_;
  const std::string name_;
  hookhost_host host_{};
  std::mutex serial_;  // held around calls into an instance that is not concurrent; before mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  hookhost_instance* instance_ = nullptr;
  bool began_ = false;   // there was an instance
  bool stopped_ = true;  // no plugin thread may run
  std::map<std::thread::id, int> inside_;
  std::vector<std::unique_ptr<JsonDocument>> configs_;  // all ever given: their texts live as long as the instance
  std::string config_, directory_;
  std::map<std::uint64_t, std::unique_ptr<FakeCall>> calls_;
  std::uint64_t next_delivery_ = 1, next_offset_ = 0;
  KvMap committed_;
  KvWrites batch_;                       // of calls that ended ok or ignored since the last commit
  std::vector<std::uint64_t> covered_;  // their offsets
  std::uint64_t token_ = 0, committed_token_ = 0;
  std::string kv_answer_;
  std::vector<std::string> violations_;
  std::vector<Line> lines_;
  std::map<std::string, double> metrics_;
  std::int64_t now_ = 1'700'000'000'000'000'000;
  std::int64_t timeout_ = 30'000'000'000;
  bool kv_refused_ = false, extensions_ = true;
};

}  // namespace testing
}  // namespace hookhost

#include <hookhost/testing/fake_host.hpp>

#endif
