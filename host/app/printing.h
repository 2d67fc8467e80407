// How commands print what the admin API answers: `--json` one object a line, unchanged; else a table for people.
#pragma once

#include <boost/json.hpp>

#include <string>
#include <vector>

#include "app/command.h"

namespace hookhost::app {

// Each element of a JSON array on its own line, with these members and no others; none named: as it is.
void print_lines(std::ostream& out, const boost::json::value& array, const std::vector<std::string>& members = {});

// A table of the named members; absent and null ones are "-".
void print_table(std::ostream& out, const boost::json::value& array, const std::vector<std::string>& members);

// One or the other.
void print_list(const Context& context, const std::string& json, const std::vector<std::string>& members);

// A member as people read it: nothing in it moves a terminal.
[[nodiscard]] std::string text_of(const boost::json::object& object, std::string_view member);

}  // namespace hookhost::app
