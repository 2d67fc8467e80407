// The ways in which authors build: both compilers, several linkers, optimised over files, cut to what is used, stripped. Whatever they choose, the
// library exports the entry alone, its note is found by the host's reader, and it handles an event. Built with what pkg-config says and nothing
// else of ours.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <hookhost/testing.hpp>

#include "plugins/elf_note.h"
#include "support/sdk_project.h"

namespace hookhost::test {
namespace {

struct Variant {
  const char* name;
  const char* flags;
  const char* linker = nullptr;  // that must be installed
};

constexpr Variant kVariants[] = {
    {"plain", ""},
    {"gc_sections", "-Os -ffunction-sections -fdata-sections -Wl,--gc-sections"},
    {"lto_gc_sections_stripped", "-O2 -flto -Wl,--gc-sections -s"},
    {"gold", "-O2 -fuse-ld=gold -Wl,--gc-sections", "ld.gold"},
    {"mold", "-O2 -fuse-ld=mold -Wl,--gc-sections", "ld.mold"},
};

struct Example {
  const char* source;
  const char* id;
  const char* language;
};

using Build = std::tuple<std::pair<const char*, const char*>, Variant>;

class BuildVariants : public ::testing::TestWithParam<Build> {
 protected:
  // One install for all of them: it is read only.
  static const SdkInstall& sdk() {
    static const TempDir directory;
    static const SdkInstall install(directory / "sdk");
    return install;
  }
  [[nodiscard]] Ran shell(const std::string& command) const { return run_tool({"/bin/sh", "-c", command}, directory_.path()); }

  void is_whole(const std::string& library, const Example& example) const {
    const auto note = plugins::read_note(contents(library));
    ASSERT_TRUE(note) << note.error().message;
    EXPECT_EQ(note.value().id, example.id);
    EXPECT_EQ(note.value().minor_needed, 0U);
    const Ran symbols = shell("nm -D --defined-only --format=posix " + library);
    ASSERT_EQ(lines_of(symbols.out).size(), 1U) << symbols;
    EXPECT_TRUE(symbols.out.starts_with("hookhost_plugin_entry_v1 T")) << symbols;
    handles_an_event(library);
  }
  static void handles_an_event(const std::string& library) {
    void* loaded = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(loaded, nullptr) << ::dlerror();
    auto* entry = reinterpret_cast<const hookhost_plugin_entry* (*)()>(::dlsym(loaded, "hookhost_plugin_entry_v1"));
    ASSERT_NE(entry, nullptr);
    testing::FakeHost host(entry());
    ASSERT_TRUE(host.start().ok());
    EXPECT_TRUE(host.deliver(testing::kakiyo_event("linkedin.message.received")).ok());
    EXPECT_EQ(host.lines().size(), 1U);
    host.stop();
    EXPECT_TRUE(host.violations().empty());
  }

  TempDir directory_;
};

TEST_P(BuildVariants, ExportTheEntryCarryTheNoteAndRun) {
  const auto& [compilers, variant] = GetParam();
  if (find_tool(compilers.first).empty() || find_tool("pkg-config").empty()) GTEST_SKIP() << compilers.first << " or pkg-config is not installed";
  if (variant.linker != nullptr && find_tool(variant.linker).empty()) GTEST_SKIP() << variant.linker << " is not installed";
  const Example examples[] = {{"echo_c/echo.c", "com.example.echo", "c11"}, {"hello_cpp/hello.cpp", "com.example.hello", "c++20"}};
  for (const Example& example : examples) {
    SCOPED_TRACE(example.source);
    const bool is_c = std::string(example.language) == "c11";
    const std::string library = directory_ / (is_c ? "from_c.so" : "from_cpp.so");
    const std::string flags = "$(PKG_CONFIG_PATH=" + sdk().prefix() + "/lib/pkgconfig pkg-config --cflags --libs hookhost)";
    const Ran built = shell(std::string(is_c ? compilers.first : compilers.second) + " -std=" + example.language + " -Wall -Wextra -Werror " + variant.flags +
                            " " + paths::source() + "/sdk/examples/" + example.source + " -o " + library + " " + flags);
    ASSERT_EQ(built.status, 0) << built;
    ASSERT_NO_FATAL_FAILURE(is_whole(library, example));
    ASSERT_EQ(shell("strip -o " + library + ".stripped.so " + library + " && strip --strip-unneeded -R .comment " + library + ".stripped.so").status, 0);
    ASSERT_NO_FATAL_FAILURE(is_whole(library + ".stripped.so", example));
  }
}

INSTANTIATE_TEST_SUITE_P(Sdk, BuildVariants,
                         ::testing::Combine(::testing::Values(std::pair("gcc", "g++"), std::pair("clang", "clang++")), ::testing::ValuesIn(kVariants)),
                         [](const auto& one) { return std::string(std::get<0>(one.param).first) + "_" + std::get<1>(one.param).name; });

}  // namespace
}  // namespace hookhost::test
