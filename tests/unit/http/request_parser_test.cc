// The parser alone: the same verdict however the bytes are cut, and no end but a verdict for any bytes at all.
#include "http/request_parser.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <vector>

namespace hookhost::http {
namespace {

constexpr std::uint32_t kHeaderMax = 16 * 1024;

struct Verdict {
  RequestParser::Status status = RequestParser::Status::need_more;
  int refused_with = 0;
  std::string body;
  std::vector<std::string> headers;

  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// Feeds `pieces` as a connection does: what was not used comes again in front of the next piece.
Verdict parse(const std::vector<std::string>& pieces) {
  RequestParser parser(kHeaderMax, 100);
  Verdict verdict;
  std::string waiting;
  for (const std::string& piece : pieces) {
    waiting += piece;
    for (;;) {
      std::size_t used = 0;
      verdict.status = parser.feed(waiting, used);
      EXPECT_LE(used, waiting.size());
      waiting.erase(0, used);
      if (verdict.status != RequestParser::Status::head) break;
      parser.set_body_limit(1000);
      if (!parser.has_body()) verdict.status = RequestParser::Status::complete;
      if (parser.head().content_length.value_or(0) > 1000) return verdict;
      if (!parser.has_body()) break;
    }
    if (verdict.status != RequestParser::Status::need_more) break;
  }
  if (verdict.status == RequestParser::Status::refused) verdict.refused_with = parser.refusal().status;
  if (verdict.status == RequestParser::Status::complete) {
    const Request request = parser.take();
    verdict.body = request.body;
    for (const Header& header : request.head.headers) verdict.headers.push_back(header.name + "=" + header.value);
  }
  return verdict;
}

std::vector<std::string> each_byte(const std::string& text) {
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  return bytes;
}

std::vector<std::string> corpus() {
  std::vector<std::string> texts;
  for (const auto& entry : std::filesystem::directory_iterator(HOOKHOST_HTTP_CORPUS)) {
    std::ifstream file(entry.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return texts;
}

std::uint64_t seed() {
  const char* given = std::getenv("HOOKHOST_SEED");
  const std::uint64_t value = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  std::cout << "HOOKHOST_SEED=" << value << "\n";
  return value;
}

TEST(RequestParserTest, TheCorpusIsThere) { EXPECT_GE(corpus().size(), 20U); }

// Refusals may come later or earlier in the stream when it is cut, but never turn into an acceptance, nor with other contents.
TEST(RequestParserTest, GivesTheSameVerdictCutAtEveryByte) {
  for (const std::string& text : corpus()) {
    const Verdict whole = parse({text});
    for (std::size_t at = 1; at < text.size(); ++at) {
      ASSERT_EQ(parse({text.substr(0, at), text.substr(at)}), whole) << "cut at " << at << " of: " << text.substr(0, 200);
    }
  }
}

TEST(RequestParserTest, GivesTheSameVerdictByteByByte) {
  for (const std::string& text : corpus()) {
    EXPECT_EQ(parse(each_byte(text)), parse({text})) << text.substr(0, 200);
  }
}

TEST(RequestParserTest, SurvivesMutatedRequests) {
  std::mt19937_64 random(seed());
  const std::vector<std::string> texts = corpus();
  ASSERT_FALSE(texts.empty());
  for (int round = 0; round < 3000; ++round) {
    std::string text = texts[random() % texts.size()];
    for (std::uint64_t i = random() % 4 + 1; i > 0 && !text.empty(); --i) {
      const std::size_t at = random() % text.size();
      switch (random() % 3) {
        case 0: text[at] = static_cast<char>(random()); break;
        case 1: text.erase(at, random() % 8); break;
        default: text.insert(at, text.substr(random() % text.size(), random() % 16)); break;
      }
    }
    if (text.empty()) continue;
    const std::size_t cut = random() % text.size();
    const Verdict whole = parse({text});
    const Verdict halves = parse({text.substr(0, cut), text.substr(cut)});
    const Verdict bytes = parse(each_byte(text));
    for (const Verdict& other : {halves, bytes}) {
      ASSERT_EQ(other.status == RequestParser::Status::complete, whole.status == RequestParser::Status::complete) << text;
      if (whole.status == RequestParser::Status::complete) {
        ASSERT_EQ(other, whole) << text;
      }
    }
  }
}

}  // namespace
}  // namespace hookhost::http
