// What is checked before a plugin's code runs, and at its entry.
#include <cstdlib>
#include <fstream>

#include "base/bytes.h"
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
  for (const char* name : {"test_broken_MAJOR", "test_broken_MINOR", "test_broken_ID", "test_broken_NOTE", "test_broken_TWICE", "test_broken_SYMBOL"}) {
    EXPECT_NE(refusal(file(name)).find(name), std::string::npos) << name;
  }
}

TEST_F(LibraryTest, AnotherDigestIsRefused) {
  const auto loaded = load(file("test_noop"), std::string(64, 'a'));
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, ErrorCode::refused);
}

TEST_F(LibraryTest, AnEntryThatContradictsItselfIsRefused) {
  const auto path = file("test_broken_ENTRY");
  const auto with = [&](const char* how) {
    ::setenv("HOOKHOST_TEST_ENTRY", how, 1);
    return load(path);
  };
  for (const char* how : {"throws", "null", "size 0", "smaller", "no create", "other minor", "id with NUL", "no id", "name", "version with NUL",
                          "long description", "endless schema", "no events", "null events", "pattern", "many events"}) {
    const auto loaded = with(how);
    ASSERT_FALSE(loaded) << how;
    EXPECT_NE(loaded.error().message.find(path), std::string::npos) << how;
    EXPECT_TRUE(is_valid_utf8(loaded.error().message)) << how;
  }
  EXPECT_TRUE(with("")) << "the library is not bad in itself";
  EXPECT_TRUE(with("larger")) << "of a later minor";
}

TEST_F(LibraryTest, ACreateThatThrowsIsAnErrorOfTheStart) {
  ::setenv("HOOKHOST_TEST_ENTRY", "", 1);
  const auto loaded = load(file("test_broken_ENTRY"));
  ASSERT_TRUE(loaded);
  Hostile plugin(loaded.value(), "");
  const auto started = plugin.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().message.find("threw an exception"), std::string::npos) << started.error().message;
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
