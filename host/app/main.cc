#include <csignal>
#include <exception>
#include <iostream>

#include "app/command.h"

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return hookhost::app::run_command_line({argv + 1, argv + argc}, std::cout, std::cerr);
  } catch (const std::exception&) {
    std::cerr << "hookhost: an internal error ended the command; please report it with the command you gave\n";
    return 1;
  }
}
