// The bodies of version 2's messages: there and back, at their limits, and misshapen in each member.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "crypto/random.h"
#include "protocol/heartbeat.h"
#include "protocol/messages.h"

namespace zkv::protocol {
namespace {

namespace json = boost::json;
using testing::HasSubstr;

constexpr Time kThen{std::chrono::milliseconds(1'795'000'000'123)};

template <std::size_t size>
std::array<std::uint8_t, size> random_bytes() {
  std::array<std::uint8_t, size> bytes{};
  crypto::fill_random(bytes);
  return bytes;
}

GatewayStatement statement() {
  return {random_bytes<32>(), random_bytes<32>(), random_bytes<32>(), "home", kThen};
}
Enrolment enrolment() {
  return {random_bytes<20>(), random_bytes<32>(), crypto::VerifyingKey(random_bytes<32>()),
          random_bytes<16>(), random_bytes<80>(), kThen};
}
RequestMessage request() {
  return {.host = random_bytes<32>(),
          .gateway = random_bytes<32>(),
          .key = random_bytes<32>(),
          .time = kThen,
          .number = "07",
          .repository = random_bytes<16>(),
          .generation = 12,
          .volumes = {"tank/home", "tank/é"},
          .evidence = {"boot", "6.1.0", "nas", 4200, {"192.0.2.7", "2001:db8::7"}, true, true}};
}
Word word() { return {Word::Kind::kCancel, random_bytes<32>(), kThen}; }
Release release() {
  return {random_bytes<32>(),
          random_bytes<32>(),
          random_bytes<32>(),
          random_bytes<80>(),
          {random_bytes<32>(), random_bytes<32>()},
          kThen};
}

Heartbeat heartbeat() {
  return {random_bytes<32>(),
          random_bytes<32>(),
          kThen,
          "1.2.3",
          random_bytes<16>(),
          12,
          3,
          {"tank/é: its key was changed", "data: it is not there"}};
}
HeartbeatAnswer heartbeat_answer() {
  return {random_bytes<32>(), random_bytes<32>(), random_bytes<32>(), ShareState::kThere, {}, {}, kThen};
}

template <class Message>
Result<Message> read(const std::string& body) {
  return read_body<Message>(bytes_of(body));
}

/// Each member in turn is left out, and is put in with a value that it cannot have.
template <class Message>
void expect_each_member_is_checked(const Message& message) {
  const json::object whole = json::parse(to_body(message)).as_object();
  for (const auto& entry : whole) {
    const std::string name(entry.key());
    json::object changed = whole;
    changed.erase(name);
    EXPECT_EQ(read<Message>(json::serialize(changed)).error().kind(), ErrorKind::kInvalid)
        << "without " << name;
    changed[name] = -1;
    const auto wrong = read<Message>(json::serialize(changed));
    ASSERT_FALSE(wrong) << name;
    EXPECT_THAT(wrong.error().message(), HasSubstr("'" + name + "'"));
  }
}

TEST(Messages, GoToTheirBodyAndBack) {
  const auto there_and_back = [](const auto& message) {
    const auto body = to_body(message);
    const auto back = read<std::remove_cvref_t<decltype(message)>>(body);
    ASSERT_TRUE(back) << back.error().message();
    EXPECT_EQ(to_body(*back), body);
  };
  there_and_back(statement());
  there_and_back(enrolment());
  there_and_back(request());
  there_and_back(word());
  there_and_back(release());
  there_and_back(heartbeat());
  there_and_back(heartbeat_answer());
  auto drill = request();
  drill.is_drill = true;
  there_and_back(drill);
  auto knowing = statement();
  knowing.knows = {"drill", "later"};
  there_and_back(knowing);
  auto missing = heartbeat_answer();
  missing.share = ShareState::kMissing;
  missing.why = "there is no secret";
  missing.share_expires = kThen;
  there_and_back(missing);
}

TEST(Messages, AreRefusedWithTheNameOfTheMemberThatIsWrong) {
  expect_each_member_is_checked(statement());
  expect_each_member_is_checked(enrolment());
  expect_each_member_is_checked(request());
  expect_each_member_is_checked(word());
  expect_each_member_is_checked(release());
  expect_each_member_is_checked(heartbeat());
  expect_each_member_is_checked(heartbeat_answer());
}

TEST(Messages, WithMembersOfALaterVersionAreRead) {
  json::object later = json::parse(to_body(word())).as_object();
  later["colour"] = "blue";
  EXPECT_TRUE(read<Word>(json::serialize(later)));
}

TEST(Messages, OfABodyThatIsNoObjectAreRefused) {
  for (const auto* body : {"", "null", "[]", "{", "{}x", "\xff\xfe"}) EXPECT_FALSE(read<Word>(body)) << body;
}

TEST(Messages, OfAnUnknownWordSaySo) {
  const std::string body =
      json::serialize(json::object{{"word", "sing"}, {"request", std::string(64, '0')}, {"time", 1}});
  EXPECT_EQ(read<Word>(body).error().kind(), ErrorKind::kUnsupported);
}

TEST(Enrolments, OfAnUnknownKindOfIdentitySaySo) {
  json::object other = json::parse(to_body(enrolment())).as_object();
  other["identity"].as_object()["crv"] = "Ed448";
  EXPECT_THAT(read<Enrolment>(json::serialize(other)).error().message(), HasSubstr("Ed448"));
}

TEST(Requests, OfHostsThatSayNothingOfATpmHaveNone) {
  json::object earlier = json::parse(to_body(request())).as_object();
  earlier["evidence"].as_object().erase("tpm");
  EXPECT_FALSE(read<RequestMessage>(json::serialize(earlier)).value().evidence.has_tpm);
  earlier["evidence"].as_object()["tpm"] = "yes";
  EXPECT_THAT(read<RequestMessage>(json::serialize(earlier)).error().message(), HasSubstr("'tpm'"));
}

TEST(Requests, OfHostsThatSayNothingOfADrillAreNone) {
  json::object boot = json::parse(to_body(request())).as_object();
  EXPECT_FALSE(boot.contains("drill"));
  EXPECT_FALSE(read<RequestMessage>(json::serialize(boot)).value().is_drill);
  boot["drill"] = true;
  EXPECT_TRUE(read<RequestMessage>(json::serialize(boot)).value().is_drill);
  boot["next_boot"] = 3600;
  EXPECT_THAT(read<RequestMessage>(json::serialize(boot)).error().message(), HasSubstr("'drill'"));
}

TEST(Statements, OfTheFirstGatewaysKnowNeitherDrillsNorHeartbeats) {
  const auto first = read<GatewayStatement>(to_body(statement())).value();
  EXPECT_FALSE(first.does_know(kKnowsDrills));
  EXPECT_FALSE(first.does_know(kKnowsHeartbeats));
}

TEST(Heartbeats, HoldSoManyFindingsAndNoMore) {
  auto many = heartbeat();
  many.count = 9;
  many.findings.assign(kMostFindings, std::string(kLongestFinding, 'x'));
  EXPECT_TRUE(read<Heartbeat>(to_body(many)));
  many.findings.emplace_back("one more");
  EXPECT_FALSE(read<Heartbeat>(to_body(many)));
  many.findings = {std::string(kLongestFinding + 1, 'x')};
  EXPECT_FALSE(read<Heartbeat>(to_body(many)));
  many.findings = {"a", "b"};
  many.count = 1;
  EXPECT_THAT(read<Heartbeat>(to_body(many)).error().message(), HasSubstr("more lines than findings"));
}

TEST(Heartbeats, FindingsAreCutBetweenCharactersAndMadeHarmless) {
  EXPECT_EQ(as_finding("a\x1b[2J\nb"), "a?[2J?b");
  const auto cut = as_finding(std::string(kLongestFinding - 1, 'x') + "é");
  EXPECT_EQ(cut, std::string(kLongestFinding - 1, 'x'));
}

TEST(Requests, HoldSoManyVolumesAndNoMore) {
  auto many = request();
  many.volumes.assign(kMostVolumes, "tank/a");
  EXPECT_TRUE(read<RequestMessage>(to_body(many)));
  many.volumes.emplace_back("one more");
  EXPECT_THAT(read<RequestMessage>(to_body(many)).error().message(),
              HasSubstr("'volumes' has more than 1000"));
}

TEST(Requests, WithANumberThatIsNotTwoDigitsAreRefused) {
  for (const auto* number : {"", "1", "1a", " 1", "\xd9\xa1"}) {
    auto odd = request();
    odd.number = number;
    EXPECT_FALSE(read<RequestMessage>(to_body(odd))) << number;
  }
}

TEST(Requests, OfEveryLargestPartStillFitIntoOneMessage) {
  auto large = request();
  large.volumes.assign(kMostVolumes, std::string(40, 'v'));
  const auto envelope = seal_message(large, crypto::SigningKey::make());
  EXPECT_TRUE(parse_envelope(to_json(envelope)));
}

TEST(Releases, ReachTheHostThatAskedAndNobodyElse) {
  const auto gateway = crypto::SigningKey::make();
  const auto asked_with = crypto::BoxKey::make();
  const auto share = crypto::random_secret(kShareSize);
  auto answer = release();
  const auto box = crypto::seal_to(asked_with.public_key(), share.span()).value();
  std::copy(box.begin(), box.end(), answer.sealed.begin());

  const auto arrived = parse_envelope(to_json(seal_message(answer, gateway))).value();
  const auto read_back = open_envelope<Release>(arrived, gateway.verifying_key()).value();

  EXPECT_TRUE(equal_in_constant_time(asked_with.open(read_back.sealed).value().span(), share.span()));
  EXPECT_FALSE(crypto::BoxKey::make().open(read_back.sealed));
  EXPECT_EQ(open_envelope<Release>(arrived, crypto::SigningKey::make().verifying_key()).error().kind(),
            ErrorKind::kDenied);
  EXPECT_EQ(open_envelope<Word>(arrived, gateway.verifying_key()).error().kind(), ErrorKind::kDenied);
}

}  // namespace
}  // namespace zkv::protocol
