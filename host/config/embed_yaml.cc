// embed_yaml FILE NAMESPACE FUNCTION: writes C++ on standard output, a function that returns the YAML file as JSON text. Part of the build
// only.
#include <iostream>

#include "config/yaml_json.h"

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "embed_yaml FILE NAMESPACE FUNCTION\n";
    return 2;
  }
  try {
    hookhost::config::Problems problems;
    problems.file = argv[1];
    const std::string json = hookhost::config::yaml_to_json(YAML::LoadFile(argv[1]), "", false, problems);
    for (const std::string& line : problems.lines) std::cerr << line << '\n';
    if (!problems.lines.empty()) return 1;
    std::cout << "#include <string_view>\n\nnamespace " << argv[2] << " {\nstd::string_view " << argv[3] << "();\nstd::string_view " << argv[3]
              << "() { return R\"embedded(" << json << ")embedded\"; }\n}\n";
    return 0;
  } catch (const std::exception& error) {
    std::cerr << argv[1] << ": " << error.what() << '\n';
    return 1;
  }
}
