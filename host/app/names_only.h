// Answers name files, not where they lie (DESIGN.md 6.4): "hookhost.yaml:5:1", "chmod go-w crm.so". Diagnostics and `hookhost check` say it whole.
#pragma once

#include <string>
#include <vector>

namespace hookhost::app {

// `text` with nothing but their names left of `paths`, of what links on them lead to, and of every directory above them.
[[nodiscard]] std::string names_only(std::string text, const std::vector<std::string>& paths);

}  // namespace hookhost::app
