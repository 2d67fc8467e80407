#include "os/mapped_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "os/file_system.h"
#include "support/temp_dir.h"

namespace hookhost::os {
namespace {

class Mapped : public testing::Test {
 protected:
  test::TempDir directory;
  const std::string path = directory / "CRASH";
};

TEST_F(Mapped, IsMadeOfZerosForItsOwnerAloneAndKeepsWhatIsWritten) {
  {
    auto file = MappedFile::open(path, 16);
    ASSERT_TRUE(file);
    EXPECT_EQ(std::string(static_cast<const char*>(file.value().memory()), 16), std::string(16, '\0'));
    std::memcpy(file.value().memory(), "left behind", 11);
    const MappedFile moved(std::move(file.value()));
  }
  EXPECT_EQ(local_file_system().facts(path).value().mode, 0600U);
  EXPECT_EQ(read_file(local_file_system(), path, 100).value().substr(0, 11), "left behind");
  auto again = MappedFile::open(path, 4096);  // a longer one keeps what there was
  ASSERT_TRUE(again);
  EXPECT_EQ(std::memcmp(again.value().memory(), "left behind", 12), 0);
}

TEST_F(Mapped, IsNotOpenedThroughALinkNorInADirectoryThatIsMissing) {
  EXPECT_FALSE(MappedFile::open(directory / "none/CRASH", 16));
  std::filesystem::create_symlink(directory / "elsewhere", path);
  const auto through = MappedFile::open(path, 16);
  ASSERT_FALSE(through);
  EXPECT_NE(through.error().message.find(path), std::string::npos);
}

}  // namespace
}  // namespace hookhost::os
