// The seed's two endpoints over the wire: what each client gets, and what an attacker does not.
#include "http_world.h"

namespace zkv::gateway::http {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::StartsWith;

TEST_F(HttpTest, AReleasedKeyIsTheWholeBodyAsPlainText) {
  const auto reply = ask_for_key(Answer::Outcome::kReleased);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Type: text/plain; charset=utf-8\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 18\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-Id: 0123456789\r\n"));
  EXPECT_THAT(reply, HasSubstr("Cache-Control: no-store\r\n"));
  EXPECT_THAT(reply, testing::EndsWith("\r\n\r\nthe-repository-key"));
  EXPECT_TRUE(service_.wait_until([&] { return service_.delivered_ == std::vector<bool>{true}; }));
}

TEST_F(HttpTest, DeniedAndExpiredAreBothAnEmpty401ThatAHeaderTellsApart) {
  const auto reply = ask_for_key(Answer::Outcome::kDenied);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-State: denied\r\n"));
  EXPECT_THAT(reply, HasSubstr("Content-Length: 0\r\n"));
}

TEST_F(HttpTest, AnExpiredRequestIsA401) {
  const auto reply = ask_for_key(Answer::Outcome::kExpired);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-State: expired\r\n"));
}

TEST_F(HttpTest, AVaultThatFailsIsA500) {
  const auto reply = ask_for_key(Answer::Outcome::kVaultFailed);
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 500 Internal Server Error\r\n"));
  EXPECT_THAT(reply, HasSubstr("ZKV-Request-State: failed\r\n"));
}

TEST_F(HttpTest, TooManyOpenRequestsAreA429) {
  EXPECT_THAT(ask_for_key(Answer::Outcome::kTooMany), StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
}

TEST_F(HttpTest, TheClientsTokenReachesTheService) {
  ask_for_key(Answer::Outcome::kDenied, std::string("ZKV-Request-Token: ") + kToken + "\r\n");
  EXPECT_EQ(service_.asks_.front().token, kToken);
  EXPECT_EQ(service_.asks_.front().address, "127.0.0.1");
}

TEST_F(HttpTest, AMalformedTokenIsRefused) {
  EXPECT_THAT(ask(get("/request-keys", "ZKV-Request-Token: short\r\n")), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(service_.asks_.empty());
}

TEST_F(HttpTest, ABrowserThatAPageOfAnotherSiteHasAskIsRefused) {
  for (const std::string header : {"Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n",
                                   "Origin: https://evil.example\r\n", "Origin: null\r\n"}) {
    EXPECT_THAT(ask(get("/request-keys", header)), StartsWith("HTTP/1.1 403 ")) << header;
  }
  EXPECT_TRUE(service_.asks_.empty());
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.origin 127.0.0.1")));
}

TEST_F(HttpTest, ASecondAskOfAnAddressWithinASecondIsA429AndNoted) {
  Client first(port());
  first.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  const auto reply = ask(get("/request-keys"));
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 429 Too Many Requests\r\n"));
  EXPECT_THAT(reply, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.rate 127.0.0.1")));
  Client other(port(), "127.0.0.2");
  other.send(get("/request-keys"));
  EXPECT_TRUE(service_.wait_for_asks(2));
}

TEST_F(HttpTest, AClientThatGoesAwayIsNoticedAtOnce) {
  Client client(port());
  client.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  client.close();
  EXPECT_TRUE(service_.wait_until([&] { return service_.waiting_.empty(); }));
}

TEST_F(HttpTest, AClientThatSendsOnWithoutEndIsTreatedAsGone) {
  Client client(port());
  client.send(get("/request-keys"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  client.send(std::string(64 * 1024, 'x'));
  EXPECT_TRUE(service_.wait_until([&] { return service_.waiting_.empty(); }));
}

TEST_F(HttpTest, AClientTreatedAsGoneIsNotToldThatItsRequestWasCancelled) {
  service_.outcome_ = Answer::Outcome::kCancelled;
  Client client(port());
  client.send(get("/request-keys", "ZKV-Request-Token: " + std::string(kToken) + "\r\n"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  std::string pipelined;
  for (int i = 0; i < 300; ++i) pipelined += "GET /livez HTTP/1.1\r\nHost: g\r\n\r\n";
  EXPECT_EQ(client.send(pipelined).read_all(), "");
}

TEST_F(HttpTest, AnAddressOutsideLegacyAllowMayNotAsk) {
  options_.legacy->allow = {Network::parse("127.0.0.7").value()};
  EXPECT_THAT(ask(get("/request-keys")), StartsWith("HTTP/1.1 403 Forbidden\r\n"));
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.address 127.0.0.1")));
  Client allowed(port(), "127.0.0.7");
  allowed.send(get("/request-keys"));
  EXPECT_TRUE(service_.wait_for_asks(1));
}

TEST_F(HttpTest, AForgedForwardedAddressOpensNothing) {
  options_.legacy->allow = {Network::parse("10.0.0.0/8").value()};
  EXPECT_THAT(ask(get("/request-keys", "X-Forwarded-For: 10.0.0.1\r\n")), StartsWith("HTTP/1.1 403 "));
}

TEST_F(HttpTest, ATrustedProxyTellsTheClientsAddress) {
  options_.trusted_proxies = {Network::parse("127.0.0.0/8").value()};
  Client client(port());
  client.send(get("/request-keys", "X-Forwarded-For: 198.51.100.9, 203.0.113.5\r\n"));
  ASSERT_TRUE(service_.wait_for_asks(1));
  EXPECT_EQ(service_.asks_.front().address, "203.0.113.5");
}

TEST_F(HttpTest, ASignedMessageFromTheApproverApproves) {
  EXPECT_THAT(ask(signed_message("123456")), StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(service_.pins_,
              testing::ElementsAre(testing::MatchesRegex("123456 [A-Za-z0-9+/]+= sms:.15551234567")));
}

TEST_F(HttpTest, AMessageInTheQueryCountsAsTheAddressIsSignedWithIt) {
  const auto message = [](const std::string& query) {
    return post(
        "/incoming-message" + query, "From=%2B15551234567&MessageSid=SM1",
        signature("https://gateway.example/incoming-message?Body=123456From+15551234567MessageSidSM1"));
  };
  EXPECT_THAT(ask(message("?Body=123456"), "127.0.0.2"), StartsWith("HTTP/1.1 204 No Content\r\n"));
  EXPECT_THAT(ask(message("?Body=123457"), "127.0.0.3"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask(message(""), "127.0.0.4"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(service_.pins_,
              testing::ElementsAre(testing::MatchesRegex("123456 [A-Za-z0-9+/]+= sms:.15551234567")));
}

/// The signature has nothing between names and values: its owner's text can be cut anew by who has seen it.
TEST_F(HttpTest, AStrangersWordsDoNotMakeThemTheApprover) {
  const auto stranger = signature(
      "https://gateway.example/incoming-messageBody123456From+15551234567From+19998887777MessageSidSM1");
  const auto send = [&](const std::string& form, const char* from) {
    return ask(post("/incoming-message", form, stranger), from);
  };
  EXPECT_THAT(send("Body=123456From%2B15551234567&From=%2B19998887777&MessageSid=SM1", "127.0.0.2"),
              StartsWith("HTTP/1.1 403 "))
      << "as it was sent";
  EXPECT_THAT(send("Body=123456&From=%2B15551234567&From=%2B19998887777&MessageSid=SM1", "127.0.0.3"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(send("Body=123456&From=%2B15551234567&From%2B19998887777=&MessageSid=SM1", "127.0.0.4"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(send("Body=123456&From=%2B15551234567&From%2B1999=8887777MessageSidSM1", "127.0.0.5"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(service_.pins_, testing::IsEmpty());
}

TEST_F(HttpTest, WhereTheSenderLivesIsNoSecondSender) {
  const std::string text =
      "https://gateway.example/incoming-messageBody123456From+15551234567FromCityBONNFromCountryDE";
  EXPECT_THAT(ask(post("/incoming-message", "Body=123456&From=%2B15551234567&FromCity=BONN&FromCountry=DE",
                       signature(text))),
              StartsWith("HTTP/1.1 204 "));
}

TEST_F(HttpTest, AMessageThatIsCutAnewIsTheSameMessage) {
  const auto sent =
      signature("https://gateway.example/incoming-messageBody123456From+15551234567MessageSidSM1NumMedia0");
  const auto send = [&](const std::string& rest, const char* from) {
    return ask(post("/incoming-message", "Body=123456&From=%2B15551234567&" + rest, sent), from);
  };
  EXPECT_THAT(send("MessageSid=SM1&NumMedia=0", "127.0.0.2"), StartsWith("HTTP/1.1 204 "));
  EXPECT_THAT(send("MessageSid=SM1NumMedia0", "127.0.0.3"), StartsWith("HTTP/1.1 204 "));
  ASSERT_EQ(service_.pins_.size(), 2U);
  EXPECT_EQ(service_.pins_[0], service_.pins_[1]) << "the same words are known by";
}

TEST_F(HttpTest, WhatATrailerSaysOfTheClientIsPassedOver) {
  options_.trusted_proxies = {Network::parse("127.0.0.0/8").value()};
  Client client(port());
  client.send(
      "GET /request-keys HTTP/1.1\r\nHost: g\r\nX-Forwarded-For: 203.0.113.5\r\nTransfer-Encoding: "
      "chunked\r\n\r\n"
      "0\r\nX-Forwarded-For: 10.6.6.6\r\n\r\n");
  ASSERT_TRUE(service_.wait_for_asks(1));
  EXPECT_EQ(service_.asks_.front().address, "203.0.113.5");
}

TEST_F(HttpTest, AnUnknownPinIsA404) {
  service_.pin_outcome_ = PinOutcome::kUnknownPin;
  EXPECT_THAT(ask(signed_message("123456")), StartsWith("HTTP/1.1 404 Not Found\r\n"));
}

TEST_F(HttpTest, WordsAreNoTryOfAPin) {
  EXPECT_THAT(ask(signed_message("hello")), StartsWith("HTTP/1.1 404 Not Found\r\n"));
  EXPECT_TRUE(service_.pins_.empty());
}

TEST_F(HttpTest, AMessageWithoutABodyIsA400) {
  EXPECT_THAT(ask(signed_message("")), StartsWith("HTTP/1.1 400 Bad Request\r\n"));
}

TEST_F(HttpTest, AnUnsignedMessageIsRefusedAndNoted) {
  EXPECT_THAT(ask(post("/incoming-message", "Body=123456&From=%2B15551234567")), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.webhook-signature 127.0.0.1")));
}

TEST_F(HttpTest, ASignatureForAnotherAddressIsRefused) {
  const std::string fields = "Body123456From+15551234567";
  EXPECT_THAT(ask(post("/incoming-message", "Body=123456&From=%2B15551234567",
                       signature("https://other.example/incoming-message" + fields))),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
}

TEST_F(HttpTest, AForgedHostDoesNotMakeASignatureForItValid) {
  const std::string body = "Body=123456&From=%2B15551234567";
  const auto message =
      "POST /incoming-message HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\nContent-Length: " +
      std::to_string(body.size()) + "\r\n" +
      signature("https://other.example/incoming-messageBody123456From+15551234567") + "\r\n" + body;
  EXPECT_THAT(ask(message), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
}

TEST_F(HttpTest, AnotherSendersMessageIsRefusedThoughSigned) {
  EXPECT_THAT(ask(signed_message("123456", "+15550000000")), StartsWith("HTTP/1.1 403 "));
  EXPECT_TRUE(service_.pins_.empty());
  EXPECT_THAT(service_.refusals(), Contains(StartsWith("refused.webhook-sender 127.0.0.1")));
}

TEST_F(HttpTest, WithoutTwilioThereIsNoWebhook) {
  options_.legacy->twilio_token = SecretBytes();
  EXPECT_THAT(ask(signed_message("123456")), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpTest, WithoutLegacyThereAreNoLegacyEndpoints) {
  options_.legacy.reset();
  EXPECT_THAT(ask(get("/request-keys")), StartsWith("HTTP/1.1 404 "));
}

}  // namespace
}  // namespace zkv::gateway::http
