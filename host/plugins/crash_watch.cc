#include "plugins/crash_watch.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <iterator>
#include <memory>
#include <random>
#include <string_view>
#include <unistd.h>
#include <utility>

#include "base/diagnostics.h"

namespace hookhost::plugins {
namespace {

constexpr std::uint64_t kFormat = 0x3268737263686b68;  // "hkhcrsh2"
constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kRunsMax = 16;
constexpr std::size_t kAlternateStackBytes = 64 << 10;

enum class Left : std::uint32_t { nothing = 0, cause = 1, call = 2, event = 3 };  // how much of the note is filled in

// Lives in a row that ended inside a plugin outside of handle.
struct Run {
  char instance[kNameBytesMax];  // empty: a free place
  char how[64];
  std::uint32_t lives;
  std::uint32_t held_back;
};

// As it lies in the file. `left` is written after what it speaks of.
struct Note {
  std::uint64_t format, life;
  std::atomic<Left> left;
  std::int32_t signal;  // 0: exit()
  std::int64_t at;
  char doing[32];
  char instance[kNameBytesMax];
  std::uint64_t stream, offset;
  std::uint32_t attempt, crashes;
  Run runs[kRunsMax];
};
static_assert(std::atomic<Left>::is_always_lock_free);

struct Watched {
  int signal;
  const char* name;
  struct sigaction before;
};
Watched watched[] = {{SIGSEGV, "SIGSEGV", {}}, {SIGBUS, "SIGBUS", {}}, {SIGILL, "SIGILL", {}}, {SIGFPE, "SIGFPE", {}}, {SIGABRT, "SIGABRT", {}}};

// Read in signal handlers.
std::atomic<Note*> note{nullptr};  // null: nobody watches
std::atomic<bool> noted{false};    // the first crash is the one that ends the process
bool says_so = false;
pid_t process = 0;                 // a plugin's child that crashes ends only itself
constinit thread_local const CallMark* current_mark = nullptr;

void copy(char* into, std::size_t size, const char* text, std::size_t length) {
  length = std::min(length, size - 1);
  std::memcpy(into, text, length);
  into[length] = '\0';
}

// Async-signal-safe. What is surest comes first: the plugin may have written over the rest, and a fault in here ends the process.
void leave_note(int signal) {
  Note* const out = note.load();
  if (out == nullptr || ::getpid() != process || noted.exchange(true)) return;
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  out->signal = signal;
  out->at = now.tv_sec * 1'000'000'000LL + now.tv_nsec;
  out->left.store(Left::cause);
  const CallMark* const mark = current_mark;
  if (mark == nullptr) return;
  copy(out->doing, sizeof out->doing, mark->doing(), std::strlen(mark->doing()));
  copy(out->instance, sizeof out->instance, mark->instance().data(), mark->instance().size());
  out->left.store(Left::call);
  const delivery::Delivery* const delivery = mark->delivery();
  if (delivery == nullptr) return;
  out->stream = delivery->stream;
  out->offset = delivery->event->offset.value;
  out->attempt = delivery->attempt.value;
  out->crashes = delivery->crashes;
  out->left.store(Left::event);
}

// Async-signal-safe.
void say(const char* cause) {
  char line[512] = "";
  std::size_t used = 0;
  const auto add = [&](std::string_view text) {
    text = text.substr(0, sizeof line - 1 - used);
    std::memcpy(line + used, text.data(), text.size());
    used += text.size();
  };
  const CallMark* const mark = current_mark;
  add("hookhost: the process ends by ");
  add(cause);
  add(mark == nullptr ? " outside of the plugin's calls: while it was loaded, or on a thread of its own" : " inside plugin ");
  if (mark != nullptr) {
    add(mark->instance());
    add(", in ");
    add(mark->doing());
    if (mark->delivery() != nullptr) {
      add(" of ");
      add(mark->delivery()->event->type);
    }
  }
  line[used++] = '\n';
  static_cast<void>(!::write(STDERR_FILENO, line, used));
}

void on_signal(int signal, siginfo_t* info, void*) {
  const int error = errno;
  const bool sent = info->si_code <= 0;  // by kill, raise or abort, not by the processor
  const auto* const entry = std::find_if(std::begin(watched), std::end(watched), [&](const Watched& one) { return one.signal == signal; });
  if (!sent || info->si_pid == ::getpid()) {
    leave_note(signal);
    if (says_so && ::getpid() == process) say(entry->name);
  }
  ::sigaction(signal, &entry->before, nullptr);
  if (sent) ::raise(signal);  // arrives when this returns; what the processor raised comes again by itself
  errno = error;
}

void at_exit() {
  if (note.load() == nullptr || ::getpid() != process) return;
  leave_note(0);
  const CallMark* const mark = current_mark;
  if (says_so) {
    say("exit()");
  } else {
    diagnose(Level::error, "plugins", "a plugin called exit(): the host ends with it", {{"instance", mark == nullptr ? "" : mark->instance()}});
  }
  std::_Exit(EXIT_FAILURE);
}

// A stack that overflows leaves no room for a handler: it runs on one of its own, for as long as the thread lives. A sanitizer's is left alone.
class AlternateStack {
 public:
  AlternateStack() {
    stack_t known{};
    if (::sigaltstack(nullptr, &known) != 0 || (known.ss_flags & SS_DISABLE) == 0) return;
    memory_ = std::make_unique_for_overwrite<char[]>(kAlternateStackBytes);
    const stack_t own{memory_.get(), 0, kAlternateStackBytes};
    ::sigaltstack(&own, nullptr);
  }
  ~AlternateStack() {
    if (!memory_) return;
    stack_t off{};
    off.ss_flags = SS_DISABLE;
    ::sigaltstack(&off, nullptr);
  }
  void touch() const {}

