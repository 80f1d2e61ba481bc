// How people come, sign in, look after their passkeys, and decide: the roads that are meant.
#include <boost/json/parse.hpp>
#include <boost/json/value_to.hpp>

#include "gateway/service/challenges.h"
#include "gateway/service/sign_in_challenges.h"
#include "people_world.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
using testing::ElementsAre;
using testing_world::kParty;
using testing_world::PeopleTest;
using Outcome = Answer::Outcome;

TEST_F(PeopleTest, AnInviteMakesAnApproverWithAPasskeyAndASession) {
  start();
  const auto anna = join("Anna", Role::kOwner);
  const auto session = await(people().session(anna.session)).value();
  EXPECT_EQ(session.approver.name, "Anna");
  EXPECT_EQ(session.approver.role, Role::kOwner);
  const auto passkeys = await(people().passkeys(anna.session)).value();
  ASSERT_EQ(passkeys.size(), 1U);
  EXPECT_EQ(passkeys[0].label, "phone");
  EXPECT_EQ(passkeys[0].public_key, anna.authenticator->cose_key());
}

TEST_F(PeopleTest, TheAuditLogHoldsAPasskeysPublicKeyFromItsRegistrationOn) {
  start();
  const auto anna = join("Anna");
  const auto detail =
      boost::json::parse(text("SELECT detail FROM zkv_audit WHERE kind = 'approver.passkey'"));
  EXPECT_EQ(detail.at("publicKey"),
            boost::json::value(to_base64(anna.authenticator->cose_key(), Base64::kUrlNoPadding)));
  EXPECT_EQ(detail.at("credential"),
            boost::json::value(to_base64(anna.authenticator->id(), Base64::kUrlNoPadding)));
  EXPECT_EQ(detail.at("rp"), boost::json::value("gateway.example"));
}

TEST_F(PeopleTest, WhoHasAPasskeySignsInAndOutAgain) {
  start();
  const auto anna = join("Anna");
  auto again = anna;
  again.session = session_key(sign_in(anna).value().token);
  EXPECT_TRUE(is_signed_in(again));
  EXPECT_NE(again.session.hash, anna.session.hash) << "each session is a new one";
  ASSERT_TRUE(await(people().sign_out(again.session)));
  EXPECT_FALSE(is_signed_in(again));
  EXPECT_TRUE(is_signed_in(anna)) << "another session of hers goes on";
}

TEST_F(PeopleTest, ASessionEndsAfterItsTime) {
  options_.session_life = std::chrono::seconds(0);
  start();
  expect_refused(await(people().session(join("Anna").session)), ErrorKind::kDenied, "session");
}

TEST_F(PeopleTest, APasskeyApprovesAndItsEvidenceStandsInTheAuditLog) {
  start();
  const auto anna = join("Anna");
  auto client = ask();
  const auto told = sms_->next();
  const auto card = decide(anna, told.request);
  ASSERT_TRUE(card) << card.error().message();
  EXPECT_EQ(card->request.state, State::kApproved);
  EXPECT_EQ(card->request.decided_by, "approver:Anna");
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);

  const auto evidence =
      passkey::read_evidence(text("SELECT detail FROM zkv_audit WHERE kind = 'request.evidence'")).value();
  EXPECT_EQ(evidence.approver, anna.id);
  const auto card_again = await(service_->request({told.request})).value();
  EXPECT_EQ(evidence.request, hash_of(card_again));
  const auto checked = passkey::verify_evidence(evidence, anna.authenticator->credential(), kParty);
  EXPECT_TRUE(checked) << checked.error().message();
  EXPECT_EQ(
      count("SELECT COUNT(*) FROM zkv_audit WHERE kind = 'request.approve' AND actor = 'approver:Anna'"), 1);
}

TEST_F(PeopleTest, TheAskOfARequestThatNobodyWasToldOfStandsInTheAuditLogBeforeTheEvidence) {
  options_.notices_an_hour = 1;
  start();
  const auto anna = join("Anna");
  auto told = ask();
  static_cast<void>(console_->next());
  auto client = ask();
  const auto untold = console_->next().request;
  ASSERT_TRUE(decide(anna, untold));
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  EXPECT_EQ(text("SELECT GROUP_CONCAT(kind, ' ') FROM (SELECT kind FROM zkv_audit WHERE request = '" +
                 untold + "' ORDER BY number LIMIT 3)"),
            "request.ask request.evidence request.approve")
      << "a log is checked row by row, in its order";
  service_->stop();
  static_cast<void>(await(std::move(told)));
}

