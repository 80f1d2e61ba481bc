// Web Push messages: the published example of RFC 8291, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/random.h"
#include "gateway/channel/web_push_message.h"

namespace zkv::gateway {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

Bytes decoded(std::string_view text) { return from_base64(text, Base64::kUrlNoPadding).value(); }

/// RFC 8291, 5 and appendix A.
PushSubscription example() {
  PushSubscription subscription;
  std::ranges::copy(
      decoded("BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"),
      subscription.key.begin());
  std::ranges::copy(decoded("BTBZMqHH6r4Tts7J_aSIgg"), subscription.auth.begin());
  return subscription;
}

PushKey example_sender() {
  const auto secret =
      from_base64_secret("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw", Base64::kUrlNoPadding);
  return PushKey::from_secret(*secret).value();
}

TEST(WebPush, TheExampleOfTheRfcComesOutByteByByte) {
  const auto body = encrypt_push(example(), "When I grow up, I want to be a watermelon", example_sender(),
                                 decoded("DGv6ra1nlYgDCS1FRnbzlw"));
  ASSERT_TRUE(body) << body.error().message();
  EXPECT_EQ(to_base64(*body, Base64::kUrlNoPadding),
            "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_"
            "c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
            "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN");
}

TEST(WebPush, AKeyComesBackFromItsSecret) {
  const auto key = PushKey::make().value();
  const auto again = PushKey::from_secret(key.secret()).value();
  EXPECT_EQ(again.point(), key.point());
  const auto other = PushKey::make().value();
  EXPECT_EQ(to_hex(key.agree(other.point()).value().span()), to_hex(other.agree(key.point()).value().span()));
}

TEST(WebPush, WhatIsNoKeyOfTheCurveIsRefused) {
  EXPECT_FALSE(PushKey::from_secret(SecretBytes(kPushKeySize)));
  EXPECT_FALSE(PushKey::from_secret(SecretBytes(kPushKeySize - 1)));
  SecretBytes beyond(kPushKeySize);
  std::ranges::fill(beyond.span(), 0xff);
  EXPECT_FALSE(PushKey::from_secret(beyond));
  auto subscription = example();
  subscription.key[40] ^= 1;
  const auto body = encrypt_push(subscription, "text", example_sender(), Bytes(16));
  ASSERT_FALSE(body);
  EXPECT_EQ(body.error().kind(), ErrorKind::kInvalid);
}

TEST(WebPush, ATextThatIsTooLongIsRefused) {
  EXPECT_TRUE(encrypt_push(example(), std::string(kLongestPushText, 'x'), example_sender(), Bytes(16)));
  EXPECT_FALSE(encrypt_push(example(), std::string(kLongestPushText + 1, 'x'), example_sender(), Bytes(16)));
}

TEST(WebPush, TheTokenNamesServiceAndSenderAndIsSigned) {
  const auto key = PushKey::make().value();
  const auto header = vapid_authorization(key, "https://push.example", "mailto:owner@example.org",
                                          Time(std::chrono::seconds(1'800'000'000)));
  ASSERT_TRUE(header);
  EXPECT_THAT(*header, StartsWith("vapid t="));
  EXPECT_THAT(*header, HasSubstr(", k=" + to_base64(key.point(), Base64::kUrlNoPadding)));
  const auto token = header->substr(8, header->find(',') - 8);
  const auto first = token.find('.');
  const auto second = token.find('.', first + 1);
  const auto claims = decoded(token.substr(first + 1, second - first - 1));
  EXPECT_EQ(std::string(claims.begin(), claims.end()),
            R"({"aud":"https://push.example","exp":1800000000,"sub":"mailto:owner@example.org"})");
  EXPECT_EQ(decoded(token.substr(second + 1)).size(), 64U);
}

}  // namespace
}  // namespace zkv::gateway
