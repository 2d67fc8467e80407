#include "plugins/elf_note.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

#include "hookhost/abi.h"

namespace hookhost::plugins {
namespace {

constexpr std::size_t kProgramHeadersMax = 256;
constexpr std::size_t kDescriptionBytes = 136;

#if defined(__x86_64__)
constexpr std::uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr std::uint16_t kMachine = EM_AARCH64;
#else
#error "name this machine's ELF number here"
#endif

auto refused(const std::string& why) { return fail(ErrorCode::not_supported, "this file is no plugin for this host: " + why); }

template <class T>
bool take(std::string_view file, std::uint64_t at, T& out) {
  if (at > file.size() || file.size() - at < sizeof out) return false;
  std::memcpy(&out, file.data() + at, sizeof out);
  return true;
}

constexpr std::uint64_t round_up(std::uint64_t n) { return (n + 3) & ~std::uint64_t{3}; }

// Of a note that is ours. A later major may describe itself at more length, but begins with the same word.
struct Found {
  std::size_t count = 0;
  std::string_view description;  // of the last
};

// One PT_NOTE segment: notes one after the other.
void look_in(std::string_view notes, Found& out) {
  std::uint64_t at = 0;
  for (;;) {
    Elf64_Nhdr header{};
    if (!take(notes, at, header)) return;
    const std::uint64_t name = at + sizeof header;
    const std::uint64_t description = name + round_up(header.n_namesz);
    const std::uint64_t next = description + round_up(header.n_descsz);
    if (next <= at || description > notes.size() || header.n_descsz > notes.size() - description) return;
    if (header.n_type == HOOKHOST_NOTE_TYPE && notes.substr(name, header.n_namesz) == std::string_view("hookhost\0", 9)) {
      ++out.count;
      out.description = notes.substr(description, header.n_descsz);
    }
    at = next;
  }
}

// An id is shown to people and stands in messages: a name, nothing else.
bool is_id(std::string_view id) {
  return !id.empty() && id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == std::string_view::npos;
}

Result<PluginNote> parse(const Found& found) {
  if (found.count == 0) return refused("it has no hookhost note; build it with the SDK (HOOKHOST_PLUGIN or HOOKHOST_PLUGIN_C)");
  if (found.count > 1) return refused("it has more than one hookhost note; make a library of each plugin");
  PluginNote note;
  if (!take(found.description, 0, note.major)) return refused("its hookhost note is damaged");
  const std::string_view rest = found.description.substr(std::min<std::size_t>(found.description.size(), 8));
  note.id = rest.substr(0, rest.find('\0'));
  if (note.major != HOOKHOST_ABI_MAJOR) {
    return refused((is_id(note.id) ? note.id : "it") + " needs plugin ABI " + std::to_string(note.major) + ", this host has " +
                   std::to_string(HOOKHOST_ABI_MAJOR) + "; build it again with this host's SDK, or use a host that has it");
  }
  if (found.description.size() != kDescriptionBytes || !take(found.description, 4, note.minor_needed) || note.id.size() == rest.size()) {
    return refused("its hookhost note is damaged");
  }
  if (!is_id(note.id)) return refused("the id in its note is no name of letters, digits, '.', '_' and '-'; tell its author");
  if (note.minor_needed > HOOKHOST_ABI_MINOR) {
    return refused(note.id + " needs plugin ABI 1." + std::to_string(note.minor_needed) + ", this host has 1." + std::to_string(HOOKHOST_ABI_MINOR) +
                   "; use a newer host, or build it without HOOKHOST_REQUIRES");
  }
  return note;
}

}  // namespace

Result<PluginNote> read_note(std::string_view file) {
  Elf64_Ehdr elf{};
  if (!take(file, 0, elf) || std::memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0) return refused("it is no ELF file, or cut short");
  if (elf.e_ident[EI_CLASS] != ELFCLASS64 || elf.e_ident[EI_DATA] != ELFDATA2LSB || elf.e_machine != kMachine) {
    return refused("it was built for another machine");
  }
  if (elf.e_type != ET_DYN) return refused("it is no shared library");
  if (elf.e_phentsize != sizeof(Elf64_Phdr) || elf.e_phnum > kProgramHeadersMax) return refused("its program headers are damaged");
  Found found;
  for (std::uint64_t i = 0; i < elf.e_phnum; ++i) {
    Elf64_Phdr program{};
    if (elf.e_phoff > file.size() || !take(file, elf.e_phoff + i * sizeof program, program)) {
      return refused("its program headers are damaged, or it is cut short");
    }
    const bool is_read = program.p_type == PT_LOAD || program.p_type == PT_NOTE || program.p_type == PT_DYNAMIC;
    if (is_read && (program.p_offset > file.size() || program.p_filesz > file.size() - program.p_offset)) return refused("it is cut short");
    if (program.p_type == PT_NOTE) look_in(file.substr(program.p_offset, program.p_filesz), found);
  }
  return parse(found);
}

}  // namespace hookhost::plugins