TEST_F(PeopleTest, TheHashOfARequestOfTheFirstProtocolIsThatOfItsIdAndAddress) {
  RequestCard card;
  card.request.id = {"7F3KAAAAAA"};
  card.request.address = "192.0.2.7";
  const std::string bound(
      "zkv request 1\0"
      "7F3KAAAAAA\0"
      "192.0.2.7",
      34);
  EXPECT_EQ(hash_of(card), crypto::sha256(bytes_of(bound)));
}

TEST_F(PeopleTest, APasskeyDeniesWithAReason) {
  start();
  const auto anna = join("Anna");
  auto client = ask();
  const auto told = sms_->next();
  const auto card = decide(anna, told.request, Decision::kDeny);
  ASSERT_TRUE(card) << card.error().message();
  EXPECT_EQ(card->request.reason, "no");
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kDenied);
}

TEST_F(PeopleTest, ADenialStillCountsWhileTheShareIsFetched) {
  start();
  const auto anna = join("Anna");
  hold_vault(true);
  auto client = ask();
  const auto told = sms_->next();
  ASSERT_TRUE(decide(anna, told.request));
  wait_for_vault_call();
  ASSERT_TRUE(decide(anna, told.request, Decision::kDeny));
  hold_vault(false);
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kDenied);
}

TEST_F(PeopleTest, AConsolesApprovalStaysMarkedAsSuch) {
  start();
  auto client = ask();
  const auto told = sms_->next();
  ASSERT_TRUE(approve(told.request));
  EXPECT_EQ(await(std::move(client)).outcome, Outcome::kReleased);
  EXPECT_EQ(request(told.request).decided_by, "console:uid 0");
}

TEST_F(PeopleTest, ASecondPasskeyIsAddedRenamedUsedAndRemoved) {
  start();
  const auto anna = join("Anna");
  auto ring = anna;
  ring.authenticator = std::make_shared<test::SoftwareAuthenticator>(test::KeyKind::kEd25519);
  const auto ask = await(people().begin_passkey(anna.session)).value();
  EXPECT_THAT(ask.exclude, ElementsAre(anna.authenticator->id()));
  ASSERT_TRUE(add_passkey(anna, *ring.authenticator));
  const auto id = ring.authenticator->id();
  EXPECT_EQ(await(people().rename_passkey(anna.session, id, "safe")).value().label, "safe");
  EXPECT_TRUE(sign_in(ring));
  ASSERT_TRUE(remove_passkey(anna, id));
  expect_refused(sign_in(ring), ErrorKind::kDenied, "passkey");
  expect_refused(remove_passkey(anna, anna.authenticator->id()), ErrorKind::kConflict, "last-passkey");
}

TEST_F(PeopleTest, OwnersInviteAndRevokeAndTheLastOneStays) {
  start();
  const auto anna = join("Anna", Role::kOwner);
  const auto bea = join("Bea");
  const auto all = await(people().approvers(anna.session)).value();
  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[1].approver.name, "Bea");
  expect_refused(await(people().approvers(bea.session)), ErrorKind::kDenied, "owners-only");
  expect_refused(invite_as(bea, "Carl", Role::kOwner), ErrorKind::kDenied, "owners-only");
  expect_refused(revoke_as(anna, "Anna"), ErrorKind::kConflict, "last-owner");
  expect_refused(await(people().revoke("Anna", console())), ErrorKind::kConflict, "last-owner");
  ASSERT_TRUE(revoke_as(anna, to_hex(bea.id)));
  EXPECT_FALSE(is_signed_in(bea));
  EXPECT_EQ(await(people().approvers(anna.session)).value().size(), 1U);
}

TEST_F(PeopleTest, ANameThatCouldMisleadIsRefused) {
  start();
  for (const std::string name :
       {"", " Anna", "console:uid 0", "gateway", "a\nb", "a/b", "Gateway", "Anna\u202eaeB", "An\u200bna",
        "An\u00adna", "\u2066Anna", "Anna\u0085", "\ufeffAnna", "\xff", "Anna\u3164", "An\u2800na",
        "Anna\ufe0f", "Anna\u00a0"}) {
    EXPECT_FALSE(await(people().invite({name, Role::kApprover, std::chrono::hours(1)}, console()))) << name;
  }
  EXPECT_TRUE(await(people().invite({"Anna Müller", Role::kApprover, std::chrono::hours(1)}, console())));
}

TEST_F(PeopleTest, AllOfItOutlivesARestart) {
  start();
  const auto anna = join("Anna");
  start();
  EXPECT_TRUE(is_signed_in(anna));
  EXPECT_TRUE(sign_in(anna));
}

