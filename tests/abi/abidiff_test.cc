// abi.h against the types that ABI 1.0 was published with (abi_1_0.xml), by a tool that reads debug information: every struct, every member,
// every parameter of every function. A change that it shows breaks plugins that people have.
//
// abi_1_0.xml is never made again. A new minor adds a file of its own beside it, made from probe.c:
//   cc -std=c11 -g -shared -fPIC -I sdk/include tests/abi/probe.c -o probe.so
//   abidw --no-corpus-path --no-comp-dir-path --no-show-locs probe.so
#include <gtest/gtest.h>

#include "support/sdk_project.h"
#include "support/temp_dir.h"

namespace hookhost::test {
namespace {

class AbiBaseline : public testing::Test {
 protected:
  void SetUp() override {
    if (find_tool("abidiff").empty()) GTEST_SKIP() << "abidiff is not installed (apt install abigail-tools)";
    std::filesystem::copy(SDK_INCLUDE, directory_ / "include", std::filesystem::copy_options::recursive);
  }
  // What abidiff says of today's header with `old_text` in it replaced.
  Ran compare(const std::string& old_text = "", const std::string& new_text = "") {
    std::string header = contents(SDK_INCLUDE "/hookhost/abi.h");
    const std::size_t at = header.find(old_text);
    EXPECT_NE(at, std::string::npos) << old_text;
    if (at == std::string::npos) return {};
    write_text(directory_ / "include/hookhost/abi.h", header.replace(at, old_text.size(), new_text));
    const Ran compiled = run_tool({find_tool("cc"), "-std=c11", "-g", "-shared", "-fPIC", "-I" + (directory_ / "include"), ABI_PROBE, "-o", directory_ / "probe.so"},
                                  directory_.path());
    EXPECT_EQ(compiled.status, 0) << compiled;
    return run_tool({find_tool("abidiff"), ABI_BASELINE, directory_ / "probe.so"}, directory_.path());
  }

  TempDir directory_;
};

TEST_F(AbiBaseline, OfOneZeroIsWhatTheHeaderSays) {
  const Ran same = compare();
  EXPECT_EQ(same.status, 0) << same;
}

// The check sees what would break a plugin: each is 4, abidiff's "ABI change", or more.
TEST_F(AbiBaseline, AChangedHeaderIsSeen) {
  struct Change {
    const char* type;  // that abidiff names
    const char* from;
    const char* to;
  };
  const Change changes[] = {
      {"hookhost_event", "  uint64_t offset;                /* its place in the event log */\n  hookhost_str id; ", "  hookhost_str id;\n  uint64_t offset;"},
      {"hookhost_resume", "  uint64_t token; ", "  uint64_t inserted;\n  uint64_t token; "},
      {"hookhost_checkpoint", "  size_t offset_count; ", "  /* removed */ "},
      {"hookhost_value", "  hookhost_str text; /* a string", "  hookhost_str text; uint64_t appended; /* a string"},
      {"hookhost_host", "int64_t (*now)(const hookhost_host* self)", "int64_t (*now)(const hookhost_host* self, int32_t clock)"},
      {"hookhost_kv_v1", "int32_t (*erase)(", "int64_t (*erase)("},
      {"hookhost_plugin_entry", "  int32_t order;  ", "  uint32_t order;  "},
      {"hookhost_note", "char id[128];", "char id[64];"},
  };
  for (const auto& [type, from, to] : changes) {
    const Ran changed = compare(from, to);
    EXPECT_GE(changed.status, 4) << type << changed;
    EXPECT_NE(changed.out.find(type), std::string::npos) << changed;
  }
}

// A struct that the probe does not show is not compared.
TEST_F(AbiBaseline, KnowsEveryStruct) {
  const std::string probe = contents(ABI_PROBE), baseline = contents(ABI_BASELINE);
  int structs = 0;
  for (const auto& line : lines_of(contents(SDK_INCLUDE "/hookhost/abi.h"))) {
    const std::size_t at = line.find("struct hookhost_");
    if (at == std::string::npos || !line.ends_with(" {") || at > 8) continue;
    const std::string name = line.substr(at + 7, line.size() - at - 9);
    ++structs;
    EXPECT_NE(probe.find("PROBE(" + name + ")"), std::string::npos) << name;
    EXPECT_NE(baseline.find("<class-decl name='" + name + "'"), std::string::npos) << name;
  }
  EXPECT_EQ(structs, 17);
}

}  // namespace
}  // namespace hookhost::test
