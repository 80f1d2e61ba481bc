// Version 2's endpoints for hosts (docs/protocol-v2.md): who the gateway is, enrolments, requests, words.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "gateway/http/limits.h"
#include "gateway/http/network_names.h"
#include "gateway/http/router.h"
#include "gateway/identity/identity.h"
#include "gateway/service/service.h"

namespace zkv::gateway::http {

struct V2Options {
  std::shared_ptr<const Identity> identity;
  std::string name;                ///< of this gateway, as hosts and people see it
  std::string public_url;          ///< without trailing slash; empty: the address it listens on
  std::filesystem::path page_dir;  ///< of the built page; empty: none
  std::optional<NetworkNamesOptions> address_names;  ///< none: addresses are shown without a name
};

class V2Routes {
 public:
  /// Both outlive this.
  V2Routes(const V2Options& options, Service& service);
  /// `this` outlives the router.
  void add_to(Router& router);

 private:
  using Handler = boost::asio::awaitable<Reply> (V2Routes::*)(Incoming);

  void add(Router& router, std::string method, std::string pattern, Handler handler);
  boost::asio::awaitable<Reply> statement(Incoming incoming);
  boost::asio::awaitable<Reply> enrol(Incoming incoming);
  boost::asio::awaitable<Reply> succeed(Incoming incoming);
  boost::asio::awaitable<Reply> ask(Incoming incoming);
  boost::asio::awaitable<Reply> beat(Incoming incoming);
  boost::asio::awaitable<Reply> poll(Incoming incoming);
  boost::asio::awaitable<Reply> word(Incoming incoming);
  Reply refuse(const Error& error, const std::string& kind, const Incoming& incoming);
  Reply reply_to(const AskAnswer& answer, const Incoming& incoming);
  Reply unknown_host(const Incoming& incoming);
  Reply wrong_clock(const Incoming& incoming);

  const V2Options& options_;
  Service& service_;
  RateLimiter limiter_;
};

}  // namespace zkv::gateway::http
