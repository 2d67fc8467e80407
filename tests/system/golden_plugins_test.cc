// Plugin binaries of earlier ABI minors, never rebuilt, in today's host.
#include "system/journal.h"

namespace hookhost::test {
namespace {

class GoldenPlugins : public SystemTest, public testing::WithParamInterface<const char*> {};

TEST_P(GoldenPlugins, AreLoadedAndHandleAnEvent) {
  const std::string name = GetParam();
  std::filesystem::copy(paths::source() + "/tests/golden/plugins_abi_1_0/" + name + ".so", host.path(name + ".so"));
  std::filesystem::permissions(host.path(name + ".so"), std::filesystem::perms{0700});
  host.plugins["old"] = "{library: ../" + name + ".so, required: true}";
  ASSERT_TRUE(host.start());
  ASSERT_FALSE(KakiyoSender(host.public_port()).send(message("chat_1", 1)).empty());
  ASSERT_TRUE(host.catches_up("old"));
  EXPECT_EQ(host.subscriber("old").at("outcomes").at("ok").to_number<int>(), 1) << host.diagnostics();
  EXPECT_NE(host.diagnostics().find(name == "echo_c" ? "message 1" : "Hello, prospect_chat_1"), std::string::npos) << "its own line";
  EXPECT_EQ(host.terminate(), 0) << host.diagnostics();
}

TEST_P(GoldenPlugins, AreTestedByTheirPathAlone) {
  const std::string name = GetParam();
  std::filesystem::copy(paths::source() + "/tests/golden/plugins_abi_1_0/" + name + ".so", host.path(name + ".so"));
  std::filesystem::permissions(host.path(name + ".so"), std::filesystem::perms{0700});
  const Ran ran = host.run({"plugin", "test", host.path(name + ".so"), "--type", "linkedin.message.received", "--json"});
  EXPECT_EQ(ran.status, 0) << ran;
  const auto steps = ran.objects();
  ASSERT_EQ(steps.size(), 4U) << ran;
  EXPECT_EQ(steps[1].at("type").as_string(), "linkedin.message.received");
  EXPECT_EQ(steps[1].at("outcome").as_string(), "ok");
}
INSTANTIATE_TEST_SUITE_P(Abi10, GoldenPlugins, testing::Values("echo_c", "hello_cpp"), [](const auto& one) { return std::string(one.param); });

}  // namespace
}  // namespace hookhost::test
