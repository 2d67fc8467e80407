#include "app/config_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "support/temp_dir.h"
#include "support/tls_client.h"

namespace hookhost::app {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigCheck : public testing::Test {
 protected:
  std::vector<std::string> problems(const std::string& text) {
    const auto config = config::parse(text, directory_ / "hookhost.yaml", {});
    if (!config) return {"unreadable: " + config.error().message};
    return problems_of(config.value());
  }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name) << text; }

  test::TempDir directory_;
};

TEST_F(ConfigCheck, SecretsThatAreNoKeyAreNamedWithTheirPlaceAndNotSaid) {
  const auto found = problems("sources:\n  good: {scheme: standard-webhooks, secrets: [\"plain text\", \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"]}\n"
                              "  bad: {scheme: standard-webhooks, secrets: [good, \"whsec_!!\"]}\n"
                              "  github: {scheme: github, secrets: [\"whsec_!!\"]}\n");
  ASSERT_THAT(found, ElementsAre(AllOf(HasSubstr("hookhost.yaml:3:8: sources.bad.secrets[1]: "), HasSubstr("Base64 of 24 to 64 bytes"))));
  EXPECT_THAT(found[0], Not(HasSubstr("!!")));
}

TEST_F(ConfigCheck, EndpointsThatCannotBeAreNamedWithTheirPlace) {
  const auto with = [&](const std::string& more) { return problems("endpoints:\n  a: {url: \"https://example.com/\", events: [\"*\"]" + more + "}\n"); };
  EXPECT_THAT(with(""), IsEmpty());
  EXPECT_THAT(with(", proxy: \"http://proxy.example.com:3128\""), IsEmpty());
  const std::string place = "hookhost.yaml:2:6: endpoints.a";
  EXPECT_THAT(with(", secrets: [\"whsec_!!\"]"), ElementsAre(AllOf(HasSubstr(place), HasSubstr("whsec_"))));
  EXPECT_THAT(with(", proxy: \"no url at all\""), ElementsAre(AllOf(HasSubstr(place), HasSubstr("proxy"))));
  EXPECT_THAT(with(", headers: {\"no name\": x}"), ElementsAre(AllOf(HasSubstr(place), HasSubstr("'no name'"))));
  EXPECT_THAT(with(", tls: {ca: missing.pem}"), ElementsAre(AllOf(HasSubstr(place + ".tls.ca: "), HasSubstr("missing.pem"))));
}

TEST_F(ConfigCheck, CertificatesAreReadAndBelongToTheirKeys) {
  const auto one = test::make_test_certificate(), other = test::make_test_certificate();
  write("one.pem", one.certificate);
  write("one.key", one.key);
  write("other.key", other.key);
  const auto listen = [&](const std::string& key) { return problems("listen:\n  tls: {certificate: one.pem, key: " + key + "}\n"); };
  EXPECT_THAT(listen("one.key"), IsEmpty());
  EXPECT_THAT(listen("other.key"), ElementsAre(AllOf(HasSubstr("hookhost.yaml:2:8: listen.tls: "), HasSubstr("does not belong"))));
  EXPECT_THAT(listen("missing.key"), ElementsAre(HasSubstr("missing.key")));
  EXPECT_THAT(problems("endpoints: {a: {url: \"https://example.com/\", events: [\"*\"], tls: {certificate: one.pem, key: other.key}}}"),
              ElementsAre(AllOf(HasSubstr("endpoints.a.tls: "), HasSubstr("does not belong"))));
}

TEST_F(ConfigCheck, AFileOfAuthoritiesHoldsACertificate) {
  const auto one = test::make_test_certificate();
  const std::string begin = "-----BEGIN CERTIFICATE-----\n";
  const auto with = [&](const std::string& pem) {
    write("ca.pem", pem);
    return problems("endpoints: {a: {url: \"https://example.com/\", events: [\"*\"], tls: {ca: ca.pem}}}");
  };
  EXPECT_THAT(with(one.certificate), IsEmpty());
  EXPECT_THAT(with("# two\n" + one.certificate + one.certificate), IsEmpty());
  for (const std::string& none : {std::string(), std::string("no certificate"), one.key, begin + "AAAA\n-----END CERTIFICATE-----\n", one.certificate + begin + "AAAA\n"}) {
    EXPECT_THAT(with(none), ElementsAre(AllOf(HasSubstr("endpoints.a.tls.ca: "), HasSubstr("no PEM certificate")))) << none;
  }
}

TEST_F(ConfigCheck, AKeyOfTwoTeamsIsNobodys) {
  EXPECT_THAT(problems("teams: {a: {api_keys: [x1, x2]}, b: {api_keys: [x3]}}"), IsEmpty());
  EXPECT_THAT(problems("teams: {a: {api_keys: [x1, x2]}, b: {api_keys: [x3, x2]}}"), ElementsAre(AllOf(HasSubstr("teams.b.api_keys[1]: "), HasSubstr("team a"), Not(HasSubstr("x2")))));
}

TEST_F(ConfigCheck, TellsAllProblemsAtOnce) {
  const auto config = config::parse("sources: {s: {scheme: standard-webhooks, secrets: [\"whsec_!!\"]}}\nendpoints: {e: {url: \"http://example.com/\", events: [\"*\"]}}",
                                    directory_ / "hookhost.yaml", {});
  ASSERT_TRUE(config);
  const auto checked = check_config(config.value());
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::invalid_config);
  EXPECT_THAT(checked.error().message, AllOf(HasSubstr("sources.s"), HasSubstr("\n"), HasSubstr("endpoints.e")));
}

}  // namespace
}  // namespace hookhost::app
