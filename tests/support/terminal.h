// A program on a pseudo terminal of its own, as a person runs it: what it shows is read, what is typed reaches it, Ctrl-C too.
#pragma once

#include <pty.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <optional>
#include <string>
#include <vector>

#include "support/poll.h"

namespace hookhost::test {

inline constexpr const char* kCtrlC = "\x03";

class Terminal {
 public:
  explicit Terminal(const std::vector<std::string>& arguments) {
    std::vector<char*> line;
    for (const auto& one : arguments) line.push_back(const_cast<char*>(one.c_str()));
    line.push_back(nullptr);
    pid_ = ::forkpty(&master_, nullptr, nullptr, nullptr);
    if (pid_ == 0) {  // only what is allowed between fork and exec in a process with threads
      ::execv(line[0], line.data());
      ::_exit(127);
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  ~Terminal() {
    if (!status_) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
  }

  void type(const std::string& text) const { static_cast<void>(!::write(master_, text.data(), text.size())); }
  // Until it shows that text, or the deadline.
  bool shows(const std::string& text) {
    return poll_until([&] {
      read();
      return shown_.find(text) != std::string::npos;
    });
  }
  // The exit status, or 128 and the signal; -1 when the deadline came first.
  int wait() {
    poll_until([&] {
      read();
      int status = 0;
      if (!status_ && ::waitpid(pid_, &status, WNOHANG) == pid_) status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return status_.has_value();
    });
    read();
    return status_.value_or(-1);
  }
  [[nodiscard]] const std::string& shown() const { return shown_; }

 private:
  // What is there now; a program that writes must never wait for a test that looks elsewhere.
  void read() {
    for (;;) {
      fd_set ready;
      FD_ZERO(&ready);
      FD_SET(master_, &ready);
      timeval at_once{};
      if (::select(master_ + 1, &ready, nullptr, nullptr, &at_once) <= 0) return;
      char bytes[4096];
      const ssize_t size = ::read(master_, bytes, sizeof bytes);
      if (size <= 0) return;  // EIO: nobody has the other end open
      shown_.append(bytes, static_cast<std::size_t>(size));
    }
  }

  pid_t pid_ = -1;
  int master_ = -1;
  std::optional<int> status_;
  std::string shown_;
};

}  // namespace hookhost::test
