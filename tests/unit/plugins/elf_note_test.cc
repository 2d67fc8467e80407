// The reader of notes over real, cut and mutated files: it answers, and reads nothing outside of them.
#include "plugins/elf_note.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>
#include <vector>

#include "unit/plugins/plugin_fixture.h"

namespace hookhost::plugins {
namespace {

std::string bytes_of(const std::string& name) {
  std::ifstream in(test::paths::plugins() + "/" + name + ".so", std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

// In memory of exactly its size, so that the address sanitizer sees a read past the end.
Result<PluginNote> read_exact(const std::string& bytes) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::memcpy(exact.get(), bytes.data(), bytes.size());
  return read_note({exact.get(), bytes.size()});
}

TEST(ElfNote, IsFound) {
  const auto note = read_note(bytes_of("test_noop"));
  ASSERT_TRUE(note) << note.error().message;
  EXPECT_EQ(note.value().id, "test.hookhost.noop");
  EXPECT_EQ(note.value().major, 1U);
}

TEST(ElfNote, OtherMachinesAndKindsAreRefused) {
  const std::string good = bytes_of("test_noop");
  const auto with = [&](std::size_t at, char value) {
    std::string bytes = good;
    bytes[at] = value;
    return bytes;
  };
  EXPECT_FALSE(read_exact(with(0, 'x')));
  EXPECT_FALSE(read_exact(with(EI_CLASS, ELFCLASS32)));
  EXPECT_FALSE(read_exact(with(EI_DATA, ELFDATA2MSB)));
  EXPECT_FALSE(read_exact(with(offsetof(Elf64_Ehdr, e_machine), EM_SPARC)));
  EXPECT_FALSE(read_exact(with(offsetof(Elf64_Ehdr, e_type), ET_EXEC)));
  EXPECT_FALSE(read_exact(bytes_of("test_broken_NOTE")));
  EXPECT_FALSE(read_exact(""));
}

// One note as it stands in a file; `descsz` and `namesz` may lie.
struct Note {
  std::string name = std::string("hookhost\0", 9);
  std::uint32_t type = 1, major = 1, minor = 0;
  std::string id = "com.example.plugin";
  std::uint32_t description_bytes = 136;
  std::uint32_t namesz = 9, descsz = 136;

  [[nodiscard]] std::string bytes() const {
    std::string out;
    const auto word = [&](std::uint32_t value) { out.append(reinterpret_cast<const char*>(&value), sizeof value); };
    word(namesz), word(descsz), word(type);
    out += name;
    out.resize((out.size() + 3) & ~std::size_t{3}, '\0');
    const std::size_t begin = out.size();
    word(major), word(minor);
    out += id;
    out.resize(begin + ((description_bytes + 3) & ~3U), '\0');
    return out;
  }
};

// A library that is nothing but its notes, each string in a segment of its own.
std::string elf_of(const std::vector<std::string>& segments) {
  Elf64_Ehdr elf{};
  std::memcpy(elf.e_ident, ELFMAG, SELFMAG);
  elf.e_ident[EI_CLASS] = ELFCLASS64;
  elf.e_ident[EI_DATA] = ELFDATA2LSB;
  elf.e_machine = EM_X86_64;
  elf.e_type = ET_DYN;
  elf.e_phoff = sizeof elf;
  elf.e_phentsize = sizeof(Elf64_Phdr);
  elf.e_phnum = static_cast<std::uint16_t>(segments.size());
  std::string headers(reinterpret_cast<const char*>(&elf), sizeof elf), notes;
  for (const auto& segment : segments) {
    Elf64_Phdr program{};
    program.p_type = PT_NOTE;
    program.p_offset = sizeof elf + segments.size() * sizeof program + notes.size();
    program.p_filesz = segment.size();
    headers.append(reinterpret_cast<const char*>(&program), sizeof program);
    notes += segment;
  }
  return headers + notes;
}

std::string refusal(const std::vector<std::string>& segments) {
  const auto note = read_exact(elf_of(segments));
  EXPECT_FALSE(note);
  return note ? "" : note.error().message;
}
void expect_refusal(const std::string& why, const std::vector<std::string>& segments) {
  EXPECT_NE(refusal(segments).find(why), std::string::npos) << refusal(segments);
}

TEST(ElfNote, IsFoundAmongOthers) {
  const Note other{.name = std::string("GNU\0", 4), .type = 3, .description_bytes = 20, .namesz = 4, .descsz = 20};
  const Note longer{.name = "hookhostess", .namesz = 11};
  EXPECT_TRUE(read_exact(elf_of({other.bytes(), other.bytes() + longer.bytes() + Note{}.bytes() + other.bytes()})));
  EXPECT_TRUE(read_exact(elf_of({Note{.id = std::string(127, 'a')}.bytes()})));
}

TEST(ElfNote, TwiceOrNeverIsRefused) {
  expect_refusal("more than one", {Note{}.bytes() + Note{}.bytes()});
  expect_refusal("more than one", {Note{}.bytes(), Note{.major = 2}.bytes()});
  expect_refusal("no hookhost note", {});
  expect_refusal("no hookhost note", {Note{.type = 2}.bytes()});
}

TEST(ElfNote, WhoseNumbersLieIsRefused) {
  for (const std::uint32_t lie : {137U, 1000U, 0x7fffffffU, 0xfffffffcU, 0xffffffffU}) {
    expect_refusal("note", {Note{.descsz = lie}.bytes()});
    expect_refusal("note", {Note{.namesz = lie}.bytes()});
  }
  for (const std::uint32_t size : {0U, 3U, 4U, 7U, 8U, 135U, 140U, 1U << 20}) {
    expect_refusal("damaged", {Note{.description_bytes = size, .descsz = size}.bytes()});
  }
}

TEST(ElfNote, OfAnotherMajorIsToldSoWhateverElseItHolds) {
  expect_refusal("com.example.plugin needs plugin ABI 2, this host has 1", {Note{.major = 2}.bytes()});
  expect_refusal("needs plugin ABI 3", {Note{.major = 3, .description_bytes = 400, .descsz = 400}.bytes()});
  expect_refusal("needs plugin ABI 1.99, this host has 1.0", {Note{.minor = 99}.bytes()});
}

TEST(ElfNote, WhoseIdIsNoNameIsRefusedWithoutShowingIt) {
  for (const std::string id : {"", "caf\xc3\xa9", "a b", "a\nb", "\x1b[2J", "../etc"}) {
    expect_refusal("id in its note", {Note{.id = id}.bytes()});
    EXPECT_EQ(refusal({Note{.major = 9, .id = id}.bytes()}).find(id.empty() ? "\n" : id), std::string::npos);
  }
  expect_refusal("damaged", {Note{.id = std::string(128, 'a')}.bytes()});
}

TEST(ElfNote, EveryCutOfTheHeadersIsRefused) {
  const std::string good = bytes_of("test_noop");
  for (std::size_t size = 0; size < 2048; ++size) EXPECT_FALSE(read_exact(good.substr(0, size))) << size;
}

TEST(ElfNote, MutatedHeadersAreReadWithinTheirBounds) {
  std::mt19937_64 random(test::seed());
  const std::string good = bytes_of("test_noop").substr(0, 4096);
  const std::uint64_t odd[] = {0, 1, 0x7fffffff, 0xffffffff, 0x8000000000000000, 0xffffffffffffffff};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (int change = 0; change < 4; ++change) {
      const std::uint64_t value = random() % 2 == 0 ? odd[random() % std::size(odd)] : random();
      std::memcpy(bytes.data() + random() % 1016, &value, 1 + random() % 8);
    }
    if (!read_exact(bytes)) ++refused;
  }
  EXPECT_GT(refused, 0);
}

}  // namespace
}  // namespace hookhost::plugins
