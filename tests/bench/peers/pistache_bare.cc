// The peer "bare Pistache": Http::Endpoint as its examples use it, answering 202 to everything, with the keep-alive header set by hand
// (Pistache closes each connection otherwise). It verifies and stores nothing.
#include <pistache/endpoint.h>

#include <cstdlib>

namespace {

class Accept : public Pistache::Http::Handler {
 public:
  HTTP_PROTOTYPE(Accept)
  void onRequest(const Pistache::Http::Request&, Pistache::Http::ResponseWriter response) override {
    response.headers().add<Pistache::Http::Header::Connection>(Pistache::Http::ConnectionControl::KeepAlive);
    response.send(Pistache::Http::Code::Accepted);
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  Pistache::Http::Endpoint server(
      Pistache::Address(Pistache::Ipv4::loopback(), Pistache::Port(static_cast<std::uint16_t>(std::atoi(argv[1])))));
  server.init(Pistache::Http::Endpoint::options().threads(2).flags(Pistache::Tcp::Options::ReuseAddr));
  server.setHandler(Pistache::Http::make_handler<Accept>());
  server.serve();
}
