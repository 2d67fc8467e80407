// A disk of a test's own that can be filled: a tmpfs in a mount namespace that ends with the test's process. Needs root; says so elsewhere.
#pragma once

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

namespace hookhost::test {

class SmallDisk {
 public:
  // At `path`, which is made. Look at is_there() afterwards.
  SmallDisk(std::string path, const std::string& size) : path_(std::move(path)) {
    std::filesystem::create_directories(path_);
    is_there_ = ::unshare(CLONE_NEWNS) == 0 && ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                ::mount("tmpfs", path_.c_str(), "tmpfs", 0, ("mode=0700,size=" + size).c_str()) == 0;
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (is_there_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  [[nodiscard]] bool is_there() const { return is_there_; }
  [[nodiscard]] std::uintmax_t free_bytes() const { return std::filesystem::space(path_).available; }
  // Until nothing is left.
  void fill() const {
    const std::string block(4096, 'x');
    const int file = ::open(filler().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    while (::write(file, block.data(), block.size()) > 0) {
    }
    ::close(file);
  }
  void make_space() const { std::filesystem::remove(filler()); }

 private:
  [[nodiscard]] std::string filler() const { return path_ + "/filler"; }

  const std::string path_;
  bool is_there_ = false;
};

}  // namespace hookhost::test
