// Python's packages: installed once into the build folder as requirements.txt pins them. When they cannot be had, the tests say that they were
// skipped and why.
#pragma once

#include "interop/tools.h"

namespace hookhost::test {

class PythonPackages {
 public:
  // Installs what is missing. Empty when all is there, else the reason why it is not.
  static std::string missing() {
    if (hookhost::test::program("python3").empty()) return "python3 is not installed";
    const std::string folder = INTEROP_PYTHON;
    std::filesystem::create_directories(folder);
    const FolderLock lock(folder + "/LOCK");
    const std::string wanted = contents(interop_source("requirements.txt"));
    if (contents(folder + "/installed") == wanted) return "";
    const std::string out = folder + "/pip.txt";
    std::filesystem::remove(out);
    ChildProcess venv({{hookhost::test::program("python3"), "-m", "venv", "--clear", folder + "/venv"}, {}, folder, out, out});
    if (venv.wait(std::chrono::seconds{120}) != 0) return "python3 -m venv failed: " + contents(out);
    ChildProcess pip({{program("pip"), "install", "--quiet", "--disable-pip-version-check", "-r", interop_source("requirements.txt")}, {}, folder, out, out});
    if (pip.wait(std::chrono::seconds{240}) != 0) return "pip install failed (offline, or an older Python?): " + contents(out);
    write_text(folder + "/installed", wanted);
    return "";
  }
  static std::string program(const std::string& name) { return INTEROP_PYTHON "/venv/bin/" + name; }
};

}  // namespace hookhost::test
