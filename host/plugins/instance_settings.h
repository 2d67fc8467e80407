// What the rest of the host says to an instance and hears from it, in plain types: the ABI stays behind this room's own headers.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hookhost::plugins {

struct InstanceSettings {
  std::string name;        // in the configuration
  std::string config;      // JSON
  std::string config_dir;
};

// What plugins count through metrics/1, by instance and name; kept over restarts of an instance.
class PluginMetrics {
 public:
  struct Sample {
    std::string name;
    bool is_counter = false;
    double value = 0;
  };
  void count(std::string_view name, double by);
  void gauge(std::string_view name, double value);
  [[nodiscard]] std::vector<Sample> samples() const;

 private:
  Sample* find(std::string_view name, bool is_counter);
  mutable std::mutex mutex_;
  std::vector<Sample> samples_;
};

// What an instance last answered when it was asked through health/1.
class PluginHealth {
 public:
  void set(std::string problem) {
    const std::scoped_lock lock(mutex_);
    problem_ = std::move(problem);
  }
  // Empty: it is well. nullopt: it was not asked, or has no health/1.
  [[nodiscard]] std::optional<std::string> problem() const {
    const std::scoped_lock lock(mutex_);
    return problem_;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<std::string> problem_;
};

}  // namespace hookhost::plugins
