// The seed's two endpoints, /request-keys and /incoming-message, with its faults mended.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gateway/http/limits.h"
#include "gateway/http/router.h"
#include "gateway/service/service.h"

namespace zkv::gateway::http {

struct LegacyOptions {
  std::vector<Network> allow;  ///< who may ask for keys; empty: everybody
  std::string public_url;  ///< as Twilio calls us, without trailing slash; empty: taken from the Host header
  SecretBytes twilio_token;  ///< empty: no webhook
  std::string sms_to;        ///< the only sender whose PINs count
};

class LegacyRoutes {
 public:
  LegacyRoutes(LegacyOptions options, Service& service);
  /// `this` outlives the router.
  void add_to(Router& router);

 private:
  boost::asio::awaitable<Reply> request_keys(Incoming incoming);
  boost::asio::awaitable<Reply> incoming_message(Incoming incoming);
  [[nodiscard]] bool is_from_elsewhere(const Incoming& incoming) const;
  [[nodiscard]] bool is_signed(const Incoming& incoming, const FormFields& form) const;
  Reply refuse(unsigned status, std::string kind, const Incoming& incoming, std::string detail);

  LegacyOptions options_;
  Service& service_;
  RateLimiter asks_;
  RateLimiter messages_;
};

}  // namespace zkv::gateway::http
