// What the DNS calls an address, before a name server that answers, lies, and is silent.
#include "gateway/http/network_names.h"

#include <gtest/gtest.h>

#include "name_server.h"

namespace zkv::gateway::http {
namespace {

constexpr const char* kAddress = "192.0.2.7";
constexpr const char* kQuestion = "7.2.0.192.in-addr.arpa";

class NetworkNamesTest : public ::testing::Test {
 protected:
  void start(NetworkNamesOptions options = {}) {
    options.servers = server_.address();
    auto started = NetworkNames::start(options);
    ASSERT_TRUE(started);
    names_ = std::move(*started);
  }
  /// What is known once it has been looked up.
  std::optional<std::string> looked_up(const std::string& address) {
    EXPECT_EQ(names_->name_of(address), std::nullopt) << "nobody waits for a name server";
    names_->settle();
    return names_->name_of(address);
  }

  const std::vector<std::uint8_t> bytes_{192, 0, 2, 7};
  const std::vector<std::uint8_t> other_{192, 0, 2, 8};
  test::NameServer server_;
  std::unique_ptr<NetworkNames> names_;
};

TEST_F(NetworkNamesTest, ANameThatLeadsBackIsKnownFromTheSecondAskOnAndLookedUpOnce) {
  server_.point(kQuestion, "dsl-7.example.net");
  server_.lead("dsl-7.example.net", bytes_);
  start();
  EXPECT_EQ(looked_up(kAddress), "dsl-7.example.net");
  const auto asked = server_.questions();
  EXPECT_EQ(names_->name_of(kAddress), "dsl-7.example.net");
  names_->settle();
  EXPECT_EQ(server_.questions(), asked);
}

TEST_F(NetworkNamesTest, AnAddressOfSixteenBytesHasANameToo) {
  server_.point("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
                "six.example.net");
  std::vector<std::uint8_t> bytes(16);
  bytes[0] = 0x20;
  bytes[1] = 0x01;
  bytes[2] = 0x0d;
  bytes[3] = 0xb8;
  bytes[15] = 1;
  server_.lead("six.example.net", bytes);
  start();
  EXPECT_EQ(looked_up("2001:db8::1"), "six.example.net");
}

TEST_F(NetworkNamesTest, WhoeverRunsTheReverseZoneCannotTakeTheNameOfSomebodyElse) {
  server_.point(kQuestion, "nas.your-home.example");
  server_.lead("nas.your-home.example", other_);
  start();
  EXPECT_EQ(looked_up(kAddress), std::nullopt);
}

TEST_F(NetworkNamesTest, ANameOfOtherLettersIsNone) {
  const std::vector<std::string> hostile{"<b>x</b>.example", std::string("a\x1b[2J.example"),
                                         "\xe2\x80\xae.example", "a b.example"};
  for (const auto& name : hostile) {
    server_.point(kQuestion, name);
    server_.lead(name, bytes_);
    start();
    EXPECT_EQ(looked_up(kAddress), std::nullopt) << name;
  }
}

TEST_F(NetworkNamesTest, WhatHasNoNameIsNotAskedForAgainAtOnce) {
  start();
  EXPECT_EQ(looked_up(kAddress), std::nullopt);
  names_->settle();
  const auto asked = server_.questions();
  EXPECT_EQ(names_->name_of(kAddress), std::nullopt);
  names_->settle();
  EXPECT_EQ(server_.questions(), asked);
}

TEST_F(NetworkNamesTest, ANameThatIsOverIsShownUntilTheNewOneIsThere) {
  server_.point(kQuestion, "old.example");
  server_.lead("old.example", bytes_);
  NetworkNamesOptions options;
  options.keeps_name = std::chrono::seconds(0);
  start(options);
  static_cast<void>(names_->name_of(kAddress));
  names_->settle();
  server_.point(kQuestion, "new.example");
  server_.lead("new.example", bytes_);
  EXPECT_EQ(names_->name_of(kAddress), "old.example");
  names_->settle();
  EXPECT_EQ(names_->name_of(kAddress), "new.example");
}

TEST_F(NetworkNamesTest, WhatIsNoAddressHasNoNameAndNobodyIsAsked) {
  start();
  for (const auto* text : {"", "uid 0", "localhost", "192.0.2.7:443"})
    EXPECT_EQ(looked_up(text), std::nullopt);
  EXPECT_EQ(server_.questions(), 0U);
}

TEST_F(NetworkNamesTest, ASilentServerHoldsNobodyUpAndIsGivenUpAtTheEnd) {
  server_.be_silent();
  NetworkNamesOptions options;
  options.patience = std::chrono::hours(1);
  start(options);
  EXPECT_EQ(names_->name_of(kAddress), std::nullopt);
  server_.await_question();
  EXPECT_EQ(names_->name_of("192.0.2.8"), std::nullopt);
  names_.reset();
}

TEST_F(NetworkNamesTest, ASilentServerIsGivenUpAfterAWhile) {
  server_.be_silent();
  NetworkNamesOptions options;
  options.patience = std::chrono::milliseconds(20);
  start(options);
  EXPECT_EQ(looked_up(kAddress), std::nullopt);
  EXPECT_GE(server_.questions(), 2U);
}

TEST_F(NetworkNamesTest, VeryManyAddressesFillNoMemory) {
  start();
  for (int i = 0; i < 4'000; ++i) {
    static_cast<void>(names_->name_of("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256)));
  }
  names_->settle();
  EXPECT_LE(server_.questions(), 1'024U * 3);
}

}  // namespace
}  // namespace zkv::gateway::http
