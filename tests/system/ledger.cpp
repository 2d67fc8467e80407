// A plugin whose effects are lines of a file that it cuts back to its own last checkpoint when it starts: what a kill took away comes again, and
// stands there once. A checkpoint writes all that was done, as a plugin does that commits a transaction.
//
// config:  ledger   file; each checkpoint appends "OFFSET KEY replay|live" of each event, then "checkpoint TOKEN"
//          work_us  how long a call takes
#include <fcntl.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include <hookhost/plugin.hpp>

class Ledger {
 public:
  static constexpr hookhost::Info info{.id = "test.hookhost.ledger", .version = "1.0.0", .events = {"*"}, .on_replay = hookhost::OnReplay::safe};

  Ledger(hookhost::Host, const hookhost::Config& config)
      : path_(config.text("/ledger")),
        work_(static_cast<useconds_t>(config.integer("/work_us", 0))),
        file_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
    if (file_ < 0) throw hookhost::ConfigError("the ledger cannot be opened");
  }
  ~Ledger() { ::close(file_); }

  std::uint64_t start(const hookhost::Resume& resume) {
    std::ifstream lines(path_);
    std::uint64_t token = 0;
    off_t length = 0, at = 0;
    for (std::string line; std::getline(lines, line);) {
      at += static_cast<off_t>(line.size()) + 1;
      if (!line.starts_with("checkpoint ") || line.ends_with("done") || lines.eof()) continue;  // one without its end was cut by a kill
      token = std::stoull(line.substr(line.find(' ')));
      length = at;
    }
    if (token < resume.token) throw std::runtime_error("the ledger has lost what it said was durable");
    if (::ftruncate(file_, length) != 0) throw std::runtime_error("the ledger cannot be cut back");
    return token;
  }

  void checkpoint(const hookhost::Checkpoint& checkpoint) {
    std::string lines;
    for (const auto& [offset, line] : done_) lines += line;
    if (done_.size() != checkpoint.offsets.size()) lines += "checkpoint does not cover what was done\n";
    done_.clear();
    lines += "checkpoint " + std::to_string(checkpoint.token) + "\n";
    if (::write(file_, lines.data(), lines.size()) != static_cast<ssize_t>(lines.size())) throw std::runtime_error("the ledger cannot be written");
    if (::fdatasync(file_) != 0) throw std::runtime_error("the ledger is not durable");
  }

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call&) {
    if (work_ > 0) ::usleep(work_);
    done_[event.offset()] = std::to_string(event.offset()) + " " + std::string(event.key()) + (event.is_replay() ? " replay\n" : " live\n");
    return hookhost::ok();
  }

 private:
  std::map<std::uint64_t, std::string> done_;
  std::string path_;
  useconds_t work_;
  int file_;
};

HOOKHOST_PLUGIN(Ledger)
