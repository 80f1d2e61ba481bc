// The parts of the HTTP server by themselves: proxies' words, rate limits, forms, reading.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "gateway/http/forwarded.h"
#include "gateway/http/limits.h"
#include "gateway/http/request_reader.h"

namespace zkv::gateway::http {
namespace {

using namespace std::chrono_literals;

Origin peer(const char* address) { return {parse_address(address).value(), false}; }

TEST(Forwarding, TheRightMostUntrustedHopIsTheClient) {
  const std::vector<Network> trusted{Network::parse("10.0.0.0/8").value()};
  boost::beast::http::fields headers;
  headers.insert("X-Forwarded-For", "1.1.1.1, 203.0.113.5:4711");
  headers.insert("X-Forwarded-For", "10.0.0.2");
  headers.insert("X-Forwarded-Proto", "https");
  const auto origin = origin_of(peer("10.0.0.1"), headers, trusted);
  EXPECT_EQ(gateway::to_text(origin.address), "203.0.113.5");
  EXPECT_TRUE(origin.secure);
  EXPECT_EQ(gateway::to_text(origin_of(peer("192.0.2.1"), headers, trusted).address), "192.0.2.1");
  EXPECT_FALSE(origin_of(peer("192.0.2.1"), headers, trusted).secure);
}

TEST(Forwarding, AHopThatIsNoAddressIsWhereBeliefEnds) {
  const std::vector<Network> trusted{Network::parse("10.0.0.0/8").value()};
  boost::beast::http::fields headers;
  headers.insert("X-Forwarded-For", "203.0.113.5, unknown");
  EXPECT_EQ(gateway::to_text(origin_of(peer("10.0.0.1"), headers, trusted).address), "10.0.0.1");
}

TEST(RateLimits, ABucketRefillsWithTimeAndIsPerAddress) {
  RateLimiter limiter(1s, 2);
  const RateLimiter::Clock::time_point start{};
  const auto one = parse_address("192.0.2.1").value();
  EXPECT_TRUE(limiter.allow(one, start));
  EXPECT_TRUE(limiter.allow(one, start));
  EXPECT_FALSE(limiter.allow(one, start + 999ms));
  EXPECT_TRUE(limiter.allow(one, start + 1s));
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.2").value(), start));
}

TEST(RateLimits, AnIpv6NetworkOf64BitsIsOneAsker) {
  RateLimiter limiter(1s, 1);
  EXPECT_TRUE(limiter.allow(parse_address("2001:db8::1").value(), {}));
  EXPECT_FALSE(limiter.allow(parse_address("2001:db8::2").value(), {}));
  EXPECT_TRUE(limiter.allow(parse_address("2001:db8:0:1::1").value(), {}));
}

TEST(RateLimits, ManyAddressesDoNotHoldMemoryForEver) {
  RateLimiter limiter(1s, 1, 2);
  const RateLimiter::Clock::time_point start{};
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.1").value(), start));
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.2").value(), start));
  EXPECT_FALSE(limiter.allow(parse_address("192.0.2.3").value(), start));
  EXPECT_TRUE(limiter.allow(parse_address("192.0.2.3").value(), start + 1s));
  EXPECT_EQ(limiter.size(), 1U);
}

TEST(Forms, AreDecodedAsBrowsersSendThem) {
  EXPECT_THAT(parse_form("Body=12+34&From=%2B1555&empty=&alone&bad=%zz"),
              testing::ElementsAre(testing::Pair("Body", "12 34"), testing::Pair("From", "+1555"),
                                   testing::Pair("empty", ""), testing::Pair("alone", ""),
                                   testing::Pair("bad", "%zz")));
}

TEST(RequestReading, ARequestInSinglePiecesIsTheSame) {
  RequestReader reader;
  std::string input;
  const std::string text = "POST /a?b=c HTTP/1.1\r\nHost: g\r\nContent-Length: 3\r\n\r\nxyz";
  for (const char c : text.substr(0, text.size() - 1)) {
    input += c;
    ASSERT_EQ(reader.take(input), RequestReader::State::kNeedsMore);
  }
  input += "zNEXT";
  ASSERT_EQ(reader.take(input), RequestReader::State::kDone);
  const auto incoming = reader.take_request();
  EXPECT_EQ(incoming.path(), "/a");
  EXPECT_EQ(incoming.query(), "b=c");
  EXPECT_EQ(incoming.body, "xyz");
  EXPECT_EQ(input, "NEXT");
}

}  // namespace
}  // namespace zkv::gateway::http
