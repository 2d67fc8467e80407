// The providers' Node libraries: installed once into the build folder as package-lock.json pins them, and run there. Without Node, or offline,
// the tests say that they were skipped and why.
#pragma once

#include <stdexcept>

#include "interop/tools.h"

namespace hookhost::test {

class NodeLibraries {
 public:
  // Installs what is missing.
  static Provided provide() {
    if (program("node").empty()) return {Provided::Kind::absent, "node is not installed"};
    if (program("npm").empty()) return {Provided::Kind::absent, "npm is not installed"};
    const std::string folder = INTEROP_BUILD;
    std::filesystem::create_directories(folder);
    const FolderLock lock(folder + "/LOCK");
    for (const char* script : {"sign.mjs", "receive.mjs", "kakiyo_sample.mjs", "github_receiver.mjs"}) {
      write_text(folder + "/" + script, contents(interop_source(script)));
    }
    const std::string wanted = contents(interop_source("package.json")) + contents(interop_source("package-lock.json"));
    if (contents(folder + "/installed") == wanted) return {};
    for (const char* name : {"package.json", "package-lock.json"}) write_text(folder + "/" + name, contents(interop_source(name)));
    Provided out = install(folder);
    if (out.kind == Provided::Kind::there) write_text(folder + "/installed", wanted);
    return out;
  }

  // What package.json and package-lock.json of the folder say.
  static Provided install(const std::string& folder, const std::vector<std::string>& options = {}) {
    const std::string said = folder + "/npm.txt";
    std::filesystem::remove(said);
    Spawn what{{program("npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund"}, clean(), folder, said, said};
    what.arguments.insert(what.arguments.end(), options.begin(), options.end());
    ChildProcess npm(what);
    return npm.wait(std::chrono::seconds{180}) == 0 ? Provided{} : failed_install("npm ci", contents(said));
  }

  // The requests that these jobs make, signed by the providers' libraries.
  static std::vector<json::object> sign(const json::array& jobs) {
    const TempDir directory;
    write_text(directory / "jobs.json", json::serialize(jobs));
    ChildProcess node({{program("node"), INTEROP_BUILD "/sign.mjs", directory / "jobs.json"}, clean(), "", directory / "out", directory / "err"});
    EXPECT_EQ(node.wait(std::chrono::seconds{120}), 0) << contents(directory / "err");
    std::vector<json::object> out;
    for (const auto& line : lines_of(contents(directory / "out"))) out.push_back(json::parse(line).as_object());
    return out;
  }

  // Options of the caller must not change what Node does here.
  static std::vector<std::string> clean() { return {"NODE_OPTIONS=", "NO_UPDATE_NOTIFIER=1"}; }
};

// A script that listens on a free port of 127.0.0.1 and prints it.
class NodeReceiver {
 public:
  // `arguments`: the script's name and its own. Throws when it does not listen.
  NodeReceiver(const std::vector<std::string>& arguments, const std::string& secret) {
    auto environment = NodeLibraries::clean();
    environment.push_back("RECEIVER_SECRET=" + secret);
    Spawn what{{program("node"), INTEROP_BUILD "/" + arguments.at(0)}, environment, "", directory_ / "out", directory_ / "err"};
    what.arguments.insert(what.arguments.end(), arguments.begin() + 1, arguments.end());
    process_ = std::make_unique<ChildProcess>(what);
    const bool spoke = poll_until([&] { return contents(what.out_path).ends_with('\n') || process_->ended(); });
    if (!spoke || process_->ended()) throw std::runtime_error(arguments.at(0) + " does not listen: " + contents(what.err_path));
    port_ = lines_of(contents(what.out_path)).at(0);
  }
  [[nodiscard]] std::string url(const std::string& path = "/") const { return "http://127.0.0.1:" + port_ + path; }

 private:
  TempDir directory_;
  std::unique_ptr<ChildProcess> process_;
  std::string port_;
};

class InteropTest : public testing::Test {
 protected:
  void SetUp() override {
    const Provided node = NodeLibraries::provide();
    if (node.kind == Provided::Kind::absent) GTEST_SKIP() << node.why;
    ASSERT_EQ(node.kind, Provided::Kind::there) << node.why;
  }
  HostProcess host;
};

}  // namespace hookhost::test
