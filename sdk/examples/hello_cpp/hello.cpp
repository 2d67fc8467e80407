// A plugin in C++: greets whoever wrote, with a greeting from the configuration.
#include <hookhost/plugin.hpp>

class Hello {
 public:
  static constexpr hookhost::Info info{.id = "com.example.hello", .version = "1.0.0", .events = {"linkedin.message.received"}};

  Hello(hookhost::Host host, const hookhost::Config& config) : host_(host), greeting_(config.text("/greeting", "Hello")) {}

  hookhost::Outcome handle(const hookhost::Event& event, hookhost::Call& call) {
    const auto prospect = call.json("/data/prospectId").text();
    if (!prospect) return hookhost::reject("the event names no prospect");
    host_.log(hookhost::LogLevel::info, greeting_ + ", " + std::string(*prospect), {"chat", event.key()});
    return hookhost::ok();
  }

 private:
  hookhost::Host host_;
  std::string greeting_;
};

HOOKHOST_PLUGIN(Hello)
