#include "app/disk_reserve.h"

#include <gtest/gtest.h>

#include "support/fake_file_system.h"

namespace hookhost::app {
namespace {

constexpr std::uint64_t kMiB = 1 << 20;
constexpr const char* kPath = "/data/reserve";

class Reserve : public testing::Test {
 protected:
  // The host starts; its maintenance looks at the disk.
  void start(std::uint64_t disk_free_min) { reserve.emplace(files, "/data", disk_free_min); }
  void look(std::uint64_t free_bytes) {
    files.set_free_bytes(free_bytes);
    reserve->free_if_full();
    reserve->make_if_space();
  }
  [[nodiscard]] std::uint64_t bytes() {
    const auto facts = files.facts(kPath);
    return facts ? facts.value().size : 0;
  }

  test::FakeFileSystem files;
  std::optional<DiskReserve> reserve;
};

TEST_F(Reserve, IsAQuarterOfTheFloorAndAtMost16MiB) {
  start(4 * kMiB);
  look(100 * kMiB);
  EXPECT_EQ(bytes(), kMiB);
  ASSERT_TRUE(files.remove(kPath));
  start(1024 * kMiB);
  look(2000 * kMiB);
  EXPECT_EQ(bytes(), 16 * kMiB);
}

TEST_F(Reserve, IsFreedWhenLessThanItselfIsLeftAndMadeAgainAboveTheFloor) {
  start(4 * kMiB);
  look(5 * kMiB - 1);
  EXPECT_EQ(bytes(), 0U) << "it would take the free space below the floor";
  look(5 * kMiB);
  EXPECT_EQ(bytes(), kMiB);
  look(kMiB);
  EXPECT_EQ(bytes(), kMiB) << "intake is closed, delivery still has room";
  look(kMiB - 1);
  EXPECT_EQ(bytes(), 0U);
  look(2 * kMiB - 1);  // what freeing it has made
  EXPECT_EQ(bytes(), 0U);
  look(5 * kMiB);
  EXPECT_EQ(bytes(), kMiB);
}

TEST_F(Reserve, OfAnEarlierStartIsThereAtOnce) {
  start(4 * kMiB);
  look(100 * kMiB);
  start(4 * kMiB);
  files.set_free_bytes(0);
  reserve->free_if_full();
  EXPECT_EQ(bytes(), 0U);
}

TEST_F(Reserve, ThatIsHalfMadeIsMadeAnew) {
  ASSERT_TRUE(files.open(kPath, os::OpenMode::create).value()->write_at(0, "half"));
  start(4 * kMiB);
  look(100 * kMiB);
  EXPECT_EQ(bytes(), kMiB);
}

TEST_F(Reserve, ThatCannotBeMadeLeavesNothingAndIsTriedAgain) {
  start(8 * kMiB);
  for (std::uint64_t call = 1; call <= 4; ++call) {
    files.fail_at(call, test::Fault::no_space);
    look(100 * kMiB);
    ASSERT_TRUE(files.fired()) << call;
    EXPECT_EQ(bytes(), 0U) << call;
  }
  files.no_faults();
  look(100 * kMiB);
  EXPECT_EQ(bytes(), 2 * kMiB);
}

TEST_F(Reserve, IsNotThereWithoutAFloor) {
  start(0);
  look(100 * kMiB);
  EXPECT_FALSE(files.facts(kPath));
}

}  // namespace
}  // namespace hookhost::app
