// The repository as it stands. Every check is shown a made-up violation in self_test.cc, so that a check that sees nothing is found out.
#include <gtest/gtest.h>

#include "structure/abi_header.h"
#include "structure/includes.h"
#include "structure/text.h"

namespace hookhost::structure {
namespace {

const Tree& repository() {
  static const Tree tree = read_tree(HOOKHOST_REPOSITORY);
  return tree;
}

struct Check {
  const char* name;
  Findings (*run)(const Tree&);
};

class Repository : public testing::TestWithParam<Check> {};

TEST(Structure, TheTreeIsRead) {
  EXPECT_TRUE(repository().contains("host/base/result.h"));
  EXPECT_TRUE(repository().contains("tests/structure/structure_test.cc"));
  EXPECT_FALSE(repository().contains("build/dev/CMakeCache.txt"));
}

TEST(Structure, TopLevelIsWhatReadersAreTold) { EXPECT_EQ(to_text(check_top_level(read_top_level(HOOKHOST_REPOSITORY))), ""); }

TEST_P(Repository, Holds) { EXPECT_EQ(to_text(GetParam().run(repository())), ""); }

constexpr Check kChecks[] = {
    {"RoomOrder", check_room_order},
    {"ThirdParties", check_third_parties},
    {"Leaks", check_leaks},
    {"Sdk", check_sdk},
    {"Plugins", check_plugins},
    {"Readmes", check_readmes},
    {"Lengths", check_lengths},
    {"Words", check_words},
    {"Sleeps", check_sleeps},
    {"MachinePaths", check_machine_paths},
    {"Built", check_built},
    {"TestMap", check_test_map},
    {"AbiHeader", check_abi_header},
};

INSTANTIATE_TEST_SUITE_P(Structure, Repository, testing::ValuesIn(kChecks), [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace hookhost::structure
