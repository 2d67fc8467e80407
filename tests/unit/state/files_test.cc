#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "state/batch_writer.h"
#include "state/database_file.h"
#include "state/delivery_store.h"
#include "state/reads.h"
#include "state/registry.h"
#include "state/schema.h"
#include "state/sqlite.h"
#include "support/poll.h"
#include "support/temp_dir.h"

namespace hookhost::state {
namespace {

class FilesTest : public testing::Test {
 protected:
  // And a check says the same before.
  Error opening_fails() {
    const auto checked = check_delivery_file(path_);
    EXPECT_FALSE(checked);
    auto opened = DeliveryStore::open(path_);
    EXPECT_FALSE(opened);
    if (!checked && !opened) {
      EXPECT_EQ(checked.error().message, opened.error().message);
    }
    return opened ? Error{} : opened.error();
  }
  void run(const char* sql) { ASSERT_TRUE(Database::open(path_, Database::Mode::read_write).value().execute(sql)); }
  static mode_t mode(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
    return facts.st_mode & 07777;
  }

  test::TempDir directory_;
  const std::string path_ = directory_ / "delivery.db";
};

TEST_F(FilesTest, AreTheOwnersAlone) {
  const mode_t before = ::umask(0);
  {
    const auto store = DeliveryStore::open(path_).value();
    ASSERT_TRUE(store->commit_now({.subscriber = SubscriberId{"a"}, .kv = {{"k", "v"}}}));
    for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode(path_ + suffix), 0600U) << suffix;
    ASSERT_TRUE(Registry::open(directory_ / "registry.db", true));
    EXPECT_EQ(mode(directory_ / "registry.db"), 0600U);
  }
  ::umask(before);
}

TEST_F(FilesTest, AnEmptyFileIsVersionZeroAndIsBroughtUpToDate) {
  std::ofstream(path_).close();
  EXPECT_TRUE(DeliveryStore::open(path_, true).value()->positions_lost()) << "it is as good as missing";
}

TEST_F(FilesTest, OfANewerHookhostAreNotTouched) {
  EXPECT_TRUE(DeliveryStore::open(path_));
  run("PRAGMA user_version=99");
  const Error error = opening_fails();
  EXPECT_EQ(error.code, ErrorCode::not_supported);
  EXPECT_NE(error.message.find("newer hookhost"), std::string::npos);
}

TEST_F(FilesTest, OfSomethingElseAreNotTouched) {
  run("CREATE TABLE theirs (a)");
  EXPECT_EQ(opening_fails().code, ErrorCode::corrupt);
  std::filesystem::remove(path_);
  ASSERT_TRUE(Registry::open(path_, true));  // ours, but not this one
  EXPECT_EQ(opening_fails().code, ErrorCode::corrupt);
}

TEST_F(FilesTest, WithoutATableOrAColumnSayWhichIsMissing) {
  EXPECT_TRUE(DeliveryStore::open(path_));
  EXPECT_TRUE(check_delivery_file(path_));
  run("ALTER TABLE lane DROP COLUMN last_error");
  EXPECT_EQ(opening_fails().message, "delivery.db lacks lane.last_error; restore a copy of it");
  run("DROP TABLE kv");
  EXPECT_EQ(opening_fails().message, "delivery.db lacks kv.key; restore a copy of it");
}

TEST_F(FilesTest, WithAVersionThatTheirTablesDoNotHaveSaySo) {
  EXPECT_TRUE(DeliveryStore::open(path_));
  for (const char* none : {"0", "-1"}) {
    run((std::string("PRAGMA user_version=") + none).c_str());
    const std::string said = std::string("delivery.db says that it is of version ") + none + ", which no hookhost has made; restore a copy of it";
    EXPECT_EQ(opening_fails().message, said);
  }
  run("PRAGMA user_version=4");
  EXPECT_EQ(opening_fails().message, "delivery.db says that it is of version 4, and has attempts.at of a later one; restore a copy of it");
  run("DROP TABLE attempts");
  EXPECT_EQ(opening_fails().message, "delivery.db lacks attempt.answer; restore a copy of it");
  run("CREATE TABLE attempt (subscriber, stream, offset, id, type, attempt, at, took, outcome, error, http_status, answer)");
  EXPECT_EQ(opening_fails().message, "delivery.db lacks attempt_place; restore a copy of it");
  run("CREATE INDEX attempt_place ON attempt (subscriber, offset)");
  EXPECT_TRUE(check_delivery_file(path_));
  EXPECT_TRUE(DeliveryStore::open(path_)) << "it was good";
}

TEST_F(FilesTest, WithADirectoryBesideThemSayWhatToDo) {
  EXPECT_TRUE(DeliveryStore::open(path_));
  for (const char* beside : {"-wal", "-shm", "-journal"}) {
    std::filesystem::create_directory(path_ + beside);
    EXPECT_EQ(opening_fails().message, path_ + beside + " is there, but no file; move it away");
    std::filesystem::remove(path_ + beside);
  }
}

TEST_F(FilesTest, ThatAreNoDatabaseSayWhatToDo) {
  std::ofstream(path_) << std::string(8192, 'x');
  const Error error = opening_fails();
  EXPECT_EQ(error.code, ErrorCode::corrupt);
  EXPECT_NE(error.message.find("move it away"), std::string::npos) << error.message;
  EXPECT_NE(error.message.find(path_), std::string::npos) << error.message;
}

TEST_F(FilesTest, WithADamagedHeaderPageSayWhatToDo) {
  { ASSERT_TRUE(DeliveryStore::open(path_).value()->commit_now({.subscriber = SubscriberId{"a"}, .kv = {{"k", "v"}}})); }
  std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file << std::string(3000, '\xee');
  file.close();
  EXPECT_EQ(opening_fails().code, ErrorCode::corrupt);
}

TEST_F(FilesTest, ADirectoryThatIsMissingIsAnError) {
  EXPECT_FALSE(DeliveryStore::open(directory_ / "no/such/delivery.db"));
}

TEST_F(FilesTest, AnInterruptedFirstStartIsBegunAgain) {
  {
    auto database = Database::open(path_, Database::Mode::read_write).value();
    auto transaction = Transaction::begin(database).value();
    ASSERT_TRUE(database.execute("CREATE TABLE meta (name TEXT)"));
  }
  EXPECT_TRUE(DeliveryStore::open(path_, true).value()->positions_lost());
}

TEST_F(FilesTest, MadeBesideAnEventLogPositionsAreLostUntilTheyAreSettled) {
  constexpr WallTime kSettled{std::chrono::seconds{1'800'000'000}};
  EXPECT_TRUE(DeliveryStore::open(path_, true).value()->positions_lost());
  {
    const auto again = DeliveryStore::open(path_, true).value();
    EXPECT_TRUE(again->positions_lost()) << "a start that came to nothing settles nothing";
    EXPECT_FALSE(again->positions_settled_at());
    ASSERT_TRUE(again->settle_positions(kSettled));
    EXPECT_FALSE(again->positions_lost());
    EXPECT_EQ(again->positions_settled_at(), kSettled);
    ASSERT_TRUE(again->settle_positions(kSettled + std::chrono::hours{1}));
  }
  const auto later = DeliveryStore::open(path_, true).value();
  EXPECT_FALSE(later->positions_lost());
  EXPECT_EQ(later->positions_settled_at(), kSettled) << "once";
}

TEST_F(FilesTest, MadeBeforeAnythingWasAppendedNoPositionIsLost) {
  EXPECT_FALSE(DeliveryStore::open(path_).value()->positions_lost());
  EXPECT_FALSE(DeliveryStore::open(path_, true).value()->positions_lost()) << "events came since";
  EXPECT_FALSE(DeliveryStore::open(path_).value()->positions_settled_at());
}

// Where nobody commits anything, an event log that has vanished is missed as well.
TEST_F(FilesTest, ADurableEndReachesThemByItself) {
  {
    const auto store = DeliveryStore::open(path_).value();
    auto looking = Database::open(path_, Database::Mode::read_only).value();
    store->note_durable_end(Offset{8});
    EXPECT_TRUE(test::poll_until([&] { return reads::meta(looking, kDurableEndName).value() == 8; }));
    store->note_durable_end(Offset{7});
    store->note_durable_end(Offset{9});
  }
  EXPECT_EQ(kept_in(path_).value().durable_end, Offset{9}) << "what waits is committed at the end";
}

TEST_F(FilesTest, TellWhoHasAPositionInThem) {
  EXPECT_EQ(kept_in(path_).error().code, ErrorCode::not_found);
  EXPECT_TRUE(DeliveryStore::open(path_, true));
  EXPECT_TRUE(kept_in(path_).value().positions_lost);
  EXPECT_TRUE(kept_in(path_).value().kinds.empty());
  {
    const auto store = DeliveryStore::open(path_).value();
    ASSERT_TRUE(store->settle_positions(WallTime{std::chrono::seconds{1'800'000'000}}));
    ASSERT_TRUE(store->commit_now({.subscriber = SubscriberId{"a"}, .row = SubscriberRow{.id = SubscriberId{"a"}, .kind = "plugin"}}));
  }
  EXPECT_FALSE(kept_in(path_).value().positions_lost);
  EXPECT_EQ(kept_in(path_).value().kinds, (std::map<SubscriberId, std::string>{{SubscriberId{"a"}, "plugin"}}));
  run("UPDATE subscriber SET done=x'ff'");
  EXPECT_EQ(kept_in(path_).error().code, ErrorCode::corrupt);
}

class RegistryTest : public testing::Test {
 protected:
  test::TempDir directory_;
  const std::string path_ = directory_ / "registry.db";
};

TEST_F(RegistryTest, IsMadeOnceAndMissedAfterwards) {
  const auto missing = Registry::open(path_, false);
  ASSERT_FALSE(missing);
  EXPECT_EQ(check_registry_file(path_, false).error().message, missing.error().message);
  EXPECT_TRUE(check_registry_file(path_, true));
  EXPECT_EQ(missing.error().code, ErrorCode::not_found);
  EXPECT_NE(missing.error().message.find("--new-registry"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(path_)) << "asking does not make it";
  EXPECT_TRUE(Registry::open(path_, true).value()->created());
  EXPECT_FALSE(Registry::open(path_, false).value()->created());
}

TEST_F(RegistryTest, AnEmptyFileRegistersNothingEither) {
  std::ofstream(path_).close();
  EXPECT_EQ(Registry::open(path_, false).error().code, ErrorCode::not_found);
  EXPECT_EQ(check_registry_file(path_, false).error().code, ErrorCode::not_found);
  EXPECT_TRUE(check_registry_file(path_, true));
}

TEST_F(RegistryTest, ThatIsDamagedIsNotTakenForAMissingOne) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(Registry::open(path_, false).error().code, ErrorCode::corrupt);
  EXPECT_EQ(Registry::open(path_, true).error().code, ErrorCode::corrupt);
}

}  // namespace
}  // namespace hookhost::state
