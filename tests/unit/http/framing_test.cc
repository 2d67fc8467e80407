// What a request may look like: each row of input against the answer and against whether the connection goes on.
#include "http_fixture.h"

namespace hookhost::http {
namespace {

struct Row {
  const char* name;
  std::string bytes;
  int status;
  bool closed;
};

std::string many_headers(std::size_t count) {
  std::string request = "POST /in/x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n";
  for (std::size_t i = 0; i < count; ++i) request += "A: b\r\n";
  return request + "\r\n";
}

std::string with_length(const std::string& length) { return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + length + "\r\n\r\n1234567"; }

std::string with_header(const std::string& header) { return "POST / HTTP/1.1\r\nHost: h\r\n" + header + "\r\nContent-Length: 2\r\n\r\nhi"; }

std::string chunked(const std::string& body, const std::string& coding = "chunked") {
  return "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: " + coding + "\r\n\r\n" + body;
}

std::vector<Row> rows() {
  using namespace std::string_literals;
  return {
      {"keep_alive_without_connection_header", post("hi"), 200, false},
      {"http_1_0_closes", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", 200, true},
      {"http_1_0_keep_alive", "POST / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nhi", 200, false},
      {"connection_close", post("hi", "Connection: close\r\n"), 200, true},
      {"two_different_lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nhi!", 400, true},
      {"negative_length", with_length("-7"), 400, true},
      {"plus_length", with_length("+7"), 400, true},
      {"hexadecimal_length", with_length("0x7"), 400, true},
      {"overflowing_length", with_length("99999999999999999999999"), 400, true},
      {"huge_length", with_length("99999999999"), 413, true},
      {"repeated_equal_length", with_length("7, 7"), 200, false},
      {"length_and_chunked", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, true},
      {"chunked_and_length", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n", 400, true},
      {"chunked", chunked("2\r\nhi\r\n0\r\n\r\n"), 200, false},
      {"chunked_with_extension_and_trailer", chunked("2;a=b\r\nhi\r\n0\r\nX-T: 1\r\n\r\n"), 200, false},
      {"chunked_and_empty", chunked("0\r\n\r\n"), 200, false},
      {"chunked_and_empty_with_trailer", chunked("0\r\nX-T: 1\r\n\r\n"), 200, false},
      {"bad_chunk", chunked("zz\r\nhi\r\n0\r\n\r\n"), 400, true},
      {"bad_chunk_end", chunked("2\r\nhiXX0\r\n\r\n"), 400, true},
      {"bad_chunk_without_line_end", chunked("zz"), 400, true},
      {"chunk_of_line_feeds_only", chunked("5\nhello\n0\n\n"), 400, true},
      {"line_feed_behind_a_chunk", chunked("2\r\nhi\n0\r\n\r\n"), 400, true},
      {"line_feed_at_the_end_of_chunks", chunked("2\r\nhi\r\n0\n\n"), 400, true},
      {"line_feed_in_a_trailer", chunked("2\r\nhi\r\n0\r\nX-T: 1\n\n"), 400, true},
      {"no_chunk_size", chunked("\r\nhi"), 400, true},
      {"nuls_instead_of_chunks", chunked(std::string(3, '\0')), 400, true},
      {"nul_in_chunk_extension", chunked("2;a"s + '\0'), 400, true},
      {"nul_in_a_trailer", chunked("0\r\nX"s + '\0'), 400, true},
      {"overflowing_chunk_without_line_end", chunked("fffffffffffffffff"), 400, true},
      {"overflowing_chunk", chunked("fffffffffffffffff\r\n"), 400, true},
      {"identity", chunked("hi", "identity"), 400, true},
      {"gzip_chunked", chunked("2\r\nhi\r\n0\r\n\r\n", "gzip, chunked"), 501, true},
      {"chunked_twice", chunked("2\r\nhi\r\n0\r\n\r\n", "chunked\r\nTransfer-Encoding: chunked"), 400, true},
      {"chunked_gzip", chunked("2\r\nhi\r\n0\r\n\r\n", "chunked, gzip"), 501, true},
      {"chunked_in_1_0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 400, true},
      {"body_at_limit", post(std::string(kBodyMax, 'x')), 200, false},
      {"body_above_limit", post(std::string(kBodyMax + 1, 'x')), 413, true},
      {"chunked_body_above_limit", chunked("3e9\r\n" + std::string(1001, 'x') + "\r\n0\r\n\r\n"), 413, true},
      {"header_of_200_kB", with_header("X: " + std::string(200'000, 'x')), 431, true},
      {"headers_5000", many_headers(5000), 431, true},
      {"headers_many_but_short", many_headers(300), 431, true},
      {"endless_chunk_extension", chunked("2;" + std::string(40'000, 'a')), 431, true},
      {"content_type_garbage", with_header("Content-Type: @@@"), 200, false},
      {"accept_garbage", with_header("Accept: @@"), 200, false},
      {"host_with_bad_port", "POST / HTTP/1.1\r\nHost: a:notaport\r\nContent-Length: 2\r\n\r\nhi", 200, false},
      {"date_garbage", with_header("Date: garbage"), 200, false},
      {"cache_control_garbage", with_header("Cache-Control: max-age=x,,=;"), 200, false},
      {"no_host", "POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 400, true},
      {"two_hosts", with_header("Host: other"), 400, true},
      {"space_before_colon", with_header("X : y"), 400, true},
      {"line_feeds_only", "POST / HTTP/1.1\nHost: h\nContent-Length: 2\n\nhi", 400, true},
      {"one_bare_line_feed", "POST / HTTP/1.1\r\nHost: h\nContent-Length: 2\r\n\r\nhi", 400, true},
      {"nul_in_header", with_header("X: a"s + '\0' + "b"), 400, true},
      {"garbage", "\x01\x02\x03garbage\r\n\r\n", 400, true},
      {"tls_hello", "\x16\x03\x01\x02"s + '\0' + "\x01"s, 400, true},
      {"no_version", "GET /\r\n\r\n", 400, true},
      {"http_2_preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, true},
      {"http_3", "GET / HTTP/3.1\r\nHost: h\r\n\r\n", 505, true},
      {"lower_case_version", "GET / http/1.1\r\nHost: h\r\n\r\n", 400, true},
      {"obsolete_folding", with_header("X: a\r\n b"), 200, false},
      {"empty_line_first", "\r\n" + post("hi"), 200, false},
      {"body_with_nul_and_high_bytes", post("a"s + '\0' + "\xff\xfe\n\n"), 200, false},
      {"refused_at_head_keeps_connection", post("hi", "", "/unknown"), 404, false},
      {"refused_at_head_long_body", post(std::string(100'000, 'x'), "", "/unknown"), 404, true},
      {"exception_in_handler", post("hi", "", "/throw"), 500, false},
      {"exception_at_head", post("hi", "", "/throw_head"), 500, true},
      {"responder_dropped", post("hi", "", "/drop"), 500, false},
      {"get_without_body", "GET /x HTTP/1.1\r\nHost: h\r\n\r\n", 200, false},
  };
}

class FramingTest : public HttpTest, public testing::WithParamInterface<Row> {};

void expect_answer(const RawAnswer& answer, const Row& row) {
  ASSERT_EQ(answer.status, row.status) << answer.head << answer.body;
  EXPECT_EQ(answer.header("Connection") == "close", row.closed) << answer.head;
  if (row.status < 400) return;
  EXPECT_EQ(answer.header("Content-Type"), "application/json");
  EXPECT_TRUE(answer.body.starts_with("{\"error\":\"")) << answer.body;
  EXPECT_NE(answer.body.find("\"request_id\":\"req_"), std::string::npos) << answer.body;
  EXPECT_EQ(answer.body.find("secret text"), std::string::npos) << answer.body;
}

TEST_P(FramingTest, IsAnsweredAsRequired) {
  const Row& row = GetParam();
  start();
  RawClient client = connect();
  client.send(row.bytes);
  expect_answer(client.read_answer(), row);
  if (row.closed) {
    EXPECT_TRUE(client.is_closed_by_server());
  } else {
    client.send(post("again"));
    EXPECT_EQ(client.read_answer().status, 200);
  }
}

// The same answer wherever the network cuts the request in two.
TEST_P(FramingTest, IsTheSameSplitAtEveryByte) {
  const Row& row = GetParam();
  start();
  const std::size_t step = row.bytes.size() > 300 ? row.bytes.size() / 40 : 1;
  for (std::size_t at = 1; at < row.bytes.size(); at += step) {
    RawClient client = connect();
    client.send(std::string_view(row.bytes).substr(0, at));
    ASSERT_TRUE(eventually([&] { return server_->stats().accepted_connections > 0; }));
    client.send(std::string_view(row.bytes).substr(at));
    expect_answer(client.read_answer(), row);
    if (HasFailure()) FAIL() << "split at byte " << at;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, FramingTest, testing::ValuesIn(rows()), [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace hookhost::http
