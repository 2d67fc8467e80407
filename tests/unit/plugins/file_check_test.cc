// Whose file it is, over which ways it is reached, and that no code of it runs before that is known: the library of these tests ends the process
// in its constructor.
#include <unistd.h>

#include "unit/plugins/plugin_fixture.h"

namespace hookhost::plugins {
namespace {

namespace fs = std::filesystem;

class FileCheck : public PluginTest {
 protected:
  std::string refusal(const std::string& path, const std::string& sha256 = "") {
    const auto loaded = load(path, sha256);
    EXPECT_FALSE(loaded) << path;
    return loaded ? "" : loaded.error().message;
  }
  void expect_command(const std::string& path, const std::string& command) {
    const std::string message = refusal(path);
    EXPECT_NE(message.find(command), std::string::npos) << message;
  }
  std::string folder(const std::string& name, unsigned mode = 0700) {
    fs::create_directory(dir_ / name);
    allow(dir_ / name, mode);
    return dir_ / name;
  }

  const std::string deadly_ = file("test_broken_CONSTRUCTOR");
};

TEST_F(FileCheck, RefusesWhatOthersMayWrite) {
  for (const unsigned mode : {0722U, 0720U, 0702U, 0777U}) {
    allow(deadly_, mode);
    expect_command(deadly_, "chmod go-w " + deadly_);
  }
}

TEST_F(FileCheck, RefusesADirectoryThatOthersMayWriteInto) {
  allow(dir_.path(), 01777);
  expect_command(deadly_, "chmod go-w " + dir_.path());
  allow(dir_.path(), 0700);
  const std::string deep = folder("above") + "/deep";
  fs::create_directory(deep);
  fs::copy_file(deadly_, deep + "/it.so");
  allow(dir_ / "above", 0777);
  expect_command(deep + "/it.so", "chmod go-w " + (dir_ / "above"));
}

TEST_F(FileCheck, RefusesAnotherUsersFile) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  ASSERT_EQ(::chown(deadly_.c_str(), 12345, 12345), 0);
  expect_command(deadly_, "chown root " + deadly_);
}

TEST_F(FileCheck, RefusesALinkThatOthersMayTurn) {
  const std::string unsafe = folder("unsafe", 0777);
  fs::create_symlink(deadly_, unsafe + "/it.so");
  expect_command(unsafe + "/it.so", "chmod go-w " + unsafe);
  fs::create_directory_symlink(unsafe, dir_ / "link");
  expect_command(dir_ / "link/it.so", "chmod go-w " + unsafe);
  fs::create_symlink(unsafe + "/it.so", dir_ / "chain.so");
  expect_command(dir_ / "chain.so", "chmod go-w " + unsafe);
}

TEST_F(FileCheck, RefusesAnotherUsersLink) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a link away";
  const std::string sticky = folder("sticky", 01777);
  fs::create_symlink(deadly_, sticky + "/it.so");
  ASSERT_EQ(::lchown((sticky + "/it.so").c_str(), 12345, 12345), 0);
  expect_command(sticky + "/it.so", "chown root " + sticky + "/it.so");
}

TEST_F(FileCheck, RefusesLinksWithoutEndOrWithoutAFile) {
  fs::create_symlink(dir_ / "b", dir_ / "a");
  fs::create_symlink("a", dir_ / "b");
  EXPECT_NE(refusal(dir_ / "a").find("too many links"), std::string::npos);
  fs::create_symlink("nowhere", dir_ / "c");
  EXPECT_NE(refusal(dir_ / "c").find("nowhere"), std::string::npos);
  EXPECT_NE(refusal(dir_.path()).find("no regular file"), std::string::npos);
  EXPECT_NE(refusal("/dev/null").find("no regular file"), std::string::npos);
}

TEST_F(FileCheck, RefusesAnotherDigest) { EXPECT_NE(refusal(deadly_, std::string(64, '0')).find("SHA-256"), std::string::npos); }

TEST_F(FileCheck, FollowsLinksOfOnesOwn) {
  file("test_noop");
  fs::create_symlink("../test_noop.so", folder("folder") + "/relative.so");
  fs::create_directory_symlink(dir_ / "folder", dir_ / "way");
  EXPECT_TRUE(load(dir_ / "way/./relative.so"));
  EXPECT_TRUE(load(dir_ / "folder/../test_noop.so"));
}

// Another file stands under the name as soon as the first was read.
class Swapping final : public os::FileSystem {
 public:
  Swapping(std::string path, std::string other) : path_(std::move(path)), other_(std::move(other)) {}
  Result<std::unique_ptr<os::File>> open(const std::string& path, os::OpenMode mode) override {
    auto opened = local_.open(path, mode);
    if (path == path_) {
      fs::rename(other_, path_);
      ++swaps;
    }
    return opened;
  }
  Result<> rename(const std::string& from, const std::string& to) override { return local_.rename(from, to); }
  Result<> remove(const std::string& path) override { return local_.remove(path); }
  Result<> sync_directory(const std::string& path) override { return local_.sync_directory(path); }
  Result<std::vector<std::string>> list(const std::string& directory) override { return local_.list(directory); }
  Result<> make_directories(const std::string& path) override { return local_.make_directories(path); }
  Result<std::uint64_t> free_bytes(const std::string& path) override { return local_.free_bytes(path); }
  Result<os::Facts> facts(const std::string& path) override { return local_.facts(path); }

  int swaps = 0;

 private:
  os::FileSystem& local_ = os::local_file_system();
  std::string path_, other_;
};

TEST_F(FileCheck, AFilePutInPlaceOfTheCheckedOneIsNotLoaded) {
  const std::string good = file("test_noop");
  Swapping files(good, deadly_);
  const auto loaded = Library::load(files, good, dir_ / "data", "");
  EXPECT_EQ(files.swaps, 1) << "the file is opened once";
  ASSERT_TRUE(loaded) << loaded.error().message;
  EXPECT_EQ(loaded.value()->info().id, "test.hookhost.noop");
}

}  // namespace
}  // namespace hookhost::plugins
