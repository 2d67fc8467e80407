// Who may have how many of the requests that are open at once.
#include "endpoints/open_requests.h"

#include <gtest/gtest.h>

#include <vector>

namespace hookhost::endpoints {
namespace {

// Takes as many as it is given.
std::size_t take_all(OpenRequests& open) {
  std::size_t own = 0;
  while (open.take(own)) ++own;
  return own;
}

TEST(OpenRequests, OneThatIsAloneHasItsShareAndIsNotRefusedWithinIt) {
  for (const std::size_t max : {1, 4, 9, 100, 4'096}) {
    OpenRequests open(max);
    EXPECT_GE(take_all(open), open.of_one_max()) << max;
  }
}

TEST(OpenRequests, ThoseThatHangLeaveHundredsTheirFirstAndNeverAreMoreOpenThanMayBe) {
  constexpr std::size_t kMax = 4'096;
  OpenRequests open(kMax);
  std::size_t all = 0;
  for (int n = 0; n < 500; ++n) {
    const std::size_t own = take_all(open);
    EXPECT_GE(own, 1U) << "number " << n;
    all += own;
  }
  EXPECT_LE(all, kMax);
  for (std::size_t n = all; n < kMax; ++n) EXPECT_TRUE(open.take(0));
  EXPECT_FALSE(open.take(0)) << "nothing is free";
  open.give_back();
  EXPECT_TRUE(open.take(0));
}

}  // namespace
}  // namespace hookhost::endpoints
