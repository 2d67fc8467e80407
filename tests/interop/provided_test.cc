// A broken install must not pass for a machine without a network: real npm, with a registry that nobody listens on and with files that cannot be read.
#include "interop/node_libraries.h"

namespace hookhost::test {
namespace {

class Install : public testing::Test {
 protected:
  void SetUp() override {
    if (program("node").empty() || program("npm").empty()) GTEST_SKIP() << "node or npm is not installed";
    write_text(folder_ / "package.json", R"({"name":"a","version":"1.0.0","dependencies":{"left":"1.0.0"}})");
  }
  // With a registry that nobody listens on.
  [[nodiscard]] Provided install() const {
    return NodeLibraries::install(folder_.path(), {"--fetch-retries=0", "--cache=" + folder_ / "cache", "--registry=http://127.0.0.1:" + std::to_string(free_port()) + "/"});
  }
  TempDir folder_;
};

TEST_F(Install, WithoutARegistryIsSkipped) {
  write_text(folder_ / "package-lock.json", R"({"name":"a","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{"":{"name":"a","version":"1.0.0","dependencies":{"left":"1.0.0"}},)"
                                            R"("node_modules/left":{"version":"1.0.0","integrity":"sha512-AAAA"}}})");
  const Provided got = install();
  EXPECT_EQ(got.kind, Provided::Kind::absent) << got.why;
}

TEST_F(Install, OfABrokenFolderIsAFailure) {
  write_text(folder_ / "package-lock.json", "{");
  const Provided got = install();
  EXPECT_EQ(got.kind, Provided::Kind::broken) << got.why;
}

}  // namespace
}  // namespace hookhost::test
