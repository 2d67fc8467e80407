// What a plugin leaves behind when it ends the process: in which call of which instance, with which event. Written by the dying thread itself,
// on SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT or exit(), and read by the next life of the host.
//
// What is not the plugin's doing leaves nothing: kill -9, the out-of-memory killer, a power cut, a signal that another process sends. Nor does
// _exit(), which runs nothing of ours. Of a thread that is in no call (a plugin's own, or the host's) only the cause is known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "delivery/subscriber.h"
#include "os/mapped_file.h"

namespace hookhost::plugins {

// This thread is inside an instance's code, from construction to destruction. Costs a few stores: no system call, no lock.
class CallMark {
 public:
  // `doing`: a literal ("handle"). `delivery`: the event that it is about, or null. All must outlive the mark.
  CallMark(const std::string& instance, const char* doing, const delivery::Delivery* delivery = nullptr) noexcept;
  ~CallMark();
  CallMark(const CallMark&) = delete;
  CallMark& operator=(const CallMark&) = delete;

  [[nodiscard]] static const CallMark* current();  // of this thread; null: it is in no call
  [[nodiscard]] const std::string& instance() const { return instance_; }
  [[nodiscard]] const char* doing() const { return doing_; }
  [[nodiscard]] const delivery::Delivery* delivery() const { return delivery_; }

 private:
  const std::string& instance_;
  const char* const doing_;
  const delivery::Delivery* const delivery_;
  const CallMark* const outer_;
};

// How the last life ended.
struct Crash {
  std::string cause;     // "SIGSEGV", "exit()"
  std::string instance;  // empty: on a thread that was in no call
  std::string doing;
  bool has_event = false;  // the rest is there
  state::StreamId stream = state::kMainStream;
  Offset offset;
  Attempt attempt;
  std::uint32_t crashes = 0;  // of this event before
  std::uint64_t life = 0;     // whose crash it is; never 0
  WallTime at;
};

// So many lives in a row that ended inside one plugin, but in no event's handling, and it is not started any more: no event could become a dead
// letter for it, and the host would end for ever.
inline constexpr std::uint32_t kCrashedLivesMax = 3;

// At most one watches at a time in a process: signal handlers are the process's.
class CrashWatch {
 public:
  [[nodiscard]] static Result<CrashWatch> open(const std::string& path);
  CrashWatch(CrashWatch&& other) noexcept;
  ~CrashWatch();  // the orderly end: nothing is left behind

  // What the last life left; the same until begin(), so that it can be counted first.
  [[nodiscard]] std::optional<Crash> last() const;
  // Forgets that and watches from now on. The handlers go on to those that were there before (a sanitizer's report, a core dump). exit() from
  // within a plugin ends the process at once with status 1, or it would look like an orderly end and run destructors under running threads.
  // `says_so`: the dying thread also writes a line to standard error, for who has no next life to read the file.
  void begin(bool says_so = false);

  // How this plugin ended its last lives, when it is held back for that; for people. Stands until it is released, over further lives. After begin().
  [[nodiscard]] std::optional<std::string> held_back(const std::string& instance) const;
  // It is tried again: one more such end, and it is held back again; any other end of a life clears it.
  void release(const std::string& instance);

 private:
  explicit CrashWatch(os::MappedFile file) : file_(std::move(file)) {}
  os::MappedFile file_;
  bool watches_ = false;
};

}  // namespace hookhost::plugins
