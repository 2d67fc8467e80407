// Who may have how many of the requests that are open at once.
#include "endpoints/open_requests.h"

#include <gtest/gtest.h>

#include <vector>

namespace hookhost::endpoints {
namespace {

// Takes as many as it is given.
std::size_t take_all(OpenRequests& open, const std::string& party) {
  std::size_t own = 0;
  while (open.take(party, own)) ++own;
  return own;
}

TEST(OpenRequests, OneThatIsAloneHasItsShareAndIsNotRefusedWithinIt) {
  for (const std::size_t max : {1, 4, 9, 100, 4'096}) {
    OpenRequests open(max);
    EXPECT_GE(take_all(open, "alone"), open.of_one_max()) << max;
  }
}

TEST(OpenRequests, ThoseThatHangLeaveHundredsTheirFirstAndNeverAreMoreOpenThanMayBe) {
  constexpr std::size_t kMax = 4'096;
  OpenRequests open(kMax);
  std::size_t all = 0;
  for (int n = 0; n < 500; ++n) {
    const std::size_t own = take_all(open, std::to_string(n));
    EXPECT_GE(own, 1U) << "number " << n;
    all += own;
  }
  EXPECT_LE(all, kMax);
  for (std::size_t n = all; n < kMax; ++n) EXPECT_TRUE(open.take("late " + std::to_string(n), 0));
  EXPECT_FALSE(open.take("last", 0)) << "nothing is free";
  open.give_back("0", 1);
  EXPECT_TRUE(open.take("last", 0));
}

TEST(OpenRequests, ATeamWhoseEndpointsAllHangLeavesTheOthersTheirs) {
  OpenRequests open(1'000);
  const auto all_hang = [&](const std::string& team) {
    std::size_t all = 0;
    for (int endpoint = 0; endpoint < 1'000; ++endpoint) all += open.take(team, 0) ? 1 : 0;
    return all;
  };
  EXPECT_LE(all_hang("a"), 500U);
  EXPECT_LE(all_hang("b"), 250U);
  EXPECT_GE(take_all(open, "c"), 10U) << "one endpoint of another team";
}

TEST(OpenRequests, AnEndpointThatHangsLeavesThoseOfItsTeamTheirs) {
  OpenRequests open(1'000);
  EXPECT_LE(take_all(open, "a"), 200U);
  for (int endpoint = 0; endpoint < 100; ++endpoint) EXPECT_TRUE(open.take("a", 0)) << endpoint;
}

// A name server that does not answer keeps what libcurl's resolver needs, though the requests end sooner.
TEST(OpenRequests, OneWhoseNameIsStillLookedUpCountsForAsLongAsThatTakes) {
  using namespace std::chrono_literals;
  ManualClock clock;
  OpenRequests open(100, clock);
  const auto room = [&] {
    const std::size_t all = take_all(open, "a");
    open.give_back("a", all);
    return all;
  };
  const std::size_t all = room();
  EXPECT_EQ(take_all(open, "a"), all);
  open.give_back("a", all, all);
  const std::size_t beside = room();
  EXPECT_LT(beside, all) << "its share of what is left";
  clock.advance(29s);
  EXPECT_EQ(room(), beside);
  clock.advance(1s);
  EXPECT_EQ(room(), all);
}

}  // namespace
}  // namespace hookhost::endpoints
