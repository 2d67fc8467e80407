// A program started by a test: its output goes to files, its end is waited for with a deadline, and it never outlives the test.
#pragma once

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "support/poll.h"

namespace hookhost::test {

inline std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

inline void write_text(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary | std::ios::trunc) << text; }

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

struct Spawn {
  std::vector<std::string> arguments;    // the program first, with its path
  std::vector<std::string> environment;  // "NAME=value", beside what the test has or instead of it
  std::string directory;                 // where it runs; empty: where the test runs
  std::string out_path, err_path;        // appended to
};

class ChildProcess {
 public:
  explicit ChildProcess(const Spawn& spawn) {
    std::vector<char*> arguments, environment;
    for (const auto& one : spawn.arguments) arguments.push_back(const_cast<char*>(one.c_str()));
    // A name that stands there twice has the first value for some readers.
    const auto replaced = [&](std::string_view inherited) {
      const auto name = inherited.substr(0, inherited.find('=') + 1);
      return std::any_of(spawn.environment.begin(), spawn.environment.end(), [&](const auto& given) { return given.starts_with(name); });
    };
    for (char** one = ::environ; *one != nullptr; ++one) {
      if (!replaced(*one)) environment.push_back(*one);
    }
    for (const auto& one : spawn.environment) environment.push_back(const_cast<char*>(one.c_str()));
    arguments.push_back(nullptr);
    environment.push_back(nullptr);
    const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    const int out = ::open(spawn.out_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int err = ::open(spawn.err_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_ = ::fork();
    if (pid_ == 0) {  // only what is allowed between fork and exec in a process with threads
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(126);
      if (!spawn.directory.empty() && ::chdir(spawn.directory.c_str()) != 0) ::_exit(126);
      ::execve(arguments[0], arguments.data(), environment.data());
      ::_exit(127);
    }
    for (const int descriptor : {in, out, err}) ::close(descriptor);
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    if (exit_) return;
    signal(SIGKILL);
    static_cast<void>(wait());
  }

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const {
    if (!exit_) ::kill(pid_, number);
  }
  // The exit status, or 128 and the signal; nothing while it runs.
  std::optional<int> ended() {
    int status = 0;
    if (!exit_ && ::waitpid(pid_, &status, WNOHANG) == pid_) exit_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return exit_;
  }
  // The same, waited for; -1 when the deadline came first.
  int wait(std::chrono::milliseconds patience = std::chrono::seconds{60}) {
    return poll_until([&] { return ended().has_value(); }, patience) ? *exit_ : -1;
  }

 private:
  pid_t pid_ = -1;
  std::optional<int> exit_;
};

}  // namespace hookhost::test
