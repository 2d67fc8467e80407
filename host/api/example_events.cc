#include "api/example_events.h"

#include <array>

namespace hookhost::api {
namespace {

constexpr std::array kExamples{
    ExampleEvent{"kakiyo", "linkedin.message.sent", "An agent sends a message to a prospect",
                 R"({"event":"linkedin.message.sent","teamId":"team_12345abcde","timestamp":"2023-06-15T10:28:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","message":"Hi, I saw your talk on supply chains. May I ask you a question?","timestamp":"2023-06-15T10:28:00Z"}})",
                 false},
    ExampleEvent{"kakiyo", "linkedin.message.received", "A prospect responds to an agent",
                 R"({"event":"linkedin.message.received","teamId":"team_12345abcde","timestamp":"2023-06-15T10:30:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","message":"Thanks for reaching out! I'd be interested in learning more...","timestamp":"2023-06-15T10:30:00Z"}})",
                 true},
    ExampleEvent{"kakiyo", "linkedin.invitation.sent", "An agent sends a connection invitation",
                 R"({"event":"linkedin.invitation.sent","teamId":"team_12345abcde","timestamp":"2023-06-14T09:00:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","timestamp":"2023-06-14T09:00:00Z"}})",
                 false},
    ExampleEvent{"kakiyo", "linkedin.invitation.accepted", "A prospect accepts a connection invitation",
                 R"({"event":"linkedin.invitation.accepted","teamId":"team_12345abcde","timestamp":"2023-06-14T17:45:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","timestamp":"2023-06-14T17:45:00Z"}})",
                 false},
    ExampleEvent{"kakiyo", "prospect.qualification.manual", "A prospect requires manual qualification review",
                 R"({"event":"prospect.qualification.manual","teamId":"team_12345abcde","timestamp":"2023-06-15T10:31:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","qualification":"needVerification","timestamp":"2023-06-15T10:31:00Z"}})",
                 false},
    ExampleEvent{"kakiyo", "prospect.unqualified", "A prospect is automatically marked as unqualified",
                 R"({"event":"prospect.unqualified","teamId":"team_12345abcde","timestamp":"2023-06-16T08:00:00Z","data":{"agentId":"agent_67890","campaignId":"campaign_12345","chatId":"chat_54321","prospectId":"prospect_98765","qualification":"unqualified","timestamp":"2023-06-16T08:00:00Z"}})",
                 false},
    ExampleEvent{"github", "push", "Commits were pushed to a branch",
                 R"({"ref":"refs/heads/main","before":"0000000000000000000000000000000000000000","after":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","repository":{"id":1296269,"name":"hello-world","full_name":"octocat/hello-world"},"pusher":{"name":"octocat"},"commits":[]})",
                 false},
    ExampleEvent{"github", "pull_request.opened", "A pull request was opened",
                 R"({"action":"opened","number":2,"pull_request":{"number":2,"title":"Update the README","state":"open"},"repository":{"id":1296269,"name":"hello-world","full_name":"octocat/hello-world"},"sender":{"login":"octocat"}})",
                 false},
    ExampleEvent{"stripe", "customer.created", "A customer was created",
                 R"({"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","created":1686089970,"type":"customer.created","data":{"object":{"id":"cus_NffrFeUfNV2Hib","object":"customer"}}})",
                 false},
    ExampleEvent{"standard-webhooks", "contact.created", "The example of the Standard Webhooks specification",
                 R"({"type":"contact.created","timestamp":"2022-11-03T20:26:10.344522Z","data":{"id":"1f81eb52-5198-4599-803e-771906343485","type":"contact","name":"John Smith"}})",
                 true},
};

}  // namespace

std::span<const ExampleEvent> example_events() { return kExamples; }

const ExampleEvent* find_example(std::string_view provider, std::string_view type) {
  for (const ExampleEvent& example : kExamples) {
    if (example.type == type && (provider.empty() || example.provider == provider)) return &example;
  }
  return nullptr;
}

}  // namespace hookhost::api
