#include "state/attempts.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <random>
#include <thread>
#include <tuple>

#include "base/bytes.h"
#include "state/attempt_code.h"
#include "state/sqlite.h"
#include "support/poll.h"
#include "unit/state/store_fixture.h"

namespace hookhost::state {
namespace {

AttemptRow plain(std::uint64_t offset) {
  return {.offset = Offset{offset}, .id = EventId{"evt_" + std::to_string(offset)}, .type = "push", .at = from_unix_ns(static_cast<std::int64_t>(offset)), .outcome = "ok"};
}

void expect_same(const std::vector<AttemptRow>& left, const std::vector<AttemptRow>& right) {
  ASSERT_EQ(left.size(), right.size());
  for (std::size_t n = 0; n < left.size(); ++n) {
    const AttemptRow &one = left[n], &other = right[n];
    EXPECT_EQ(std::tie(one.stream, one.offset, one.id, one.type, one.attempt, one.at, one.took, one.outcome, one.error, one.http_status, one.answer),
              std::tie(other.stream, other.offset, other.id, other.type, other.attempt, other.at, other.took, other.outcome, other.error, other.http_status, other.answer))
        << "row " << n;
  }
}

TEST(AttemptCode, RoundTripsRandomRows) {
  const auto seed = test::seed();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::mt19937_64 random(seed);
  const auto pick = [&](std::uint64_t most) { return std::uniform_int_distribution<std::uint64_t>(0, most)(random); };
  const std::array<std::uint64_t, 5> numbers{0, 1, 300, INT64_MAX, UINT64_MAX};
  const auto number = [&] { return pick(1) == 0 ? pick(1'000'000) : numbers.at(pick(4)); };
  const std::array<std::string, 5> texts{"", "a", std::string("\0\xff", 2), std::string(127, 'x'), std::string(1024, 'y')};
  const auto text = [&] { return texts.at(pick(4)); };
  for (int round = 0; round < 300; ++round) {
    std::vector<AttemptRow> rows(pick(20));
    for (auto& row : rows) {
      row = {.stream = number(), .offset = Offset{number()}, .id = EventId{text()}, .type = text(), .attempt = static_cast<std::uint32_t>(number())};
      row.at = from_unix_ns(static_cast<std::int64_t>(number()));
      row.took = Duration{static_cast<std::int64_t>(number())};
      row.outcome = text();
      row.error = text();
      row.http_status = static_cast<int>(number());
      row.answer = text();
    }
    const std::string bytes = encode_attempts(rows);
    const auto back = decode_attempts(bytes);
    ASSERT_TRUE(back);
    expect_same(*back, rows);
    // Whatever is cut off is missed, unless it is cut between two rows.
    if (bytes.empty()) continue;
    const auto cut = decode_attempts(std::string_view(bytes).substr(0, pick(bytes.size() - 1)));
    if (cut) {
      EXPECT_LT(cut->size(), rows.size());
    }
  }
}

TEST(AttemptCode, KeepsAKilobyteOfErrorsAndAnswers) {
  AttemptRow row = plain(1);
  row.error = row.answer = std::string(5'000, 'x');
  const auto back = decode_attempts(encode_attempts(std::array{row, row})).value();
  for (const auto& one : back) {
    EXPECT_EQ(one.error, std::string(1024, 'x'));
    EXPECT_EQ(one.answer, std::string(1024, 'x'));
  }
}

TEST(AttemptCode, RefusesWhatItNeverWrote) {
  EXPECT_FALSE(decode_attempts("\x80"));
  EXPECT_FALSE(decode_attempts(std::string_view("\0\0\1\0\0\0\x7f", 7))) << "a text longer than what is left";
}

// What is kept must be readable by every later version.
TEST(AttemptCode, IsWhatItWas) {
  AttemptRow second = plain(3);
  second.stream = 300;
  second.attempt = 2;
  second.took = Duration{-1};
  second.http_status = 503;
  second.outcome = "retry";
  second.error = "no";
  second.answer = "busy";
  const std::string bytes = encode_attempts(std::array{plain(5), second});
  EXPECT_EQ(to_hex(bytes), "000a010a0000066576745f35" "0570757368" "036f6b" "0000" "ac0203020301ee07066576745f33" "00" "067265747279" "036e6f" "0562757379");
  expect_same(decode_attempts(bytes).value(), {plain(5), second});
}

// A repeated text or a near number is worth its little code.
TEST(AttemptCode, AnOrdinaryDeliveryTakesFewBytes) {
  std::vector<AttemptRow> rows;
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    rows.push_back({.offset = Offset{1'000'000 + n}, .id = EventId{"evt_01KA" + std::to_string(10'000'000'000'000'000ULL + n)}, .type = "linkedin.message.received",
                    .at = from_unix_ns(1'764'000'000'000'000'000 + static_cast<std::int64_t>(n) * 25'000), .took = Duration{400'000}, .outcome = "ok", .http_status = 202});
  }
  EXPECT_LT(encode_attempts(rows).size() / rows.size(), 48U);
}

class AttemptsTest : public DeliveryStoreTest {
 protected:
  void prune(WallTime before) {
    for (;;) {
      const auto more = store_->prune_attempts(before);
      ASSERT_TRUE(more) << more.error().message;
      if (!more.value()) return;
    }
  }
  std::vector<std::uint64_t> offsets(const AttemptQuery& query, const std::string& of = "crm") {
    std::vector<std::uint64_t> out;
    const auto attempts = store_->attempts(SubscriberId{of}, query).value();
    for (const auto& one : attempts) out.push_back(one.offset.value);
    return out;
  }
};

TEST_F(AttemptsTest, OfManyBatchesAndSubscribersAreFoundTheNewestFirst) {
  for (std::uint64_t n = 0; n < 50; ++n) {
    for (const char* name : {"crm", "other"}) {
      Batch one{.subscriber = SubscriberId{name}};
      // 600 rows of one batch do not fit into one piece; the offsets of batches overlap, as retries do.
      for (std::uint64_t row = 0; row < (n == 20 ? 600 : 3); ++row) one.attempts.push_back(plain(10 * n + row));
      commit(one);
    }
  }
  const auto all = offsets({});
  ASSERT_EQ(all.size(), 49 * 3 + 600U);
  EXPECT_EQ(all.front(), 492U);
  EXPECT_EQ(all.back(), 0U);
  EXPECT_EQ(offsets({.limit = 4}), (std::vector<std::uint64_t>{492, 491, 490, 482}));
  EXPECT_EQ(offsets({.offset = Offset{482}}), (std::vector<std::uint64_t>{482, 482}));
  EXPECT_EQ(offsets({.offset = Offset{482}, .limit = 1}), (std::vector<std::uint64_t>{482}));
  EXPECT_EQ(offsets({.id = EventId{"evt_301"}}, "other"), (std::vector<std::uint64_t>{301, 301}));
  EXPECT_TRUE(offsets({.offset = Offset{9'999}}).empty());
  EXPECT_TRUE(offsets({}, "nobody").empty());
}

TEST_F(AttemptsTest, ThatCannotBeReadAreSaidToBeSo) {
  Batch one = batch();
  one.attempts = {plain(1)};
  commit(one);
  ASSERT_TRUE(Database::open(directory_ / "delivery.db", Database::Mode::read_write).value().execute("UPDATE attempts SET rows=x'80'"));
  const auto read = store_->attempts(id_, {});
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
}

TEST_F(AttemptsTest, OfAnOlderFileAreTakenOver) {
  store_.reset();
  const std::string path = directory_ / "delivery.db";
  {
    auto older = Database::open(path, Database::Mode::read_write).value();
    ASSERT_TRUE(older.execute("DROP TABLE attempts; PRAGMA user_version=4;"
                              "CREATE TABLE attempt (subscriber TEXT NOT NULL, stream INTEGER NOT NULL, offset INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL, "
                              "attempt INTEGER NOT NULL, at INTEGER NOT NULL, took INTEGER NOT NULL, outcome TEXT NOT NULL, error TEXT NOT NULL, "
                              "http_status INTEGER NOT NULL DEFAULT 0, answer BLOB NOT NULL DEFAULT x''); CREATE INDEX attempt_place ON attempt (subscriber, offset);"
                              "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i<89999) INSERT INTO attempt "
                              "SELECT iif(i%3=0,'crm','other'||(i%400)), 0, i, 'evt_'||i, 'push', 2, 1000+i, 5, 'retry', 'no', 500, 'sorry' FROM n"));
  }
  open();
  // Many of one are written as they come, those of many with few each when there are enough of them.
  EXPECT_EQ(offsets({}).size(), 30'000U);
  const auto others = offsets({}, "other7");
  EXPECT_EQ(others.size(), 150U);
  EXPECT_TRUE(std::ranges::is_sorted(others, std::greater<>{}));
  const auto last = store_->attempts(id_, {.limit = 1}).value().at(0);
  expect_same({last}, {{.offset = Offset{89'997}, .id = EventId{"evt_89997"}, .type = "push", .attempt = 2, .at = from_unix_ns(90'997), .took = Duration{5}, .outcome = "retry", .error = "no", .http_status = 500, .answer = "sorry"}});
  EXPECT_EQ(offsets({.offset = Offset{300}}), (std::vector<std::uint64_t>{300}));
  open();
  EXPECT_EQ(offsets({}).size(), 30'000U) << "once";
}

TEST_F(AttemptsTest, OldOnesGoWithTheNewestOfTheirBatch) {
  for (std::uint64_t n = 0; n < 1'000; ++n) {
    Batch one = batch();
    one.attempts = {plain(2 * n), plain(2 * n + 1)};
    commit(one);
  }
  prune(from_unix_ns(1'501));
  EXPECT_EQ(offsets({}).back(), 1'500U) << "its neighbour is not old enough";
  EXPECT_EQ(offsets({}).size(), 500U);
}

// Fewer than are looked at for old ones.
TEST_F(AttemptsTest, OfAClockThatWasWrongKeepNoOthersFromGoing) {
  const auto write = [&](std::uint64_t offset) {
    Batch one = batch();
    one.attempts = {plain(offset)};
    commit(one);
  };
  for (std::uint64_t n = 0; n < 900; ++n) write(1'000'000);
  for (std::uint64_t n = 0; n < 300; ++n) write(n);
  prune(from_unix_ns(1'000));
  EXPECT_EQ(offsets({}).size(), 900U);
}

TEST_F(AttemptsTest, OfOneThatIsForgottenAreNeverTakenForThoseOfAnother) {
  std::atomic<bool> ends{false};
  std::thread writer([&] {
    for (int round = 0; round < 100; ++round) {
      Batch many = batch();  // in several rows, so that reading them takes a while; the last to be read has the place that the other one's will have
      for (std::uint64_t n = 0; n < 1'500; ++n) many.attempts.push_back(plain(1));
      commit(std::move(many));
      commit(Batch{.subscriber = id_, .forget = true});
      Batch one{.subscriber = SubscriberId{"other"}};
      one.attempts = {plain(2)};
      commit(one);
      commit(Batch{.subscriber = one.subscriber, .forget = true});
    }
    ends = true;
  });
  std::size_t of_others = 0;
  while (!ends) {
    for (const auto offset : offsets({})) of_others += offset == 1 ? 0 : 1;
  }
  writer.join();
  EXPECT_EQ(of_others, 0U);
}

class PatientTest : public DeliveryStoreTest {
 protected:
  // Nobody is written before somebody hurries, or there are enough.
  void SetUp() override { store_ = DeliveryStore::open(path_, false, std::chrono::hours{1}).value(); }
  void commit(std::uint64_t number, bool patient) {
    Batch one = batch();
    one.patient = patient;
    one.attempts = {plain(number)};
    store_->commit(std::move(one), [this, number](const Result<>& done) {
      EXPECT_TRUE(done);
      const std::scoped_lock lock(mutex_);
      done_.push_back(number);
    });
  }
  std::vector<std::uint64_t> done() {
    const std::scoped_lock lock(mutex_);
    return done_;
  }
  bool are_done(std::size_t count) {
    return test::poll_until([&] { return done().size() == count; });
  }

  const std::string path_ = directory_ / "delivery.db";
  std::mutex mutex_;
  std::vector<std::uint64_t> done_;
};

TEST_F(PatientTest, BatchesAreWrittenWithTheFirstThatHurries) {
  commit(1, true);
  commit(2, true);
  EXPECT_FALSE(test::poll_until([&] { return !done().empty(); }, std::chrono::milliseconds{50}));
  commit(3, false);
  ASSERT_TRUE(are_done(3));
  EXPECT_EQ(done(), (std::vector<std::uint64_t>{1, 2, 3}));
  commit(4, false);
  EXPECT_TRUE(are_done(4)) << "nobody waits for it";
}

TEST_F(PatientTest, BatchesAreWrittenWhenThereAreEnoughOfThemAndAtTheEnd) {
  for (std::uint64_t n = 0; n < 64; ++n) commit(n, true);
  ASSERT_TRUE(are_done(64));
  commit(64, true);
  store_.reset();
  EXPECT_EQ(done().size(), 65U);
}

TEST_F(PatientTest, ABatchAloneWaitsNoLongerThanTheGathering) {
  store_.reset();
  store_ = DeliveryStore::open(path_, false, std::chrono::milliseconds{1}).value();
  commit(1, true);
  EXPECT_TRUE(are_done(1));
}

}  // namespace
}  // namespace hookhost::state
