#include "api/metrics_page.h"
#include "app/host.h"

namespace hookhost::app {
namespace {

double number(const Counter& counter) { return static_cast<double>(counter.load(std::memory_order_relaxed)); }
double seconds(Duration duration) { return std::chrono::duration<double>(duration).count(); }

void add_http(api::MetricsPage& page, const std::string& listener, const http::Stats& stats) {
  const api::MetricsPage::Labels labels{{"listener", listener}};
  page.gauge("hookhost_http_connections", "Open connections.", number(stats.connections), labels);
  page.gauge("hookhost_http_waiting_requests", "Requests that wait for their answer.", number(stats.waiting_requests), labels);
  page.counter("hookhost_http_requests_total", "Requests whose head was understood.", number(stats.requests), labels);
  const std::pair<const char*, const Counter*> refusals[] = {{"malformed", &stats.refused_malformed},
                                                             {"header_too_large", &stats.refused_header_too_large},
                                                             {"body_too_large", &stats.refused_body_too_large},
                                                             {"timeout", &stats.timeouts},
                                                             {"too_many_connections", &stats.refused_connections},
                                                             {"too_many_waiting", &stats.refused_waiting},
                                                             {"not_reading", &stats.cut_not_reading},
                                                             {"tls", &stats.tls_failures}};
  for (const auto& [reason, counter] : refusals) {
    page.counter("hookhost_http_refused_total", "Requests and connections that were refused, by reason.", number(*counter),
                 {{"listener", listener}, {"reason", reason}});
  }
}

void add_sources(api::MetricsPage& page, const ingest::Sources& sources) {
  for (const auto& source : sources.all()) {
    const auto& counters = source->state->counters;
    const std::string& name = source->settings.name;
    page.counter("hookhost_events_received_total", "Webhooks answered 2xx, by source.", number(counters.accepted), {{"source", name}, {"status", "accepted"}});
    page.counter("hookhost_events_received_total", "", number(counters.duplicates), {{"source", name}, {"status", "duplicate"}});
    for (std::size_t i = 0; i < ingest::kRefusalReasons.size(); ++i) {
      page.counter("hookhost_events_refused_total", "Webhooks that were refused, by source and reason.", number(counters.refused[i]),
                   {{"source", name}, {"reason", std::string(ingest::kRefusalReasons[i])}});
    }
  }
}

// Of those made through /v1 there are as many as teams wish: they are shown by team, and a team is the operator's word. One of them:
// `hookhost status ID`.
void add_team(api::MetricsPage& page, const std::string& team, const TeamCounts& counts) {
  page.gauge("hookhost_team_endpoints", "Endpoints that a team made through /v1.", static_cast<double>(counts.endpoints), {{"team", team}});
  page.counter("hookhost_team_attempts_total", "Attempts to deliver to them, by their outcome.", static_cast<double>(counts.succeeded), {{"team", team}, {"outcome", "ok"}});
  page.counter("hookhost_team_attempts_total", "", static_cast<double>(counts.failed), {{"team", team}, {"outcome", "failed"}});
}

void add_subscriber(api::MetricsPage& page, const delivery::SubscriberStatus& status) {
  const api::MetricsPage::Labels labels{{"subscriber", status.id.value}};
  page.gauge("hookhost_subscriber_lag_events", "Events between a subscriber's place and the end of the event log.", static_cast<double>(status.lag_events), labels);
  page.gauge("hookhost_subscriber_lag_seconds", "Age of the oldest event that it was not handed.", seconds(status.lag), labels);
  page.gauge("hookhost_subscriber_blocked_keys", "Keys that wait for a retry.", static_cast<double>(status.blocked_keys), labels);
  page.gauge("hookhost_subscriber_dead_letters", "Dead letters.", static_cast<double>(status.dead_letters), labels);
  page.gauge("hookhost_subscriber_held", "Events held for a resume.", static_cast<double>(status.held), labels);
  page.gauge("hookhost_subscriber_gaps", "Gaps of events that were gone before it had them, not yet acknowledged.", static_cast<double>(status.gaps), labels);
  page.gauge("hookhost_subscriber_up", "1 while it is fed.", status.state == "live" || status.state == "catching_up" || status.state == "replaying" ? 1 : 0, labels);
  const auto& outcomes = status.outcomes;
  const std::pair<const char*, std::uint64_t> counts[] = {{"ok", outcomes.ok},           {"ignored", outcomes.ignored},
                                                          {"retry", outcomes.retry},     {"reject", outcomes.reject},
                                                          {"unavailable", outcomes.unavailable}, {"exhausted", outcomes.exhausted},
                                                          {"crashed", outcomes.crashed}, {"misbehaved", outcomes.misbehaved}};
  for (const auto& [outcome, count] : counts) {
    page.counter("hookhost_outcomes_total", "Attempts by their outcome.", static_cast<double>(count), {{"subscriber", status.id.value}, {"outcome", outcome}});
  }
}

}  // namespace

void Host::add_metrics(api::MetricsPage& page) {
  if (listening_.load()) {
    add_http(page, "public", public_server_->stats());
    add_http(page, "admin", admin_server_->stats());
  }
  add_sources(page, *ingest_->sources());
  const auto& stats = log_->stats();
  const auto sizes = log_->sizes();
  page.histogram("hookhost_commit_seconds", "From taking a batch to its events being durable.", stats.commit_seconds.snapshot());
  page.histogram("hookhost_commit_batch_events", "Events that one commit made durable.", stats.batch_records.snapshot());
  page.counter("hookhost_event_log_events_total", "Events appended.", number(stats.records));
  page.counter("hookhost_event_log_bytes_total", "Bytes of records appended.", number(stats.bytes));
  page.gauge("hookhost_event_log_end", "The durable end of the event log, an offset.", static_cast<double>(log_->durable_end().value));
  page.gauge("hookhost_event_log_begin", "The oldest offset that is kept.", static_cast<double>(log_->begin().value));
  page.gauge("hookhost_event_log_record_bytes", "Bytes of records that are kept.", static_cast<double>(sizes.record_bytes));
  page.gauge("hookhost_event_log_segments", "Segment files.", static_cast<double>(sizes.segments));
  page.gauge("hookhost_disk_free_bytes", "Free space where the events are.", static_cast<double>(sizes.free_bytes));
  page.gauge("hookhost_event_log_lost_events", "Answered events that were damaged and whose loss was accepted.", static_cast<double>(log_->recovery().lost_events));
  page.gauge("hookhost_event_log_poisoned", "1 after a failed write: restart the host.", log_->is_poisoned() ? 1 : 0);
  const auto statuses = engine_->status();
  for (const auto& status : statuses) {
    if (!endpoints_->is_of_a_team(status.id)) add_subscriber(page, status);
  }
  for (const auto& [team, counts] : endpoints_->count_teams(statuses)) add_team(page, team, counts);
  for (const auto& [instance, samples] : plugins_->metrics()) {
    for (const auto& sample : samples) {
      const std::string name = "hookhost_plugin_" + sample.name;
      if (sample.is_counter) {
        page.counter(name, "Counted by a plugin.", sample.value, {{"instance", instance}});
      } else {
        page.gauge(name, "Set by a plugin.", sample.value, {{"instance", instance}});
      }
    }
  }
}

}  // namespace hookhost::app
