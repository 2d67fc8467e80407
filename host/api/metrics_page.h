// The text of /metrics: families are added in the order they appear, then written in Prometheus' text format by prometheus-cpp.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/histogram.h"

namespace hookhost::api {

class MetricsPage {
 public:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  MetricsPage();
  ~MetricsPage();
  MetricsPage(const MetricsPage&) = delete;
  MetricsPage& operator=(const MetricsPage&) = delete;

  // Adds one sample; the first one of a name makes its family with this help text.
  void counter(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void gauge(const std::string& name, const std::string& help, double value, const Labels& labels = {});
  void histogram(const std::string& name, const std::string& help, const Histogram::Snapshot& snapshot, const Labels& labels = {});

  [[nodiscard]] std::string text() const;

 private:
  struct Families;
  std::unique_ptr<Families> families_;
};

}  // namespace hookhost::api
