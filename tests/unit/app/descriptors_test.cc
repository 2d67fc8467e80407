// How descriptors are shared out between clients and deliveries.
#include "app/descriptors.h"

#include <gtest/gtest.h>

namespace hookhost::app {
namespace {

TEST(Descriptors, WhereThereAreEnoughEverybodyHasAll) {
  const auto enough = share_out(descriptors_wanted(10'000), 10'000);
  EXPECT_EQ(enough.requests_max, 4'096U);
  EXPECT_EQ(share_out(1'048'576, 10'000).requests_max, 4'096U);
  EXPECT_EQ(descriptors_wanted(10'000), enough.of_others + 10'000U + 64U);
}

TEST(Descriptors, WhereThereAreFewClientsHaveMostAndDeliveriesSome) {
  for (const std::uint64_t limit : {600, 1'024, 4'096, 8'192}) {
    const auto few = share_out(limit, 10'000);
    const std::uint64_t clients = limit - few.of_others;
    EXPECT_GE(few.requests_max, 9U) << limit;
    EXPECT_GE(clients, 3 * 4 * few.requests_max) << limit;
  }
  EXPECT_GE(share_out(4'096, 100).requests_max, 800U) << "what clients do not want is for deliveries";
}

TEST(Descriptors, WhereThereAreTooFewOneDeliveryIsMadeAtATime) {
  for (const std::uint64_t limit : {0, 64, 448}) EXPECT_EQ(share_out(limit, 10'000).requests_max, 1U) << limit;
}

}  // namespace
}  // namespace hookhost::app
