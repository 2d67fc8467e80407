// The SDK as plugin authors have it: an install tree of its own, and projects outside the repository that know nothing else.
#pragma once

#include "support/host_process.h"

namespace hookhost::test {

// A tool of the machine, its output kept apart.
inline Ran run_tool(const std::vector<std::string>& arguments, const std::string& directory, const std::vector<std::string>& environment = {}) {
  static int runs = 0;
  const std::string base = directory + "/tool." + std::to_string(++runs);
  return run_to_end({arguments, environment, directory, base + ".out", base + ".err"}, std::chrono::seconds{240});
}

// Where a tool is, or nothing.
inline std::string find_tool(const std::string& name) {
  std::istringstream path(std::getenv("PATH") == nullptr ? "" : std::getenv("PATH"));
  for (std::string directory; std::getline(path, directory, ':');) {
    if (::access((directory + "/" + name).c_str(), X_OK) == 0) return directory + "/" + name;
  }
  return "";
}

class SdkInstall {
 public:
  explicit SdkInstall(std::string prefix) : prefix_(std::move(prefix)) {
    std::filesystem::create_directory(prefix_);
    const Ran installed = run_tool({paths::cmake(), "--install", paths::build(), "--component", "sdk", "--prefix", prefix_}, prefix_);
    EXPECT_EQ(installed.status, 0) << installed;
  }
  [[nodiscard]] const std::string& prefix() const { return prefix_; }

  // Configures and builds the project in `directory`; the last tool's answer. `compilers`: "-DCMAKE_CXX_COMPILER=..." and the like.
  [[nodiscard]] Ran build(const std::string& directory, const std::vector<std::string>& compilers = {}) const {
    std::vector<std::string> configure{paths::cmake(), "-G", "Unix Makefiles", "-S", directory, "-B", directory + "/build", "-DCMAKE_PREFIX_PATH=" + prefix_};
    configure.insert(configure.end(), compilers.begin(), compilers.end());
    Ran ran = run_tool(configure, directory);
    if (ran.status == 0) ran = run_tool({paths::cmake(), "--build", directory + "/build"}, directory);
    return ran;
  }

 private:
  std::string prefix_;
};

}  // namespace hookhost::test
