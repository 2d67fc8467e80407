#include "os/file_system.h"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/small_disk.h"
#include "support/temp_dir.h"

namespace hookhost::os {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class LocalFiles : public testing::Test {
 protected:
  std::unique_ptr<File> make(const std::string& path, std::string_view bytes = "") {
    auto file = files.open(path, OpenMode::create);
    EXPECT_TRUE(file) << file.error().message;
    EXPECT_TRUE(file.value()->write_at(0, bytes));
    return std::move(file.value());
  }
  std::string all_of(const std::string& path) { return read_file(files, path, 1 << 20).value(); }
  static mode_t mode(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0);
    return facts.st_mode & 07777;
  }

  FileSystem& files = local_file_system();
  test::TempDir directory;
};

TEST_F(LocalFiles, ReadsAndWritesAnywhere) {
  const auto file = make(directory / "a", "0123456789");
  ASSERT_TRUE(file->write_at(12, "xy"));
  EXPECT_EQ(file->size().value(), 14U);
  char bytes[8] = {};
  EXPECT_EQ(file->read_at(8, bytes, 8).value(), 6U) << "fewer only at the end";
  EXPECT_EQ(std::string(bytes, 6), std::string("89\0\0xy", 6));
  EXPECT_EQ(file->read_at(100, bytes, 8).value(), 0U);
  ASSERT_TRUE(file->truncate(3));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(all_of(directory / "a"), "012");
}

TEST_F(LocalFiles, OpenTheWayTheyAreAsked) {
  EXPECT_EQ(files.open(directory / "none", OpenMode::read).error().code, ErrorCode::not_found);
  EXPECT_EQ(files.open(directory / "none", OpenMode::read_write).error().code, ErrorCode::not_found);
  make(directory / "a", "x");
  const auto twice = files.open(directory / "a", OpenMode::create);
  ASSERT_FALSE(twice) << "what is there is not taken over";
  EXPECT_THAT(twice.error().message, HasSubstr("cannot create " + (directory / "a")));
  const auto reading = files.open(directory / "a", OpenMode::read);
  EXPECT_FALSE(reading.value()->write_at(0, "y"));
  EXPECT_EQ(all_of(directory / "a"), "x");
}

// Nobody waits for the other end of a pipe.
TEST_F(LocalFiles, RefuseWhatIsNoFile) {
  ASSERT_EQ(::mkfifo((directory / "pipe").c_str(), 0600), 0);
  ASSERT_EQ(::mkdir((directory / "folder").c_str(), 0700), 0);
  for (const char* name : {"pipe", "folder"}) {
    for (const OpenMode mode : {OpenMode::read, OpenMode::read_write}) {
      const auto opened = files.open(directory / name, mode);
      ASSERT_FALSE(opened) << name;
      EXPECT_EQ(opened.error().message, (directory / name) + " is there, but no file; move it away");
    }
  }
  EXPECT_TRUE(files.open("/dev/null", OpenMode::read));
  ASSERT_EQ(::symlink("nowhere", (directory / "link").c_str()), 0);
  EXPECT_THAT(files.open(directory / "link", OpenMode::read).error().message, HasSubstr("link is a link to nothing; remove it"));
}

TEST_F(LocalFiles, AreTheOwnersAloneWhateverTheMask) {
  const mode_t before = ::umask(0);
  make(directory / "a");
  ASSERT_TRUE(files.make_directories(directory / "d/e/f"));
  ASSERT_TRUE(write_file_atomically(files, directory / "b", "x"));
  ::umask(before);
  EXPECT_EQ(mode(directory / "a"), 0600U);
  EXPECT_EQ(mode(directory / "b"), 0600U);
  for (const char* one : {"d", "d/e", "d/e/f"}) EXPECT_EQ(mode(directory / one), 0700U) << one;
}

TEST_F(LocalFiles, DirectoriesAreMadeOnceAndNotOverAFile) {
  ASSERT_TRUE(files.make_directories(directory / "d/e"));
  EXPECT_TRUE(files.make_directories(directory / "d/e")) << "fine when there";
  make(directory / "file");
  const auto over = files.make_directories(directory / "file");
  ASSERT_FALSE(over);
  EXPECT_THAT(over.error().message, HasSubstr("no directory; move it away"));
  EXPECT_FALSE(files.make_directories(directory / "file/below"));
}

TEST_F(LocalFiles, NamesAreListedSortedRenamedAndRemoved) {
  for (const char* name : {"b", "a", ".c"}) make(directory / name, name);
  EXPECT_THAT(files.list(directory.path()).value(), ElementsAre(".c", "a", "b"));
  ASSERT_TRUE(files.rename(directory / "a", directory / "b"));
  EXPECT_EQ(all_of(directory / "b"), "a") << "a rename replaces";
  ASSERT_TRUE(files.remove(directory / "b"));
  ASSERT_TRUE(files.sync_directory(directory.path()));
  EXPECT_THAT(files.list(directory.path()).value(), ElementsAre(".c"));
  EXPECT_EQ(files.remove(directory / "b").error().code, ErrorCode::not_found);
  EXPECT_EQ(files.list(directory / "none").error().code, ErrorCode::not_found);
  EXPECT_FALSE(files.sync_directory(directory / ".c")) << "not a directory";
}

TEST_F(LocalFiles, FactsAreThoseOfTheLinkItself) {
  make(directory / "a", "12345");
  ASSERT_EQ(::symlink("a", (directory / "link").c_str()), 0);
  EXPECT_EQ(files.facts(directory / "a").value().kind, Facts::Kind::file);
  EXPECT_EQ(files.facts(directory / "a").value().size, 5U);
  EXPECT_EQ(files.facts(directory / "a").value().owner, ::getuid());
  EXPECT_EQ(files.facts(directory / "link").value().kind, Facts::Kind::link);
  EXPECT_EQ(files.facts(directory.path()).value().kind, Facts::Kind::directory);
  EXPECT_EQ(files.facts(directory / "none").error().code, ErrorCode::not_found);
  EXPECT_EQ(link_target(directory / "link").value(), "a");
}

TEST_F(LocalFiles, AFullDiskIsNoSpace) {
  const test::SmallDisk disk(directory / "disk", "1m");
  if (!disk.is_there()) GTEST_SKIP() << "a small disk can only be mounted by root";
  EXPECT_LE(files.free_bytes(directory / "disk").value(), 1U << 20);
  const auto file = make(directory / "disk/a");
  disk.fill();
  EXPECT_EQ(files.free_bytes(directory / "disk").value(), 0U);
  const auto written = file->write_at(0, "x");
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, ErrorCode::no_space);
  EXPECT_THAT(written.error().message, HasSubstr("cannot write " + (directory / "disk/a")));
}

TEST_F(LocalFiles, AWholeFileIsReadUpToABound) {
  make(directory / "a", "12345");
  EXPECT_EQ(read_file(files, directory / "a", 5).value(), "12345");
  const auto longer = read_file(files, directory / "a", 4);
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error().message, HasSubstr("has 5 bytes; at most 4 are read"));
}

TEST_F(LocalFiles, AnAtomicWriteReplacesTheWholeAndLeavesNothingBeside) {
  make(directory / "a", "a long old text");
  make(directory / "a.tmp", "what an earlier crash left");
  ASSERT_TRUE(write_file_atomically(files, directory / "a", "new"));
  EXPECT_EQ(all_of(directory / "a"), "new");
  EXPECT_THAT(files.list(directory.path()).value(), ElementsAre("a"));
}

}  // namespace
}  // namespace hookhost::os