TEST_F(PeopleTest, ChangesAreCountedSoThatNoneIsMissed) {
  start();
  const auto first = await(people().change_after(0)).value();
  auto client = ask();
  const auto told = sms_->next();
  const auto second = await(people().change_after(first)).value();
  EXPECT_GT(second, first);
  auto waiting = spawn(people().change_after(second));
  ASSERT_TRUE(deny(told.request));
  EXPECT_GT(await(std::move(waiting)).value(), second);
  await(std::move(client));
}

TEST(Challenges, EachServesOnceAndNotLong) {
  Challenges challenges(std::chrono::seconds(120));
  const Time start(std::chrono::hours(1));
  challenges.add({1}, {}, start);
  EXPECT_TRUE(challenges.spend({1}, start));
  EXPECT_FALSE(challenges.spend({1}, start));
  challenges.add({2}, {}, start);
  EXPECT_FALSE(challenges.spend({2}, start + std::chrono::seconds(120)));
}

TEST(SignInChallenges, AreGoodForTheirTimeOnceAndFromTheirMakerAlone) {
  SignInChallenges challenges(std::chrono::seconds(120));
  const Time start(std::chrono::hours(1));
  const auto challenge = challenges.make(start);
  EXPECT_TRUE(challenges.is_good(challenge, start + std::chrono::seconds(119)));
  EXPECT_FALSE(challenges.is_good(challenge, start + std::chrono::seconds(120)));
  for (std::size_t i = 0; i < challenge.size(); ++i) {
    auto forged = challenge;
    forged.at(i) ^= 1U;
    EXPECT_FALSE(challenges.is_good(forged, start)) << i;
  }
  EXPECT_FALSE(SignInChallenges(std::chrono::seconds(120)).is_good(challenge, start));
  challenges.use(challenge, start);
  EXPECT_FALSE(challenges.is_good(challenge, start));
  challenges.use(challenges.make(start), start + std::chrono::seconds(1));
  EXPECT_FALSE(challenges.is_good(challenge, start)) << "it is not forgotten before its end";
}

TEST_F(PeopleTest, HoweverManyBeginToSignInWhoBeganBeforeGetsIn) {
  start();
  const auto anna = join("Anna");
  const auto hers = await(people().begin_sign_in()).value();
  for (int i = 0; i < 5'000; ++i) ASSERT_TRUE(await(people().begin_sign_in()));
  const auto given = answer(anna, hers);
  EXPECT_TRUE(sign_in(given));
  expect_refused(sign_in(given), ErrorKind::kConflict, "challenge");
}

TEST_F(PeopleTest, AnOwnerWhoCannotSignInIsNoOwnerToBeLeftWith) {
  start();
  const auto anna = join("Anna", Role::kOwner);
  const auto bea = join("Bea", Role::kOwner);
  by_hand("UPDATE zkv_passkey SET ended_at = 1, ended_why = 'copied' WHERE approver = '" + to_hex(bea.id) +
          "'");
  expect_refused(await(people().revoke("Anna", console())), ErrorKind::kConflict, "last-owner");
  EXPECT_TRUE(await(people().revoke("Bea", console())));
}

TEST_F(PeopleTest, NamesThatDifferInCaseAloneAreOneName) {
  start();
  join("Änne");
  for (const std::string name : {"ÄNNE", "änne"}) {
    expect_refused(await(people().invite({name, Role::kApprover, std::chrono::hours(1)}, console())),
                   ErrorKind::kExists, "");
  }
  const auto one = invite("Bea");
  const auto two = invite("BEA");
  const test::SoftwareAuthenticator key;
  const test::SoftwareAuthenticator other;
  ASSERT_TRUE(finish_registration(one, key.create(begin_registration(one).value().challenge)));
  EXPECT_FALSE(finish_registration(two, other.create(begin_registration(two).value().challenge)))
      << "it was invited before the other came";
}

TEST(Challenges, WhoAsksForManyLosesOnlyTheirOwn) {
  Challenges challenges(std::chrono::seconds(120));
  const Time start(std::chrono::hours(1));
  ChallengeUse bea;
  bea.purpose = ChallengeUse::Purpose::kDecide;
  bea.approver = {2};
  challenges.add({99}, bea, start);
  ChallengeUse anna = bea;
  anna.approver = {1};
  for (std::uint8_t number = 0; number <= Challenges::kMostEach; ++number) {
    challenges.add({7, number}, anna, start);
  }
  EXPECT_EQ(challenges.size(), Challenges::kMostEach + 1);
  EXPECT_FALSE(challenges.spend({7, 0}, start)) << "her oldest gave way";
  EXPECT_TRUE(challenges.spend({99}, start));
}

}  // namespace
}  // namespace zkv::gateway
