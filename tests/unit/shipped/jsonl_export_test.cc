// jsonl_export through the ABI: lines, rotation, and what a crash leaves.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <hookhost/testing.hpp>
#include <sstream>

#include "support/file_limit.h"
#include "support/temp_dir.h"

extern "C" const hookhost_plugin_entry* hookhost_plugin_entry_v1(void);

namespace hookhost::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::FakeHost;
using testing::kakiyo_event;

class JsonlExport : public ::testing::Test {
 protected:
  void start(const std::string& more = "") {
    host.configure(R"({"path": "out.jsonl")" + more + "}", directory.path());
    const auto answer = host.start();
    ASSERT_TRUE(answer.ok()) << answer.error;
  }
  void handle(const std::string& text) { ASSERT_TRUE(host.deliver(kakiyo_event("linkedin.message.received", "chat_1", text)).ok()); }
  [[nodiscard]] std::string file(const std::string& name) const {
    std::ifstream in(directory / name);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
  }
  [[nodiscard]] bool exists(const std::string& name) const { return std::filesystem::exists(directory / name); }
  static long lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  TempDir directory;
  FakeHost host{hookhost_plugin_entry_v1(), "jsonl"};
};

TEST_F(JsonlExport, WritesALineAnEvent) {
  ASSERT_NO_FATAL_FAILURE(start());
  handle("one \"quoted\"");
  handle("two");
  ASSERT_TRUE(host.commit().ok());
  const std::string text = file("out.jsonl");
  EXPECT_EQ(lines(text), 2);
  EXPECT_THAT(text, HasSubstr(R"("type":"linkedin.message.received")"));
  EXPECT_THAT(text, HasSubstr(R"("key":"chat_1")"));
  host.stop();
  EXPECT_THAT(host.violations(), IsEmpty());
}

// Another life writes the file meanwhile.
TEST_F(JsonlExport, ATestLeavesTheFileAsItIs) {
  std::ofstream(directory / "out.jsonl") << "lines of a running host\n";
  host.configure(R"({"path": "out.jsonl"})", directory.path());
  ASSERT_TRUE(host.start_test().ok());
  auto event = kakiyo_event("linkedin.message.received");
  event.flags |= HOOKHOST_EVENT_TEST;
  EXPECT_EQ(host.deliver(event).status, HOOKHOST_IGNORED);
  EXPECT_TRUE(host.commit().ok());
  host.stop();
  EXPECT_EQ(file("out.jsonl"), "lines of a running host\n");
  EXPECT_FALSE(exists("out.jsonl.unknown.1"));
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(JsonlExport, ACrashIsCutBackToWhatWasCommitted) {
  ASSERT_NO_FATAL_FAILURE(start());
  handle("committed");
  ASSERT_TRUE(host.commit().ok());
  const std::string committed = file("out.jsonl");
  handle("lost");
  EXPECT_NE(file("out.jsonl"), committed);
  ASSERT_TRUE(host.crash().ok());
  EXPECT_EQ(file("out.jsonl"), committed);
  EXPECT_THAT(host.violations(), IsEmpty());
}

TEST_F(JsonlExport, RotatesIntoPartsThatTogetherAreTheWhole) {
  ASSERT_NO_FATAL_FAILURE(start(R"(, "rotate_bytes": 1500)"));
  for (int i = 0; i < 12; ++i) handle("message " + std::to_string(i));
  ASSERT_TRUE(host.commit().ok());
  long sum = 0;
  int parts = 0;
  for (std::string name = "out.jsonl"; exists(name); name = "out.jsonl." + std::to_string(++parts)) {
    EXPECT_LE(file(name).size(), 1500U) << name;
    EXPECT_GT(lines(file(name)), 0) << name;
    sum += lines(file(name));
  }
  EXPECT_GT(parts, 2);
  EXPECT_EQ(sum, 12);
}

TEST_F(JsonlExport, ACrashBehindARotationRemovesTheUncommittedParts) {
  ASSERT_NO_FATAL_FAILURE(start(R"(, "rotate_bytes": 1500)"));
  handle("committed");
  ASSERT_TRUE(host.commit().ok());
  const std::string committed = file("out.jsonl");
  for (int i = 0; i < 12; ++i) handle("lost");
  ASSERT_TRUE(exists("out.jsonl.2"));
  ASSERT_TRUE(host.crash().ok());
  EXPECT_EQ(file("out.jsonl"), committed);
  EXPECT_FALSE(exists("out.jsonl.1"));
  EXPECT_FALSE(exists("out.jsonl.2"));
}

TEST_F(JsonlExport, AFullDiskIsUnavailableAndLeavesWholeLines) {
  ASSERT_NO_FATAL_FAILURE(start());
  int written = 0;
  {
    const FileLimit limit(2000);
    testing::Answer answer;
    for (; written < 100; ++written) {
      answer = host.deliver(kakiyo_event("linkedin.message.received", "chat_1", "message " + std::to_string(written)));
      if (!answer.ok()) break;
    }
    EXPECT_EQ(answer.status, HOOKHOST_UNAVAILABLE) << answer.error;
    EXPECT_GT(written, 0);
    EXPECT_TRUE(file("out.jsonl").ends_with("}\n")) << "no part of a line stays";
    EXPECT_EQ(lines(file("out.jsonl")), written);
    EXPECT_TRUE(host.commit().ok());
  }
  handle("after it");
  ASSERT_TRUE(host.commit().ok());
  EXPECT_EQ(lines(file("out.jsonl")), written + 1);
}

TEST_F(JsonlExport, AResetStartsOverAndUnknownLinesAreKeptAside) {
  ASSERT_NO_FATAL_FAILURE(start(R"(, "rotate_bytes": 1500)"));
  for (int i = 0; i < 12; ++i) handle("message");
  ASSERT_TRUE(host.commit().ok());
  ASSERT_TRUE(host.reset().ok());
  EXPECT_EQ(file("out.jsonl"), "");
  EXPECT_FALSE(exists("out.jsonl.1"));
  handle("of a life whose commits are gone");
  host.stop();
  FakeHost another(hookhost_plugin_entry_v1(), "jsonl");
  another.configure(R"({"path": "out.jsonl"})", directory.path());
  ASSERT_TRUE(another.start().ok());
  EXPECT_EQ(file("out.jsonl"), "");
  EXPECT_THAT(file("out.jsonl.unknown.1"), HasSubstr("whose commits are gone"));
}

}  // namespace
}  // namespace hookhost::test
