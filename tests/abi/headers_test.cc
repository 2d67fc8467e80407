// The SDK's headers in every language version they promise, under both compilers, without a warning.
#include <gtest/gtest.h>

#include "support/sdk_project.h"
#include "support/temp_dir.h"

namespace hookhost::test {
namespace {

struct Language {
  const char* compiler;
  const char* standard;
  const char* header;
};

class Headers : public testing::TestWithParam<Language> {};

TEST_P(Headers, CompileWithoutAWarning) {
  const auto& [compiler, standard, header] = GetParam();
  const std::string tool = find_tool(compiler);
  if (tool.empty()) GTEST_SKIP() << compiler << " is not installed";
  const TempDir directory;
  const std::string file = directory / (std::string(standard).starts_with("c++") ? "use.cpp" : "use.c");
  write_text(file, "#include <hookhost/" + std::string(header) + ">\nint main(void) { return 0; }\n");
  const Ran ran = run_tool({tool, "-std=" + std::string(standard), "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-I" SDK_INCLUDE, file},
                           directory.path());
  EXPECT_EQ(ran.status, 0) << ran;
}

std::vector<Language> languages() {
  std::vector<Language> out;
  for (const char* c : {"gcc", "clang"}) {
    for (const char* standard : {"c11", "c17"}) out.push_back({c, standard, "abi.h"});
  }
  for (const char* cpp : {"g++", "clang++"}) {
    for (const char* standard : {"c++11", "c++17", "c++20", "c++2b"}) out.push_back({cpp, standard, "abi.h"});
    for (const char* header : {"plugin.hpp", "kakiyo.hpp", "testing.hpp"}) {
      for (const char* standard : {"c++20", "c++2b"}) out.push_back({cpp, standard, header});
    }
  }
  return out;
}
INSTANTIATE_TEST_SUITE_P(Sdk, Headers, testing::ValuesIn(languages()));

}  // namespace
}  // namespace hookhost::test
