// For the plugins of these tests: what is committed in kv, as lines "KEY VALUE" in a file that is there at once.
#pragma once

#include <fstream>
#include <hookhost/plugin.hpp>

inline void dump_kv(const hookhost::Host& host, const std::string& path) {
  std::ofstream out(path + ".new", std::ios::trunc);
  hookhost::Kv(host.raw(), nullptr).scan("", [&](std::string_view key, std::string_view value) {
    out << key << ' ' << value << '\n';
    return true;
  });
  out.close();
  if (std::rename((path + ".new").c_str(), path.c_str()) != 0) throw std::runtime_error("the counts cannot be written");
}
