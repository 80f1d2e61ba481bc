// Twilio's Messages API: the approver gets the PIN by SMS.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret_bytes.h"
#include "gateway/channel/channel.h"
#include "net/retry.h"

namespace zkv::gateway {

struct TwilioOptions {
  std::string account_id;
  SecretBytes token;
  std::string from;  ///< a number of the account's, E.164
  std::string to;    ///< the approver's number, E.164
  std::string api_uri = "https://api.twilio.com";
  std::string ca_file;  ///< PEM of trusted roots in place of the system's; empty: the system's
};

/// Errors: kInvalid for an incomplete setting; the message names it.
Result<std::unique_ptr<Channel>> make_twilio_channel(TwilioOptions options,
                                                     net::Clock clock = net::Clock::system());

}  // namespace zkv::gateway
