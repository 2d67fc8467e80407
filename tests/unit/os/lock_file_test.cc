#include "os/lock_file.h"

#include <gmock/gmock.h>

#include <future>
#include <optional>
#include <thread>

#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::os {
namespace {

using namespace std::chrono_literals;

class Lock : public testing::Test {
 protected:
  test::TempDir directory;
  const std::string path = directory / "LOCK";
};

TEST_F(Lock, IsHeldByOneAndTheOtherIsToldWhere) {
  std::optional<LockFile> first(LockFile::acquire(path, 0s).value());
  const auto second = LockFile::acquire(path, 0s);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::busy);
  EXPECT_THAT(second.error().message, testing::HasSubstr(path));
  LockFile moved(std::move(*first));
  first.reset();
  EXPECT_FALSE(LockFile::acquire(path, 0s)) << "who moved it holds it";
}

TEST_F(Lock, EndsWithItsObjectAndTheFileMayStay) {
  { ASSERT_TRUE(LockFile::acquire(path, 0s)); }
  EXPECT_TRUE(LockFile::acquire(path, 0s));
}

TEST_F(Lock, IsWaitedForWithPatience) {
  std::optional<LockFile> first(LockFile::acquire(path, 0s).value());
  auto second = std::async(std::launch::async, [&] { return LockFile::acquire(path, 60s).has_value(); });
  EXPECT_EQ(second.wait_for(50ms), std::future_status::timeout);
  first.reset();
  EXPECT_TRUE(second.get());
}

TEST_F(Lock, InADirectoryThatIsMissingIsAnError) {
  const auto lock = LockFile::acquire(directory / "none/LOCK", 0s);
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, ErrorCode::io_error);
}

TEST_F(Lock, TheWordOfItsHolderCountsWhileItIsHeld) {
  const auto word = [&] { return LockFile::word_of_holder(path).value(); };
  EXPECT_EQ(word(), std::nullopt) << "no file";
  std::optional<LockFile> lock(LockFile::acquire(path, 0s).value());
  EXPECT_EQ(word(), "") << "held, and nothing said yet";
  ASSERT_TRUE(lock->say("a longer word"));
  ASSERT_TRUE(lock->say("here"));
  EXPECT_EQ(word(), "here");
  EXPECT_FALSE(LockFile::acquire(path, 0s));
  EXPECT_EQ(word(), "here") << "who does not get it changes nothing";
  lock.reset();
  EXPECT_EQ(word(), std::nullopt) << "as after a kill: the file stays";
  lock.emplace(LockFile::acquire(path, 0s).value());
  EXPECT_EQ(word(), "") << "the next holder has not spoken";
}

}  // namespace
}  // namespace hookhost::os
