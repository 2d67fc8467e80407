#include <gtest/gtest.h>
#include <unistd.h>

#include "os/file_system.h"
#include "support/temp_dir.h"

namespace hookhost::os {
namespace {

TEST(Paths, AreJoinedAndTakenApart) {
  EXPECT_EQ(join("/a", "b"), "/a/b");
  EXPECT_EQ(join("/a/", "b"), "/a/b");
  EXPECT_EQ(join("", "b"), "b");
  EXPECT_EQ(parent("/a/b"), "/a");
  EXPECT_EQ(parent("/a"), "/");
  EXPECT_EQ(parent("a"), ".");
  EXPECT_EQ(file_name("/a/b"), "b");
  EXPECT_EQ(file_name("b"), "b");
  EXPECT_EQ(absolute("/a"), "/a");
  char here[4096];
  ASSERT_NE(::getcwd(here, sizeof here), nullptr);
  EXPECT_EQ(absolute("a"), join(here, "a"));
}

TEST(Paths, AreSeenFromADirectoryWithoutDetours) {
  EXPECT_EQ(seen_from("/etc/hh", "data"), "/etc/hh/data");
  EXPECT_EQ(seen_from("/etc/hh", "./data"), "/etc/hh/data");
  EXPECT_EQ(seen_from("/etc/hh", "../data/x"), "/etc/data/x");
  EXPECT_EQ(seen_from("/etc/hh", ".././../data"), "/data");
  EXPECT_EQ(seen_from("/etc/hh", "../../../../data"), "/data") << "there is nothing above the root";
  EXPECT_EQ(seen_from("/etc/hh", ".."), "/etc");
  EXPECT_EQ(seen_from("/etc/hh", "."), "/etc/hh");
  EXPECT_EQ(seen_from("/etc/hh", "/var/../data"), "/var/../data") << "an absolute one is its owner's";
  EXPECT_EQ(seen_from("/etc/hh", "a/../b"), "/etc/hh/a/../b") << "a may be a link: only the system knows where its parent is";
  EXPECT_EQ(seen_from("/etc/hh", "..data"), "/etc/hh/..data");
}

TEST(Paths, AreResolvedThroughLinks) {
  const test::TempDir directory;
  const auto real = resolved(directory.path());
  ASSERT_TRUE(real);
  ASSERT_TRUE(local_file_system().make_directories(directory / "a/b"));
  ASSERT_EQ(::symlink("a/b", (directory / "link").c_str()), 0);
  EXPECT_EQ(resolved(directory / "link/..").value(), real.value() + "/a");
  EXPECT_EQ(resolved(directory / "none").error().code, ErrorCode::not_found);
}

}  // namespace
}  // namespace hookhost::os