 private:
  std::unique_ptr<char[]> memory_;
};

Run* find_run(Note& in, const std::string& instance) {
  auto* const found = std::find_if(std::begin(in.runs), std::end(in.runs), [&](const Run& run) { return instance == run.instance; });
  return found == std::end(in.runs) ? nullptr : found;
}

// What the runs are after a life that ended so. One that began no other end keeps its count: two such plugins may take turns.
void count_life(Note& in, const std::optional<Crash>& crash) {
  const bool counts = crash && !crash->instance.empty() && !crash->has_event;
  for (Run& run : in.runs) {
    run.instance[kNameBytesMax - 1] = run.how[sizeof run.how - 1] = '\0';
    if (!counts && run.held_back == 0) run = Run{};
  }
  if (!counts) return;
  Run* run = find_run(in, crash->instance);
  if (run == nullptr) run = find_run(in, "");
  if (run == nullptr) return;
  const std::string how = crash->cause + " in " + crash->doing;
  copy(run->instance, sizeof run->instance, crash->instance.data(), crash->instance.size());
  copy(run->how, sizeof run->how, how.data(), how.size());
  if (++run->lives >= kCrashedLivesMax) run->held_back = 1;
}

std::uint64_t new_life() {
  std::random_device random;
  return (static_cast<std::uint64_t>(random()) << 32 | random()) | 1;  // never 0
}

}  // namespace

CallMark::CallMark(const std::string& instance, const char* doing, const delivery::Delivery* delivery) noexcept
    : instance_(instance), doing_(doing), delivery_(delivery), outer_(current_mark) {
  static thread_local const AlternateStack stack;
  stack.touch();
  current_mark = this;
}
CallMark::~CallMark() { current_mark = outer_; }
const CallMark* CallMark::current() { return current_mark; }

Result<CrashWatch> CrashWatch::open(const std::string& path) {
  HOOKHOST_TRY(auto file, os::MappedFile::open(path, sizeof(Note)));
  return CrashWatch(std::move(file));
}

CrashWatch::CrashWatch(CrashWatch&& other) noexcept : file_(std::move(other.file_)), watches_(std::exchange(other.watches_, false)) {}

std::optional<Crash> CrashWatch::last() const {
  auto& read = *static_cast<Note*>(file_.memory());
  const Left left = read.left.load();
  if (read.format != kFormat || read.life == 0 || left == Left::nothing || left > Left::event) return std::nullopt;
  Crash out;
  const auto* const entry = std::find_if(std::begin(watched), std::end(watched), [&](const Watched& one) { return one.signal == read.signal; });
  out.cause = entry == std::end(watched) ? "exit()" : entry->name;
  out.life = read.life;
  out.at = from_unix_ns(read.at);
  if (left >= Left::call) {
    out.doing.assign(read.doing, ::strnlen(read.doing, sizeof read.doing));
    out.instance.assign(read.instance, ::strnlen(read.instance, sizeof read.instance));
  }
  out.has_event = left == Left::event;
  if (!out.has_event) return out;
  out.stream = read.stream;
  out.offset = Offset{read.offset};
  out.attempt = Attempt{read.attempt};
  out.crashes = read.crashes;
  return out;
}

void CrashWatch::begin(bool to_say_so) {
  says_so = to_say_so;
  Note old{};
  if (auto& read = *static_cast<Note*>(file_.memory()); read.format == kFormat) std::copy(std::begin(read.runs), std::end(read.runs), old.runs);
  count_life(old, last());
  auto* const fresh = new (file_.memory()) Note{};
  std::copy(std::begin(old.runs), std::end(old.runs), fresh->runs);
  fresh->life = new_life();
  fresh->format = kFormat;
  process = ::getpid();
  noted.store(false);
  note.store(fresh);
  watches_ = true;
  static const bool registered = std::atexit(at_exit) == 0 && std::at_quick_exit(at_exit) == 0;
  static_cast<void>(registered);
  for (Watched& one : watched) {
    struct sigaction own {};
    own.sa_sigaction = on_signal;
    own.sa_flags = SA_SIGINFO | SA_ONSTACK;
    ::sigemptyset(&own.sa_mask);
    ::sigaction(one.signal, &own, &one.before);
  }
}

std::optional<std::string> CrashWatch::held_back(const std::string& instance) const {
  const Run* const run = find_run(*static_cast<Note*>(file_.memory()), instance);
  if (run == nullptr || run->held_back == 0) return std::nullopt;
  return "its last " + std::to_string(run->lives) + " runs ended the host (" + run->how + ")";
}

void CrashWatch::release(const std::string& instance) {
  if (Run* const run = find_run(*static_cast<Note*>(file_.memory()), instance)) run->held_back = 0;
}

CrashWatch::~CrashWatch() {
  if (!watches_) return;
  auto* const last = note.exchange(nullptr);
  last->left.store(Left::nothing);
  for (const Watched& one : watched) ::sigaction(one.signal, &one.before, nullptr);
}

}  // namespace hookhost::plugins
