// A plugin for very many events: it marks each one in a file that outlives the process, counts them by key in kv, and refuses one key until a
// file says otherwise. An event that comes again, or late, beside what kv says of its key is rejected.
//
// config:  marks    a file of zeroes, one byte an event; each good call adds one to that of its offset
//          counts   file; start() writes there "KEY COUNT LAST_OFFSET" of what is committed in kv
//          refused  the key; its calls answer retry
//          open     file; once it is there, nothing is refused
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <sstream>

#include "kv_dump.h"

class Tally {
 public:
  static constexpr hookhost::Info info{.id = "test.hookhost.tally", .version = "1.0.0", .events = {"*"}, .concurrent = true};

  Tally(hookhost::Host host, const hookhost::Config& config)
      : host_(host), counts_(config.text("/counts")), refused_(config.text("/refused")), open_(config.text("/open")) {
    const int file = ::open(config.text("/marks").c_str(), O_RDWR | O_CLOEXEC);
    struct stat status {};
    if (file < 0 || ::fstat(file, &status) != 0) throw hookhost::ConfigError("the marks cannot be opened");
    size_ = static_cast<std::size_t>(status.st_size);
    void* const mapped = ::mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (mapped == MAP_FAILED) throw hookhost::ConfigError("the marks cannot be mapped");
    marks_ = static_cast<std::uint8_t*>(mapped);
  }
  ~Tally() { ::munmap(marks_, size_); }

  std::uint64_t start(const hookhost::Resume&) {
    dump_kv(host_, counts_);
    return 0;
  }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    if (event.key() == refused_ && ::access(open_.c_str(), F_OK) != 0) return hookhost::retry("told to refuse this key");
    std::uint64_t count = 0, last = 0;
    if (const auto before = call.kv().get(event.key())) std::istringstream(*before) >> count >> last;
    if (count > 0 && last >= event.offset()) return hookhost::reject("offset " + std::to_string(last) + " came before it");
    if (event.offset() >= size_) return hookhost::reject("there is no mark for it");
    call.kv().put(event.key(), std::to_string(count + 1) + " " + std::to_string(event.offset()));
    std::atomic_ref(marks_[event.offset()]).fetch_add(1);
    return hookhost::ok();
  }

 private:
  hookhost::Host host_;
  std::string counts_, refused_, open_;
  std::uint8_t* marks_ = nullptr;
  std::size_t size_ = 0;
};

HOOKHOST_PLUGIN(Tally)
