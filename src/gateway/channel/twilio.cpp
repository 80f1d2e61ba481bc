// Sending the PIN by Twilio, and what each refusal means.
#include "gateway/channel/twilio.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <exception>
#include <utility>

#include "base/encoding.h"
#include "net/address.h"
#include "net/form.h"
#include "net/http_client.h"

namespace zkv::gateway {

namespace {

constexpr std::chrono::seconds kAttemptLimit{10};
constexpr std::chrono::seconds kTimeLimit{30};
constexpr unsigned kAttempts = 4;
constexpr std::string_view kText =
    "Request received for repository encryption key, respond with this PIN to confirm: ";

struct Remedy {
  std::int64_t code;
  const char* text;
};
// Source: Twilio, "Error and Warning Dictionary".
constexpr std::array<Remedy, 9> kRemedies = {{
    {20003, "check TWILIO_ACCOUNT_ID and TWILIO_TOKEN"},
    {20404, "check TWILIO_ACCOUNT_ID"},
    {21211, "check SMS_TO: it is no valid number, write it as +15551234567"},
    {21212, "check SMS_FROM: it is no valid number, write it as +15551234567"},
    {21408, "allow SMS to this country in the Twilio console"},
    {21606, "check SMS_FROM: it is no number of this account that can send SMS"},
    {21608, "a trial account sends to verified numbers only: verify SMS_TO in the Twilio console"},
    {21610, "the number answered STOP: send START from that phone to the number in SMS_FROM"},
    {21614, "check SMS_TO: it is no mobile number"},
}};

SecretBytes basic_authorization(const TwilioOptions& options) {
  SecretBuilder pair;
  pair.append(options.account_id);
  pair.append(":");
  pair.append(options.token.span());
  SecretBuilder header;
  header.append("Basic ");
  header.append(to_base64_secret(pair.take().span(), Base64::kStandard).span());
  return header.take();
}

/// What an answer of Twilio's says went wrong: its own sentence, with the number it is known by.
Error refusal(const std::string& where, const net::HttpResponse& response) {
  std::int64_t code = 0;
  std::string message = "no reason given";
  try {
    const auto json = boost::json::parse(response.body.view());
    code = json.at("code").to_number<std::int64_t>();
    message = std::string(json.at("message").as_string()).substr(0, 200);
  } catch (const std::exception&) {
    code = 0;
  }
  const auto known = std::find_if(kRemedies.begin(), kRemedies.end(),
                                  [code](const Remedy& remedy) { return remedy.code == code; });
  const std::string text =
      fmt::format("{} does not send the SMS: {} (code {}, status {})", where, message, code, response.status);
  const bool may_pass = response.status == 429 || response.status >= 500;
  return (may_pass ? Error::unavailable(text) : Error::denied(text))
      .remedy(known != kRemedies.end() ? known->text : "look the code up in Twilio's error dictionary");
}

class TwilioChannel : public Channel {
 public:
  TwilioChannel(TwilioOptions options, net::Clock clock)
      : options_(std::move(options)),
        clock_(std::move(clock)),
        authorization_(basic_authorization(options_)),
        client_({.ca_file = options_.ca_file}) {}

  [[nodiscard]] std::string description() const override { return "SMS by Twilio to " + options_.to; }
  [[nodiscard]] bool wants_pin() const override { return true; }

  Result<> notify(const Notice& notice, const std::stop_token& stop) override {
    net::HttpRequest request = message_request(notice);
    const Time deadline = std::min(clock_.now() + kTimeLimit, notice.expires_at);
    ZKV_TRY(
        const net::HttpResponse response,
        net::send_patiently(client_, request, {.attempts = kAttempts, .deadline = deadline}, clock_, stop));
    if (response.status >= 200 && response.status < 300) return {};
    return refusal(options_.api_uri, response);
  }

 private:
  [[nodiscard]] net::HttpRequest message_request(const Notice& notice) const {
    SecretBuilder text;
    text.append(kText);
    text.append(notice.pin.span());
    const SecretBytes message = text.take();
    net::FormBuilder form;
    form.add("To", options_.to).add("From", options_.from).add("Body", message.view());
    net::HttpRequest request;
    request.method = "POST";
    request.url = fmt::format("{}/2010-04-01/Accounts/{}/Messages.json", options_.api_uri,
                              net::percent_encode(options_.account_id));
    request.headers = {{"Accept", "application/json"}};
    request.secret_headers.emplace_back("Authorization", authorization_.clone());
    request.body = form.take();
    request.timeout = kAttemptLimit;
    return request;
  }

  TwilioOptions options_;
  net::Clock clock_;
  SecretBytes authorization_;
  net::HttpClient client_;
};

Result<> require(bool is_set, const char* setting) {
  if (is_set) return {};
  return Error::invalid(fmt::format("{} is not set", setting)).remedy("the channel 'twilio' needs it");
}

}  // namespace

Result<std::unique_ptr<Channel>> make_twilio_channel(TwilioOptions options, net::Clock clock) {
  ZKV_CHECK(require(!options.account_id.empty(), "TWILIO_ACCOUNT_ID"));
  ZKV_CHECK(require(!options.token.empty(), "TWILIO_TOKEN"));
  ZKV_CHECK(require(!options.from.empty(), "SMS_FROM"));
  ZKV_CHECK(require(!options.to.empty(), "SMS_TO"));
  while (options.api_uri.ends_with('/')) options.api_uri.pop_back();
  const auto address = net::parse_address(options.api_uri);
  if (!address) return Error(address.error()).context("TWILIO_API_URI");
  if (!address->is_secure() && !address->is_loopback()) {
    return Error::invalid("TWILIO_API_URI is plain http").remedy("use https://");
  }
  return std::make_unique<TwilioChannel>(std::move(options), std::move(clock));
}

}  // namespace zkv::gateway
