// A delivery.db of the test's own, and short words for what a subscriber commits.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <utility>

#include "state/delivery_store.h"
#include "support/temp_dir.h"

namespace hookhost::state {

class DeliveryStoreTest : public testing::Test {
 protected:
  void SetUp() override { open(); }
  void open() {
    store_.reset();
    auto opened = DeliveryStore::open(directory_ / "delivery.db");
    ASSERT_TRUE(opened) << opened.error().message;
    store_ = std::move(opened.value());
  }

  static SubscriberRow row(std::uint64_t frontier = 0) {
    SubscriberRow out;
    out.id = SubscriberId{"crm"};
    out.kind = "plugin";
    out.position = {Offset{frontier}, {}};
    out.created_at = out.changed_at = from_unix_ns(1);
    return out;
  }
  static Batch batch() { return {.subscriber = SubscriberId{"crm"}}; }
  static ParkedRow letter(std::uint64_t offset, std::uint32_t run) {
    return {.offset = Offset{offset}, .id = EventId{"evt"}, .type = "push", .reason = "exhausted", .attempts = 3, .last_error = "no", .run = run, .event = "copy"};
  }
  void commit(Batch one) {
    const auto done = store_->commit_now(std::move(one));
    ASSERT_TRUE(done) << done.error().message;
  }
  Loaded load() { return store_->load(id_).value().value(); }

  const SubscriberId id_{"crm"};
  test::TempDir directory_;
  std::unique_ptr<DeliveryStore> store_;
};

}  // namespace hookhost::state
