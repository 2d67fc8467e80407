// The hookhost program as people run it: a directory with a configuration, a process on two free ports of 127.0.0.1, kill -9, restart, commands.
#pragma once

#include <gtest/gtest.h>
#include <sys/un.h>

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <random>

#include "support/child_process.h"
#include "support/paths.h"
#include "support/raw_client.h"
#include "support/temp_dir.h"

namespace hookhost::test {

namespace json = boost::json;

// Whether this process is the only test that uses the port: a name in the abstract namespace, which the kernel keeps until the process ends.
inline bool reserve(std::uint16_t port) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string name = "hookhost-test-port-" + std::to_string(port);
  name.copy(address.sun_path + 1, sizeof address.sun_path - 1);
  if (::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return true;
  ::close(descriptor);
  return false;
}

// A port that nobody listens on and no other test will, outside the range from which the kernel takes those of outgoing connections.
inline std::uint16_t free_port() {
  static std::mt19937 random(std::random_device{}());
  for (;;) {
    const auto port = static_cast<std::uint16_t>(std::uniform_int_distribution<int>(10'000, 32'000)(random));
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool is_free = ::bind(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    ::close(descriptor);
    if (is_free && reserve(port)) return port;
  }
}

// What a command printed, and its exit status.
struct Ran {
  int status = -1;
  std::string out, err;

  [[nodiscard]] std::vector<json::object> objects() const {
    std::vector<json::object> out_objects;
    for (const auto& line : lines_of(out)) out_objects.push_back(json::parse(line).as_object());
    return out_objects;
  }
};
inline std::ostream& operator<<(std::ostream& out, const Ran& ran) { return out << "status " << ran.status << "\n" << ran.out << ran.err; }

// Until it has ended.
inline Ran run_to_end(const Spawn& what, std::chrono::seconds patience) {
  ChildProcess process(what);
  Ran ran;
  ran.status = process.wait(patience);
  ran.out = contents(what.out_path);
  ran.err = contents(what.err_path);
  return ran;
}

class HostProcess {
 public:
  HostProcess() { std::filesystem::create_directory(directory_ / "conf"); }

  // ---- the configuration: written by start() and write_config() ----
  std::map<std::string, std::string> sources{{"kakiyo", R"({scheme: kakiyo, secrets: ["system-test-secret"], duplicates: {by: body, window: 1h}})"}};
  std::map<std::string, std::string> plugins;  // name to a YAML flow mapping
  std::string event_log = "{segment_bytes: 1MiB, disk_free_min: 1MiB}";
  std::string listen;  // further keys of listen, each behind a comma
  std::string more;    // further lines

  void write_config() const {
    std::string text = "data_dir: ../data\nlisten: {address: \"127.0.0.1:" + std::to_string(public_port_) + "\"" + listen +
                       "}\nadmin: {address: \"127.0.0.1:" + std::to_string(admin_port_) +
                       "\"}\nevent_log: " + event_log + "\n" + more + "sources:\n";
    for (const auto& [name, value] : sources) text += "  " + name + ": " + value + "\n";
    if (!plugins.empty()) text += "plugins:\n";
    for (const auto& [name, value] : plugins) text += "  " + name + ": " + value + "\n";
    write_text(config_path(), text);
  }

  // ---- the process ----
  // Until /readyz answers 200, or the process ends.
  ::testing::AssertionResult start(const std::vector<std::string>& arguments = {}, const std::vector<std::string>& environment = {}) {
    write_config();
    spawn(arguments, environment);
    const bool over = poll_until([&] { return process_->ended() || is_ready(); }, std::chrono::seconds{120});
    if (over && !process_->ended()) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << "the host is not ready, " << (over ? "it ended" : "it hangs") << "\n" << diagnostics();
  }
  // Without waiting: for those that are to fail.
  ChildProcess& spawn(const std::vector<std::string>& arguments = {}, const std::vector<std::string>& environment = {}) {
    Spawn what{{paths::host(), "serve", "-c", config_path()}, environment, directory_.path(), directory_ / "serve.out", directory_ / "serve.err"};
    what.arguments.insert(what.arguments.end(), arguments.begin(), arguments.end());
    process_ = std::make_unique<ChildProcess>(what);
    return *process_;
  }
  void kill_9() {
    process_->signal(SIGKILL);
    EXPECT_EQ(process_->wait(), 128 + SIGKILL);
  }
  // SIGTERM; the exit status.
  int terminate() {
    process_->signal(SIGTERM);
    const int status = process_->wait();
    EXPECT_NE(status, -1) << "the host does not end\n" << diagnostics();
    return status;
  }
  [[nodiscard]] ChildProcess& process() const { return *process_; }
  [[nodiscard]] std::string diagnostics() const { return contents(directory_ / "serve.err"); }

  // ---- commands ----
  Ran run(std::vector<std::string> arguments, const std::vector<std::string>& environment = {}) {
    const std::string base = directory_ / ("command." + std::to_string(++commands_));
    Spawn what{{paths::host()}, environment, directory_.path(), base + ".out", base + ".err"};
    what.arguments.insert(what.arguments.end(), arguments.begin(), arguments.end());
    what.arguments.insert(what.arguments.end(), {"-c", config_path()});
    return run_to_end(what, std::chrono::seconds{180});
  }
  std::vector<json::object> events() {
    const Ran ran = run({"events", "list", "--json"});
    EXPECT_EQ(ran.status, 0) << ran;
    return ran.objects();
  }

  // ---- HTTP ----
  [[nodiscard]] RawClient connect() const { return RawClient(public_port_); }
  [[nodiscard]] RawAnswer admin(const std::string& method, const std::string& path, const std::string& headers = "") const {
    RawClient client(admin_port_);
    client.send(method + " " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n" + headers + "\r\n");
    return client.read_answer();
  }
  [[nodiscard]] std::string authorization() const {
    return "Authorization: Bearer " + lines_of(contents(data_dir() + "/admin.token")).at(0) + "\r\n";
  }
  [[nodiscard]] bool is_ready() const { return admin("GET", "/readyz").status == 200; }
  [[nodiscard]] json::object get(const std::string& path) const {
    const RawAnswer answer = admin("GET", path, authorization());
    return answer.status == 200 ? json::parse(answer.body).as_object() : json::object{};
  }
  [[nodiscard]] json::object subscriber(const std::string& name) const { return get("/api/subscribers/" + name); }
  // Nothing waits, runs or is blocked, and the position is the event log's end.
  [[nodiscard]] bool is_caught_up(const std::string& name) const {
    const json::object status = subscriber(name);
    if (status.empty() || status.at("state").as_string() == "starting") return false;  // its stored position may be the end already
    for (const char* member : {"lag_events", "pending", "in_flight", "blocked_keys"}) {
      if (status.at(member).to_number<std::uint64_t>() != 0) return false;
    }
    return true;
  }
  ::testing::AssertionResult catches_up(const std::string& name, std::chrono::seconds patience = std::chrono::seconds{120}) const {
    if (poll_until([&] { return is_caught_up(name); }, patience)) return ::testing::AssertionSuccess();
    return ::testing::AssertionFailure() << name << " does not catch up: " << json::serialize(subscriber(name)) << "\n" << diagnostics();
  }

  // ---- places ----
  [[nodiscard]] std::string config_path() const { return directory_ / "conf/hookhost.yaml"; }
  [[nodiscard]] std::string data_dir() const { return directory_ / "data"; }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::uint16_t public_port() const { return public_port_; }
  [[nodiscard]] std::uint16_t admin_port() const { return admin_port_; }

 private:
  TempDir directory_;
  std::uint16_t public_port_ = free_port(), admin_port_ = free_port();
  std::unique_ptr<ChildProcess> process_;  // before the directory is removed it is killed
  int commands_ = 0;
};

}  // namespace hookhost::test
