#include <limits>

#include "plugins/instance_settings.h"

namespace hookhost::plugins {
namespace {

constexpr std::size_t kSeriesMax = 64;  // of one instance
constexpr std::size_t kSeriesNameBytesMax = 64;

}  // namespace

void PluginMetrics::count(std::string_view name, double by) {
  if (!(by >= 0 && by <= std::numeric_limits<double>::max())) return;  // a counter never goes down, nor where it cannot come back from
  const std::scoped_lock lock(mutex_);
  if (Sample* sample = find(name, true)) sample->value += by;
}

void PluginMetrics::gauge(std::string_view name, double value) {
  const std::scoped_lock lock(mutex_);
  if (Sample* sample = find(name, false)) sample->value = value;
}

PluginMetrics::Sample* PluginMetrics::find(std::string_view name, bool is_counter) {
  for (Sample& sample : samples_) {
    if (sample.name == name) return sample.is_counter == is_counter ? &sample : nullptr;
  }
  const bool is_name = !name.empty() && name.size() <= kSeriesNameBytesMax &&
                       name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
  if (!is_name || samples_.size() >= kSeriesMax) return nullptr;
  return &samples_.emplace_back(Sample{std::string(name), is_counter, 0});
}

std::vector<PluginMetrics::Sample> PluginMetrics::samples() const {
  const std::scoped_lock lock(mutex_);
  return samples_;
}

}  // namespace hookhost::plugins
