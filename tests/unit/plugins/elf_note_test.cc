// The reader of notes over real, cut and mutated files: it answers, and reads nothing outside of them.
#include "plugins/elf_note.h"

#include <elf.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "unit/plugins/plugin_fixture.h"

namespace hookhost::plugins {
namespace {

std::string bytes_of(const std::string& name) {
  std::ifstream in(std::string(TEST_PLUGINS) + "/" + name + ".so", std::ios::binary);
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
