// A plugin that writes down each call, counts each event in kv, and misbehaves as the event or a file tells it.
//
// config:  journal  file; each call appends "begin OFFSET ID KEY ATTEMPT N REPLAY" and "end OFFSET ID KEY OUTCOME"
//          counts   file; start() writes there "ID COUNT" of what is committed in kv
//          mode     file; "retry" and "unavailable" in it are the outcome of every call, "ill" that of health(); "repaired": no event misbehaves;
//                   "crash_in_create", "crash_in_start" and "hang_in_start": it does
//          release  file; what hangs goes on when it is there
//          work_us  how long a call takes
//          take     of a changed config: "yes" and "no" (refused) without a new instance
// event:   /data/do is throw, throw_int, garbage, defer_never, own_delay, reject, hang, segfault, abort or exit; /data/times: only in so many first attempts
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>

#include "kv_dump.h"

#ifndef PROBE_EVENTS
#define PROBE_EVENTS "*"
#endif
#ifndef PROBE_ON_REPLAY
#define PROBE_ON_REPLAY safe
#endif

class Probe {
 public:
  static constexpr hookhost::Info info{.id = "test.hookhost.probe",
                                       .version = "1.0.0",
                                       .events = {PROBE_EVENTS},
#ifdef PROBE_CONCURRENT
                                       .concurrent = true,
#endif
                                       .on_replay = hookhost::OnReplay::PROBE_ON_REPLAY};

  Probe(hookhost::Host host, const hookhost::Config& config)
      : host_(host),
        counts_(config.text("/counts", "")),
        mode_(config.text("/mode", "")),
        release_(config.text("/release", "")),
        work_(static_cast<useconds_t>(config.integer("/work_us", 0))),
        journal_(::open(config.text("/journal").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (journal_ < 0) throw hookhost::ConfigError("the journal cannot be opened");
    if (mode() == "crash_in_create") std::abort();
  }
  ~Probe() { ::close(journal_); }

  std::uint64_t start(const hookhost::Resume&) {
    if (mode() == "crash_in_start") std::abort();
    if (mode() == "hang_in_start") hang();
    if (!counts_.empty()) dump_kv(host_, counts_);
    return 0;
  }

#ifdef PROBE_CHECKPOINT
  void checkpoint(const hookhost::Checkpoint&) {}
#endif

  bool reconfigure(const hookhost::Config& config) {
    if (config.text("/take", "") == "no") throw hookhost::ConfigError("told to refuse");
    if (config.text("/take", "") != "yes") return false;
    mode_ = config.text("/mode", "");
    return true;
  }

  hookhost::Outcome health() { return mode() == "ill" ? hookhost::unavailable("told to be ill") : hookhost::ok(); }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    const std::string name = std::to_string(event.offset()) + " " + std::string(event.id()) + " " + (event.key().empty() ? "-" : std::string(event.key()));
    write("begin " + name + " " + std::to_string(event.attempt()) + " " + std::to_string(call.json("/data/n").integer().value_or(-1)) +
          (event.is_replay() ? " replay" : " live"));
    if (work_ > 0) ::usleep(work_);
    try {
      hookhost::Outcome outcome = act(event, call);
      write("end " + name + " " + std::to_string(outcome.status()));
      return outcome;
    } catch (...) {
      write("end " + name + " threw");
      throw;
    }
  }

 private:
  hookhost::Outcome act(const hookhost::Event& event, hookhost::Call& call) {
    const std::string mode = this->mode();
    if (mode == "retry") return hookhost::retry("told to retry");
    if (mode == "unavailable") return hookhost::unavailable("told to be unavailable").after(std::chrono::milliseconds{20});
    const std::string_view what = call.json("/data/do").text_or("");
    const auto times = call.json("/data/times").integer();
    if (!what.empty() && mode != "repaired" && (!times || event.attempt() <= *times)) return misbehave(what, call);
    if (!counts_.empty()) count(event, call);
    return hookhost::ok();
  }

  [[nodiscard]] std::string mode() const {
    std::string mode;
    if (!mode_.empty()) std::ifstream(mode_) >> mode;
    return mode;
  }

  hookhost::Outcome misbehave(std::string_view what, hookhost::Call& call) {
    if (what == "throw") throw std::runtime_error("told to throw");
    if (what == "throw_int") throw 1;
    if (what == "garbage") return hookhost::Outcome(4711);
    if (what == "own_delay") return hookhost::retry("told to wait").after(std::chrono::hours{1});
    if (what == "reject") return hookhost::reject("told to reject");
    if (what == "defer_never") {
      call.raw()->defer(call.raw());
      return hookhost::deferred();
    }
    if (what == "segfault") {
      volatile std::uintptr_t nowhere = 16;
      *reinterpret_cast<volatile int*>(nowhere) = 1;
    }
    if (what == "abort") std::abort();
    if (what == "exit") std::exit(0);
    hang();
    return hookhost::ok();
  }

  void hang() const {
    while (::access(release_.c_str(), F_OK) != 0) ::usleep(1000);
  }

  static void count(const hookhost::Event& event, hookhost::Call& call) {
    const auto before = call.kv().get(event.id());
    call.kv().put(event.id(), std::to_string(before ? std::stoi(*before) + 1 : 1));
  }

  void write(const std::string& line) {
    const std::string whole = line + "\n";
    if (::write(journal_, whole.data(), whole.size()) != static_cast<ssize_t>(whole.size())) throw std::runtime_error("the journal cannot be written");
  }

  hookhost::Host host_;
  std::string counts_, mode_, release_;
  useconds_t work_;
  int journal_;
};

#ifdef PROBE_HANGS_WHEN_LOADED
// Without end, once the file that the environment's PROBE_LOADED names tells that it has begun.
__attribute__((constructor)) static void hang_when_loaded() {
  const char* const path = std::getenv("PROBE_LOADED");
  if (path == nullptr) return;
  ::close(::open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  for (;;) ::pause();
}
#endif

HOOKHOST_PLUGIN(Probe)
