// A server on a free port with a handler that answers by path, for tests on raw sockets.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "http/server.h"
#include "support/raw_client.h"

namespace hookhost::http {

using test::eventually;
using test::post;
using test::RawAnswer;
using test::RawClient;

inline constexpr std::uint64_t kBodyMax = 1000;

// /unknown 404; /throw and /throw_head throw; /drop drops its responder; /later keeps it for answer_kept(); /big answers 4 MB;
// /stream streams; anything else echoes "method target #headers body" with the context given at the head.
class EchoHandler final : public Handler {
 public:
  HeadVerdict on_head(const RequestHead& head) override {
    if (head.path() == "/throw_head") throw std::runtime_error("the secret text");
    if (head.path() == "/unknown") return HeadVerdict::refuse(error_response(ErrorCode::unknown_source, "name a source", head.request_id));
    return HeadVerdict::accept(head.path() == "/large" ? 40'000'000 : kBodyMax, std::make_shared<const std::string>("context"));
  }

  void on_request(Request&& request, std::shared_ptr<const void> context, Responder responder) override {
    const std::string_view path = request.head.path();
    if (path == "/throw") throw std::runtime_error("the secret text");
    if (path == "/drop") return;
    if (path == "/big") return responder.send(json_response(200, std::string(4'000'000, 'b')));
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (path == "/later") return kept_.push_back(std::move(responder));
    if (path == "/stream") {
      threads_.emplace_back([answer = std::move(responder)]() mutable {
        ResponseWriter writer = answer.stream(Response{200, "text/plain", "begin ", {}, false});
        if (writer.write(std::string(200'000, 's')).has_value()) (void)writer.end();
      });
      return;
    }
    Response response = json_response(200, request.head.method + " " + request.head.target + " " + request.body);
    response.headers.push_back({"X-Context", *std::static_pointer_cast<const std::string>(context)});
    responder.send(std::move(response));
  }

  [[nodiscard]] std::size_t kept_count() {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }
  std::vector<Responder> take_kept() {
    const std::lock_guard lock(mutex_);
    return std::exchange(kept_, {});
  }
  [[nodiscard]] std::vector<Request> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::mutex mutex_;
  std::vector<Responder> kept_;
  std::vector<Request> requests_;
  std::vector<std::thread> threads_;
};

class HttpTest : public testing::Test {
 protected:
  void start() {
    options_.address = "127.0.0.1:0";
    auto started = Server::start(options_, handler_);
    ASSERT_TRUE(started.has_value()) << started.error().text();
    server_ = std::move(started).value();
  }
  void TearDown() override {
    server_.reset();
    handler_.take_kept().clear();
    handler_.join();
  }
  RawClient connect() { return RawClient(server_->port()); }
  RawAnswer ask(const std::string& bytes) {
    RawClient client = connect();
    client.send(bytes);
    return client.read_answer();
  }

  EchoHandler handler_;
  ServerOptions options_;
  std::unique_ptr<Server> server_;
};

}  // namespace hookhost::http
