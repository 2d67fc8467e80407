#include "app/plugin_template.h"

#include <algorithm>

#include "os/file_system.h"

namespace hookhost::app {
namespace {

constexpr std::string_view kCmake = R"(cmake_minimum_required(VERSION 3.16)
project(@NAME@ LANGUAGES C CXX)

# Where the SDK is installed: cmake -B build -DCMAKE_PREFIX_PATH=/path/to/hookhost
find_package(hookhost CONFIG REQUIRED)
hookhost_add_plugin(@NAME@ @NAME@.@EXTENSION@)

# ctest --test-dir build
include(CTest)
if(BUILD_TESTING)
  add_executable(@NAME@_test @NAME@_test.cpp @NAME@.@EXTENSION@)
  target_link_libraries(@NAME@_test PRIVATE hookhost::sdk)
  target_compile_features(@NAME@_test PRIVATE cxx_std_20)
  add_test(NAME @NAME@ COMMAND @NAME@_test)
endif()
)";

constexpr std::string_view kTest = R"(#include <hookhost/testing.hpp>

#include <cstdio>

// The plugin against a fake host, which watches the rules of the ABI; any test framework will do.
int main() {
  hookhost::testing::FakeHost host(hookhost_plugin_entry_v1());
  const auto started = host.start();
  const auto handled = started.ok() ? host.deliver(hookhost::testing::kakiyo_event("linkedin.message.received")) : started;
  const bool committed = handled.ok() && host.commit().ok();
  host.stop();
  if (!handled.ok()) std::fprintf(stderr, "the event was not handled: %s\n", handled.error.c_str());
  for (const auto& violation : host.violations()) std::fprintf(stderr, "%s\n", violation.c_str());
  return committed && host.violations().empty() ? 0 : 1;
}
)";

constexpr std::string_view kCpp = R"(#include <hookhost/plugin.hpp>

// One object per entry under `plugins:` in hookhost.yaml. handle() is called once per event, in order per key.
class @CLASS@ {
 public:
  static constexpr hookhost::Info info{.id = "com.example.@NAME@",
                                       .version = "0.1.0",
                                       .events = {"linkedin.message.*"},
                                       .description = "Counts messages per chat"};

  @CLASS@(hookhost::Host host, const hookhost::Config& config) : host_(host), greeting_(config.text("/greeting", "message")) {}

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    const auto text = call.json("/data/message").text();
    if (!text) return hookhost::ignored();
    // kv is committed together with this call's outcome: a crash never counts an event twice.
    const auto kv = call.kv();
    const std::string key = "count:" + std::string(event.key());
    const int count = std::stoi(kv.get(key).value_or("0")) + 1;
    kv.put(key, std::to_string(count));
    host_.log(hookhost::LogLevel::info, greeting_ + " " + std::to_string(count) + " in " + std::string(event.key()));
    return hookhost::ok();
    // Other answers: hookhost::retry("why"), hookhost::reject("why"), hookhost::unavailable("the CRM is down").after(30s)
  }

 private:
  hookhost::Host host_;
  std::string greeting_;
};

HOOKHOST_PLUGIN(@CLASS@)
)";

constexpr std::string_view kC = R"(#include <hookhost/abi.h>
#include <stdlib.h>

/* Called once per event, one at a time, in order per key. */
static int32_t on_event(const hookhost_host* host, const hookhost_event* event, hookhost_call* call) {
  static const char kPointer[] = "/data/message";
  hookhost_value message;
  call->json(call, (hookhost_str){kPointer, sizeof kPointer - 1}, &message);
  if (message.kind != HOOKHOST_VALUE_TEXT) return HOOKHOST_IGNORED;
  hookhost_str fields[2] = {HOOKHOST_STR("key"), {event->key.ptr, event->key.len}};
  host->log(host, HOOKHOST_LOG_INFO, message.text, fields, 1);
  return HOOKHOST_OK;
}

HOOKHOST_PLUGIN_C("com.example.@NAME@", "0.1.0", on_event, "linkedin.message.*")
)";

constexpr std::string_view kReadme = R"(# @NAME@

A hookhost plugin. Build it:

    cmake -B build -DCMAKE_PREFIX_PATH=/path/to/hookhost
    cmake --build build
    ctest --test-dir build

See what it does with example events; its kv lives in memory, but what it does outside is done unless it asks for `event.is_test()`:

    hookhost plugin test build/@NAME@.so

Enable it in hookhost.yaml, then `hookhost reload`:

    plugins:
      @NAME@:
        library: /path/to/@NAME@/build/@NAME@.so

Hand it what was received before:

    hookhost replay @NAME@ --from beginning
)";

std::string fill(std::string_view pattern, const std::string& name, const std::string& class_name, const std::string& extension) {
  std::string out(pattern);
  const std::pair<std::string_view, const std::string*> words[] = {{"@NAME@", &name}, {"@CLASS@", &class_name}, {"@EXTENSION@", &extension}};
  for (const auto& [word, value] : words) {
    for (std::size_t at = out.find(word); at != std::string::npos; at = out.find(word, at + value->size())) out.replace(at, word.size(), *value);
  }
  return out;
}

// "prospect_notify" -> "ProspectNotify".
std::string class_name_of(const std::string& name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
      upper = false;
    }
  }
  return out;
}

bool is_identifier(const std::string& name) {
  return !name.empty() && name.size() <= 48 && name.front() >= 'a' && name.front() <= 'z' &&
         std::all_of(name.begin(), name.end(), [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

// Names that CMake's generators give to targets of their own.
bool is_reserved(const std::string& name) {
  constexpr std::string_view kReserved[] = {"all",         "clean",         "codegen",      "depend",  "edit_cache",    "help",   "install",
                                            "list_install_components", "package", "package_source", "preinstall", "rebuild_cache", "test"};
  return std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved);
}

}  // namespace

Result<> write_plugin_project(const std::string& directory, const std::string& name, bool in_c) {
  if (!is_identifier(name)) return fail(ErrorCode::usage, "'" + name + "' is no name for a plugin: use lower-case letters, digits and '_', beginning with a letter");
  if (is_reserved(name)) return fail(ErrorCode::usage, "'" + name + "' is a target that CMake itself makes; choose another name");
  auto& files = os::local_file_system();
  if (files.facts(directory)) return fail(ErrorCode::refused, directory + " is there already; choose another name or remove it");
  const std::string extension = in_c ? "c" : "cpp";
  const auto write = [&](const std::string& file, std::string_view pattern) {
    return os::write_file_atomically(files, os::join(directory, file), fill(pattern, name, class_name_of(name), extension));
  };
  HOOKHOST_CHECK(files.make_directories(directory));
  HOOKHOST_CHECK(write("CMakeLists.txt", kCmake));
  HOOKHOST_CHECK(write(name + "." + extension, in_c ? kC : kCpp));
  HOOKHOST_CHECK(write(name + "_test.cpp", kTest));
  return write("README.md", kReadme);
}

}  // namespace hookhost::app
