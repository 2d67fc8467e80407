// What is checked before a plugin's code runs, and at its entry.
#include <fstream>

#include "plugins/config_schema.h"
#include "unit/plugins/plugin_fixture.h"

namespace hookhost::plugins {
namespace {

class LibraryTest : public PluginTest {
 protected:
  std::string refusal(const std::string& path) {
    const auto loaded = load(path);
    EXPECT_FALSE(loaded) << path;
    return loaded ? "" : loaded.error().message;
  }
};

TEST_F(LibraryTest, LoadsAPrivateCopy) {
  const auto loaded = load(file("test_noop"));
  ASSERT_TRUE(loaded) << loaded.error().message;
  const auto& info = loaded.value()->info();
  EXPECT_EQ(info.id, "test.hookhost.noop");
  EXPECT_TRUE(std::filesystem::exists(dir_ / ("data/" + info.sha256 + ".so")));
  EXPECT_TRUE(load(dir_ / "test_noop.so", info.sha256)) << "the right digest";
}

TEST_F(LibraryTest, AWrongMajorOrMinorIsRefusedBeforeItsConstructorRuns) {
  EXPECT_NE(refusal(file("test_broken_MAJOR")).find("ABI 2"), std::string::npos);
  EXPECT_NE(refusal(file("test_broken_MINOR")).find("1.99"), std::string::npos);
}

TEST_F(LibraryTest, RefusalsNameTheFileOrThePlugin) {
  for (const char* name : {"test_broken_MAJOR", "test_broken_MINOR", "test_broken_ID", "test_broken_NOTE", "test_broken_SYMBOL", "test_broken_ENTRY"}) {
    EXPECT_NE(refusal(file(name)).find(name), std::string::npos) << name;
  }
}

TEST_F(LibraryTest, AnotherDigestIsRefused) {
  const auto loaded = load(file("test_noop"), std::string(64, 'a'));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::refused);
}

TEST_F(LibraryTest, WhatOthersMayWriteIsRefusedWithTheCommand) {
  const auto path = file("test_noop");
  allow(path, 0722);
  EXPECT_NE(refusal(path).find("chmod go-w"), std::string::npos);
  allow(path, 0700);
  allow(dir_.path(), 0777);
  EXPECT_NE(refusal(path).find("chmod go-w"), std::string::npos);
  allow(dir_.path(), 0700);
  EXPECT_TRUE(load(path));
}

TEST_F(LibraryTest, ADamagedCopyIsReplaced) {
  const auto path = file("test_hostile");
  const auto first = load(path);
  ASSERT_TRUE(first);
  const std::string copy = dir_ / ("data/" + first.value()->info().sha256 + ".so");
  const auto size = std::filesystem::file_size(copy);
  std::filesystem::remove(copy);  // the mapped file must not be cut
  std::ofstream(copy) << "damaged";
  EXPECT_TRUE(load(path));
  EXPECT_EQ(std::filesystem::file_size(copy), size);
}

TEST_F(LibraryTest, ConfigurationErrorsNameThePlaceAndHideTheValue) {
  const auto loaded = load(file("test_hostile"));
  ASSERT_TRUE(loaded);
  const std::string schema = loaded.value()->info().config_schema;
  EXPECT_TRUE(check_config("crm", schema, R"({"mode":"ok"})"));
  const auto wrong = check_config("crm", schema, R"({"secret":"hunter22"})");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code, ErrorCode::invalid_config);
  EXPECT_NE(wrong.error().message.find("plugins.crm.config.secret"), std::string::npos) << wrong.error().message;
  EXPECT_EQ(wrong.error().message.find("hunter22"), std::string::npos);
}

}  // namespace
}  // namespace hookhost::plugins
