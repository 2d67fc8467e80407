#include "api/metrics_page.h"

#include <limits>
#include <map>
#include <sstream>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace hookhost::api {

struct MetricsPage::Families {
  std::vector<prometheus::MetricFamily> in_order;
  std::map<std::string, std::size_t> by_name;

  prometheus::ClientMetric& add(const std::string& name, const std::string& help, prometheus::MetricType type, const Labels& labels) {
    const auto [found, made] = by_name.emplace(name, in_order.size());
    if (made) in_order.push_back({name, help, type, {}});
    auto& metric = in_order[found->second].metric.emplace_back();
    for (const auto& [label, value] : labels) metric.label.push_back({label, value});
    return metric;
  }
};

MetricsPage::MetricsPage() : families_(std::make_unique<Families>()) {}
MetricsPage::~MetricsPage() = default;

void MetricsPage::counter(const std::string& name, const std::string& help, double value, const Labels& labels) {
  families_->add(name, help, prometheus::MetricType::Counter, labels).counter.value = value;
}

void MetricsPage::gauge(const std::string& name, const std::string& help, double value, const Labels& labels) {
  families_->add(name, help, prometheus::MetricType::Gauge, labels).gauge.value = value;
}

void MetricsPage::histogram(const std::string& name, const std::string& help, const Histogram::Snapshot& snapshot, const Labels& labels) {
  auto& out = families_->add(name, help, prometheus::MetricType::Histogram, labels).histogram;
  out.sample_count = snapshot.count;
  out.sample_sum = snapshot.sum;
  for (std::size_t i = 0; i < snapshot.buckets.size(); ++i) {
    const double bound = i < snapshot.bounds.size() ? snapshot.bounds[i] : std::numeric_limits<double>::infinity();
    out.bucket.push_back({snapshot.buckets[i], bound});
  }
}

std::string MetricsPage::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families_->in_order);
  return out.str();
}

}  // namespace hookhost::api
