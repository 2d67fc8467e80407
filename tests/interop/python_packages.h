// Python's packages: installed once into the build folder as requirements.txt pins them. Without Python, or offline, the tests say that they were
// skipped and why.
#pragma once

#include "interop/tools.h"

namespace hookhost::test {

class PythonPackages {
 public:
  // Installs what is missing.
  static Provided provide() {
    const std::string python = hookhost::test::program("python3");
    if (python.empty()) return {Provided::Kind::absent, "python3 is not installed"};
    const std::string folder = INTEROP_PYTHON;
    std::filesystem::create_directories(folder);
    const FolderLock lock(folder + "/LOCK");
    const std::string wanted = contents(interop_source("requirements.txt"));
    if (contents(folder + "/installed") == wanted) return {};
    const std::string out = folder + "/pip.txt";
    std::filesystem::remove(out);
    ChildProcess version({{python, "-c", "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"}, {}, folder, out, out});
    if (version.wait(std::chrono::seconds{60}) != 0) return {Provided::Kind::absent, "Python is older than 3.10, or without venv: " + contents(out)};
    ChildProcess venv({{python, "-m", "venv", "--clear", folder + "/venv"}, {}, folder, out, out});
    if (venv.wait(std::chrono::seconds{120}) != 0) return {Provided::Kind::broken, "python3 -m venv failed: " + contents(out)};
    ChildProcess pip({{program("pip"), "install", "--quiet", "--disable-pip-version-check", "-r", interop_source("requirements.txt")}, {}, folder, out, out});
    if (pip.wait(std::chrono::seconds{240}) != 0) return failed_install("pip install", contents(out));
    write_text(folder + "/installed", wanted);
    return {};
  }
  static std::string program(const std::string& name) { return INTEROP_PYTHON "/venv/bin/" + name; }
};

}  // namespace hookhost::test
