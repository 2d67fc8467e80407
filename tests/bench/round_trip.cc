// bench_round_trip PORT STAMPS FILE COUNT: one connection, one request after the other; from the request's first byte to the handler's call
// (bench_stamp writes that down) and to the answer, interleaved with one fdatasync of 4 KiB each. Prints percentiles in microseconds.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "signing/sign.h"
#include "support/poll.h"
#include "support/raw_client.h"

namespace {

using namespace hookhost;

std::int64_t now_ns() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

double percentile(std::vector<std::int64_t>& values, double share) {
  std::sort(values.begin(), values.end());
  return static_cast<double>(values[static_cast<std::size_t>(static_cast<double>(values.size() - 1) * share)]) / 1000;
}

std::string request_of(std::size_t n) {
  const std::string body = R"({"event":"linkedin.message.received","n":)" + std::to_string(n) + R"(,"data":{"chatId":"chat_)" + std::to_string(n % 100) +
                           R"(","message":")" + std::string(560, 'm') + "\"}}";
  const auto headers = signing::sign({.scheme = signing::Scheme::kakiyo}, "bench-secret", "", WallTime{}, body);
  std::string out = "POST /in/kakiyo HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  for (const auto& [name, value] : headers.value()) out += name + ": " + value + "\r\n";
  return out + "\r\n" + body;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto count = static_cast<std::size_t>(std::atoi(argv[4]));
  const int stamps_file = ::open(argv[2], O_RDWR | O_CLOEXEC);
  auto* stamps = static_cast<std::int64_t*>(::mmap(nullptr, count * sizeof(std::int64_t), PROT_READ, MAP_SHARED, stamps_file, 0));
  const int synced = ::open(argv[3], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (stamps_file < 0 || synced < 0 || stamps == MAP_FAILED) return 1;
  std::vector<char> page(4096, 'x');
  for (std::size_t i = 0; i < count; ++i) {  // the file has its blocks: what is measured is the sync, not its growth
    if (::pwrite(synced, page.data(), page.size(), static_cast<off_t>(i * page.size())) < 0) return 1;
  }
  ::fsync(synced);
  test::RawClient client(static_cast<std::uint16_t>(std::atoi(argv[1])));
  std::vector<std::int64_t> to_handler, to_answer, to_disk;
  for (std::size_t n = 0; n < count; ++n) {
    const std::string request = request_of(n);
    const std::int64_t begun = now_ns();
    if (!client.send(request) || client.read_answer().status != 200) return std::fprintf(stderr, "request %zu was not answered 200\n", n), 1;
    to_answer.push_back(now_ns() - begun);
    const auto stamp = [&] { return __atomic_load_n(&stamps[n], __ATOMIC_ACQUIRE); };
    if (!test::poll_until([&] { return stamp() != 0; })) return std::fprintf(stderr, "event %zu was not handled\n", n), 1;
    to_handler.push_back(stamp() - begun);
    const std::int64_t writing = now_ns();
    if (::pwrite(synced, page.data(), page.size(), static_cast<off_t>(n * page.size())) < 0 || ::fdatasync(synced) != 0) return 1;
    to_disk.push_back(now_ns() - writing);
  }
  std::printf("{\"handler_p50_us\":%.1f,\"handler_p99_us\":%.1f,\"answer_p50_us\":%.1f,\"answer_p99_us\":%.1f,\"fdatasync_p50_us\":%.1f,\"fdatasync_p99_us\":%.1f}\n",
              percentile(to_handler, 0.5), percentile(to_handler, 0.99), percentile(to_answer, 0.5), percentile(to_answer, 0.99), percentile(to_disk, 0.5),
              percentile(to_disk, 0.99));
  return 0;
}
