// Each check is shown a tree that breaks its rule and one that keeps it.
#include <gtest/gtest.h>

#include "structure/abi_header.h"
#include "structure/includes.h"
#include "structure/text.h"

namespace hookhost::structure {
namespace {

std::string first(const Findings& findings) {
  return findings.empty() ? "nothing found" : findings.front().path + ":" + std::to_string(findings.front().line);
}

Tree with(const std::string& path, const std::string& text) { return {{path, lines_of(text)}}; }

TEST(RoomOrder, ARoomMayUseThoseAboveIt) {
  EXPECT_EQ(to_text(check_room_order(with("host/state/a.cc", "#include \"base/result.h\"\n#include \"state/b.h\"\n"))), "");
}

TEST(RoomOrder, ARoomMayNotUseThoseBelowIt) {
  EXPECT_EQ(first(check_room_order(with("host/state/a.cc", "#include \"base/a.h\"\n  #  include \"app/host.h\"\n"))), "host/state/a.cc:2");
}

TEST(RoomOrder, IngestAndDeliveryNeverMeet) {
  EXPECT_EQ(first(check_room_order(with("host/delivery/a.h", "#include \"ingest/ingest.h\"\n"))), "host/delivery/a.h:1");
  EXPECT_EQ(first(check_room_order(with("host/ingest/a.h", "#include \"delivery/engine.h\"\n"))), "host/ingest/a.h:1");
}

TEST(RoomOrder, CMakeSaysTheSame) {
  EXPECT_EQ(first(check_room_order(with("host/os/CMakeLists.txt", "hookhost_room(os ROOMS base config SOURCES a.cc)\n"))), "host/os/CMakeLists.txt:1");
  EXPECT_EQ(first(check_room_order(with("host/os/CMakeLists.txt", "target_link_libraries(hookhost_os hookhost_state)\n"))), "host/os/CMakeLists.txt:1");
  EXPECT_EQ(to_text(check_room_order(with("host/os/CMakeLists.txt", "hookhost_room(os ROOMS base SOURCES a.cc)\n"))), "");
}

TEST(RoomOrder, AFolderThatIsNoRoomIsSeen) { EXPECT_EQ(first(check_room_order(with("host/util/a.cc", ""))), "host/util/a.cc:0"); }

TEST(ThirdParties, OnlyInTheirRoom) {
  EXPECT_EQ(first(check_third_parties(with("host/delivery/a.cc", "\n#include <sqlite3.h>\n"))), "host/delivery/a.cc:2");
  EXPECT_EQ(first(check_third_parties(with("host/http/a.cc", "#include <openssl/evp.h>\n"))), "host/http/a.cc:1");
  EXPECT_EQ(first(check_third_parties(with("host/signing/a.cc", "#include <openssl/ssl.h>\n"))), "host/signing/a.cc:1");
  EXPECT_EQ(first(check_third_parties(with("host/api/a.cc", "#include \"event_record.pb.h\"\n"))), "host/api/a.cc:1");
  EXPECT_EQ(to_text(check_third_parties(with("host/state/a.cc", "#include <sqlite3.h>\n#include <boost/json.hpp>\n#include <vector>\n"))), "");
}

TEST(ThirdParties, UnknownOnesAreRefused) {
  EXPECT_EQ(first(check_third_parties(with("host/base/a.cc", "#include <fmt/core.h>\n"))), "host/base/a.cc:1");
  EXPECT_EQ(first(check_third_parties(with("host/base/a.cc", "#include <boost/regex.hpp>\n"))), "host/base/a.cc:1");
}

TEST(ThirdParties, FilesAndProcessesBelongToOs) {
  EXPECT_EQ(first(check_third_parties(with("host/state/a.cc", "int a() {\n  return ::fsync(3);\n}\n"))), "host/state/a.cc:2");
  EXPECT_EQ(first(check_third_parties(with("host/state/a.cc", "#include <fstream>\n"))), "host/state/a.cc:1");
  EXPECT_EQ(to_text(check_third_parties(with("host/os/a.cc", "#include <fcntl.h>\nint a() { return ::fsync(3); }\n"))), "");
  EXPECT_EQ(to_text(check_third_parties(with("host/state/a.cc", "auto a = Database::open(path);\n"))), "");
}

TEST(Leaks, AHeaderMayNotHandAThirdPartyOn) {
  Tree tree = with("host/state/sqlite.h", "#include <sqlite3.h>\n");
  tree["host/state/store.h"] = lines_of("#include \"state/sqlite.h\"\n");
  tree["host/state/store.cc"] = lines_of("#include \"state/store.h\"\n");
  EXPECT_EQ(to_text(check_leaks(tree)), "");
  tree["host/delivery/engine.h"] = lines_of("#include \"state/store.h\"\n");
  EXPECT_EQ(first(check_leaks(tree)), "host/delivery/engine.h:0");
}

TEST(Leaks, ResultIsEverywhere) {
  Tree tree = with("host/base/result.h", "#include <boost/outcome/try.hpp>\n");
  tree["host/os/files.h"] = lines_of("#include \"base/result.h\"\n");
  EXPECT_EQ(to_text(check_leaks(tree)), "");
}

TEST(Sdk, AbiNeedsNothing) {
  EXPECT_EQ(to_text(check_sdk(with("sdk/include/hookhost/abi.h", "#include <stddef.h>\n#include <stdint.h>\n"))), "");
  EXPECT_EQ(first(check_sdk(with("sdk/include/hookhost/abi.h", "#include <stddef.h>\n#include <string.h>\n"))), "sdk/include/hookhost/abi.h:2");
}

TEST(Sdk, TheRestNeedsTheStandardLibrary) {
  EXPECT_EQ(to_text(check_sdk(with("sdk/include/hookhost/plugin.hpp", "#include <string_view>\n"))), "");
  EXPECT_EQ(first(check_sdk(with("sdk/include/hookhost/plugin.hpp", "#include <boost/json.hpp>\n"))), "sdk/include/hookhost/plugin.hpp:1");
  EXPECT_EQ(first(check_sdk(with("sdk/include/hookhost/plugin.hpp", "#include \"base/result.h\"\n"))), "sdk/include/hookhost/plugin.hpp:1");
}

TEST(Plugins, KnowTheSdkAlone) {
  EXPECT_EQ(to_text(check_plugins(with("plugins/crm/crm.cpp", "#include <hookhost/plugin.hpp>\n#include <sqlite3.h>\n#include <string>\n"))), "");
  EXPECT_EQ(first(check_plugins(with("plugins/crm/crm.cpp", "#include \"base/result.h\"\n"))), "plugins/crm/crm.cpp:1");
  EXPECT_EQ(first(check_plugins(with("plugins/crm/crm.cpp", "#include \"../other/a.h\"\n"))), "plugins/crm/crm.cpp:1");
  EXPECT_EQ(first(check_plugins(with("sdk/examples/a/a.cpp", "#include <boost/json.hpp>\n"))), "sdk/examples/a/a.cpp:1");
  EXPECT_EQ(to_text(check_plugins(with("sdk/examples/a/a.cpp", "#include <curl/curl.h>\n"))), "");
}

TEST(TopLevel, NothingMoreAndNothingLess) {
  std::vector<std::string> names = {"CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md",
                                    "conf",         "host",           "plugins",           "sdk",     "tests"};
  EXPECT_EQ(to_text(check_top_level(names)), "");
  names.push_back("docs");
  EXPECT_EQ(first(check_top_level(names)), "docs:0");
  names = {"CHANGELOG.md", "CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "conf", "host", "plugins", "sdk"};
  EXPECT_EQ(first(check_top_level(names)), "tests:0");
}

TEST(Readmes, EveryRoomHasAShortOne) {
  EXPECT_EQ(first(check_readmes(with("host/os/a.cc", ""))), "host/os:0");
  Tree tree = with("host/os/README.md", std::string(40, '\n'));
  EXPECT_EQ(to_text(check_readmes(tree)), "");
  tree["host/os/README.md"].emplace_back();
  EXPECT_EQ(first(check_readmes(tree)), "host/os/README.md:41");
}

TEST(Lengths, LongFilesAreSeen) {
  EXPECT_EQ(to_text(check_lengths(with("host/os/a.cc", std::string(400, '\n')))), "");
  EXPECT_EQ(first(check_lengths(with("host/os/a.cc", std::string(401, '\n')))), "host/os/a.cc:0");
}

TEST(Lengths, AnExcuseThatIsNotNeededIsSeen) {
  EXPECT_EQ(first(check_lengths(with("sdk/include/hookhost/abi.h", "\n"))), "sdk/include/hookhost/abi.h:0");
  EXPECT_EQ(to_text(check_lengths(with("sdk/include/hookhost/abi.h", std::string(500, '\n')))), "");
}

TEST(Words, PromisesAreSeen) {
  EXPECT_EQ(first(check_words(with("host/os/a.cc", "\n// to" "do: more\n"))), "host/os/a.cc:2");
  EXPECT_EQ(first(check_words(with("host/os/README.md", "This is enough For N" "ow.\n"))), "host/os/README.md:1");
  EXPECT_EQ(to_text(check_words(with("host/os/a.cc", "auto a = std::bind(b, std::place" "holders::_1);  // mastodons\n"))), "");
}

TEST(Sleeps, AreSeenInTests) {
  EXPECT_EQ(first(check_sleeps(with("tests/a_test.cc", "std::this_thread::sleep_" "for(1s);\n"))), "tests/a_test.cc:1");
  EXPECT_EQ(first(check_sleeps(with("tests/a.sh", "sl" "eep 5\n"))), "tests/a.sh:1");
  EXPECT_EQ(to_text(check_sleeps(with("tests/a_test.cc", "// never sleeping (for luck)\n"))), "");
}

TEST(MachinePaths, AreSeen) {
  EXPECT_EQ(first(check_machine_paths(with("conf/a.yaml", "path: /ho" "me/somebody/a.so\n"))), "conf/a.yaml:1");
  EXPECT_EQ(to_text(check_machine_paths(with("conf/a.yaml", "path: /var/lib/hookhost\nurl: https://example.com/ho" "me/a\n"))), "");
}

TEST(Built, AFileThatNobodyBuildsIsSeen) {
  Tree tree = with("host/os/a.cc", "");
  EXPECT_EQ(first(check_built(tree)), "host/os/a.cc:0");
  tree["host/os/CMakeLists.txt"] = lines_of("hookhost_room(os SOURCES a.cc)\n");
  EXPECT_EQ(to_text(check_built(tree)), "");
}

TEST(TestMap, ANameThatIsNoTestIsSeen) {
  Tree tree = with("tests/README.md", "See `Suite.Name` and\n`Suite.Gone`, not `README.md` or `a.b`.\n");
  tree["tests/unit/a_test.cc"] = lines_of("TEST_F(Suite, Name) {\n}\n");
  EXPECT_EQ(first(check_test_map(tree)), "tests/README.md:2");
  tree["tests/unit/b_test.cc"] = lines_of("TEST(Suite,\n     Gone) {\n}\n");
  EXPECT_EQ(to_text(check_test_map(tree)), "");
}

// A header that keeps every rule; each test changes one line of it.
const Lines kGoodHeader = {
    "#define HOOKHOST_OK 0 /* handled */",
    "/* Whatever. Host's; for the call. */",
    "typedef struct hookhost_thing hookhost_thing;",
    "struct hookhost_thing {",
    "  uint32_t struct_size;",
    "  uint32_t flags, more; /* of both */",
    "  /* [any] A status. Ownership: none.",
    "   * Lifetime: the call's. */",
    "  int32_t (*act)(hookhost_thing* self,",
    "                 int32_t (*visit)(void* context));",
    "};",
    "/* Text. Frozen. */",
    "typedef struct hookhost_str {",
    "  const char* ptr; /* never null */",
    "} hookhost_str;",
    "/* [load] Only an address. Ownership: plugin's. Lifetime: the library's. */",
    "HOOKHOST_EXPORT const hookhost_entry* hookhost_plugin_entry_v1(void);"};
const Lines kGoodLayout = {"static_assert(HOOKHOST_OK == 0);",
                           "offsetof(hookhost_thing, struct_size) == offsetof(hookhost_thing, flags) == offsetof(hookhost_thing, more) ==",
                           "offsetof(hookhost_thing, act) == sizeof(hookhost_thing) == offsetof(hookhost_str, ptr) == sizeof(hookhost_str) =="};

std::string header_with(std::size_t line, const std::string& text) {
  Tree tree{{"sdk/include/hookhost/abi.h", kGoodHeader}, {"tests/abi/layout_test.cc", kGoodLayout}};
  tree["sdk/include/hookhost/abi.h"][line - 1] = text;
  return to_text(check_abi_header(tree));
}

TEST(AbiHeader, AHeaderThatSaysEverythingIsLeftAlone) { EXPECT_EQ(header_with(1, kGoodHeader[0]), ""); }

TEST(AbiHeader, TheRuleOnThreadsIsTheSameInBoth) {
  const auto with_readme = [](const Lines& readme) {
    return to_text(check_abi_header({{"sdk/include/hookhost/abi.h", {" * Never two calls", " * at once."}}, {"sdk/README.md", readme}}));
  };
  EXPECT_EQ(with_readme({"## Threads", "", "Never two", "calls at once.", "", "## Next"}), "");
  EXPECT_NE(with_readme({"## Threads", "Never three calls at once."}).find("sdk/README.md:1"), std::string::npos);
  EXPECT_NE(with_readme({"## Other"}), "");
}

TEST(AbiHeader, WhatAStrangerMissesIsFound) {
  const auto expect_found = [](std::size_t line, const std::string& text, const std::string& what) {
    EXPECT_NE(header_with(line, text).find(what), std::string::npos) << text << "\n" << header_with(line, text);
  };
  expect_found(1, "#define HOOKHOST_OK 0", "HOOKHOST_OK: what it means");
  expect_found(1, "#define HOOKHOST_BETTER 7 /* new */", "HOOKHOST_BETTER: tests/abi/layout_test.cc does not fix");
  expect_found(2, "/* Whatever. */", "whose it is");
  expect_found(4, "struct hookhost_other {", "does not fix its size");
  expect_found(5, "  uint64_t struct_size;", "does not begin with");
  expect_found(6, "  uint32_t flags, more;", "more: what it means");
  expect_found(6, "  uint32_t flags, extra; /* of both */", "hookhost_thing.extra: tests/abi");
  for (const char* loose : {"  bool flags; /* x */", "  enum kind flags; /* x */", "  long flags; /* x */", "  uint32_t flags : 3; /* x */"}) {
    expect_found(6, loose, "fixed-width");
  }
  expect_found(7, "  /* A status. Ownership: none.", "act: no word on threads");
  expect_found(7, "  /* [any] A status.", "act: no 'Ownership:'");
  expect_found(7, "  /* [any] Ownership: none.", "act: what it answers");
  expect_found(8, "   */", "act: no 'Lifetime:'");
  expect_found(8, "   * Lifetime: the call's. */\n", "act: no 'Lifetime:'");  // a blank line between them: not its comment
  expect_found(12, "/* Text. */", "hookhost_str: its comment does not say 'Frozen'");
  expect_found(16, "/* Only an address. */", "the exported function: no word on threads");
}

}  // namespace
}  // namespace hookhost::structure
