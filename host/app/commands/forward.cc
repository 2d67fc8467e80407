#include <CLI/CLI.hpp>
#include <csignal>
#include <memory>
#include <thread>

#include "app/admin_client.h"
#include "app/printing.h"

namespace hookhost::app {
namespace {

namespace json = boost::json;

constexpr auto kKeepEvery = std::chrono::milliseconds{500};

volatile std::sig_atomic_t interrupted = 0;

std::uint64_t number(const json::object& object, const char* member) { return object.at(member).to_number<std::uint64_t>(); }

// Until Ctrl-C, which removes it, or the host's end.
CommandResult watch(const Context& context, AdminClient& client, const std::string& id) {
  const std::string path = "/api/forwards/" + id;
  std::uint64_t successes = 0, failures = 0;
  while (interrupted == 0) {
    HOOKHOST_TRY(const std::string text, client.call("POST", path + "/keep", "", "{}"));
    const json::value parsed = json::parse(text);
    const json::object& now = parsed.as_object();
    if (number(now, "successes") != successes || number(now, "failures") != failures) {
      successes = number(now, "successes");
      failures = number(now, "failures");
      if (context.json) context.out << text << std::endl;
      if (!context.json) context.out << successes << " delivered, " << failures << " attempts failed" << std::endl;
    }
    std::this_thread::sleep_for(kKeepEvery);
  }
  HOOKHOST_CHECK(client.call("DELETE", path, "", ""));
  return 0;
}

CommandResult forward(const Context& context, const std::string& source, const std::string& url, const std::string& from) {
  HOOKHOST_TRY(auto client, AdminClient::make(context));
  HOOKHOST_CHECK(client->require_host());
  for (const int one : {SIGINT, SIGTERM}) std::signal(one, [](int) { interrupted = 1; });
  json::object body{{"source", source}, {"url", url}, {"from", from}};
  HOOKHOST_TRY(const auto text, client->call("POST", "/api/forwards", "", json::serialize(body)));
  const json::value made = json::parse(text);
  const std::string id = text_of(made.as_object(), "id");
  if (!context.json) context.out << "forwarding " << source << " to " << url << "; Ctrl-C ends it" << std::endl;
  return watch(context, *client, id);
}

}  // namespace

void add_forward(CLI::App& root, Context& context, Chosen& chosen) {
  CLI::App* command = root.add_subcommand("forward", "Pass the events of a source on to a URL, for as long as the command runs");
  auto source = std::make_shared<std::string>(), url = std::make_shared<std::string>(), from = std::make_shared<std::string>("now");
  command->add_option("SOURCE", *source, "A source of the configuration")->required();
  command->add_option("URL", *url, "Where to; any address is allowed")->required();
  command->add_option("--from", *from, "Where it begins (WHEN); default: now");
  command->callback([&, source, url, from] { chosen.run = [&, source, url, from] { return forward(context, *source, *url, *from); }; });
}

}  // namespace hookhost::app
