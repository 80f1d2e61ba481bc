// Whoever tries to decide, or to become somebody, without the passkey and the moment for it.
#include <thread>

#include "people_world.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
using testing_world::PeopleTest;
using Outcome = Answer::Outcome;

/// Anna, a request that waits, and what it takes to attack one with the other.
class AttackTest : public PeopleTest {
 protected:
  void begin_scene() {
    start();
    anna_ = join("Anna", Role::kOwner);
    client_ = ask();
    id_ = sms_->next().request;
  }
  ~AttackTest() override {
    if (client_.valid()) {
      service_->stop();
      await(std::move(client_));
    }
  }
  testing_world::Person anna_;
  std::future<Answer> client_;
  std::string id_;
};

TEST_F(AttackTest, AReplayedAnswerDecidesNothing) {
  begin_scene();
  const auto ask = begin(anna_, id_, Decision::kDeny).value();
  const auto given = answer(anna_, ask.challenge, {.rp_id = "other.example"});
  expect_refused(finish(anna_, id_, Decision::kDeny, given), ErrorKind::kDenied, "passkey");
  expect_refused(finish(anna_, id_, Decision::kDeny, given), ErrorKind::kConflict, "challenge");
  expect_undecided(id_);
}

TEST_F(AttackTest, AnAnswerForOneRequestDecidesNoOther) {
  begin_scene();
  auto other = ask();
  const auto other_id = sms_->next().request;
  const auto ask = begin(anna_, id_).value();
  expect_refused(finish(anna_, other_id, Decision::kApprove, answer(anna_, ask.challenge)),
                 ErrorKind::kConflict, "challenge");
  expect_undecided(id_);
  expect_undecided(other_id);
  ASSERT_TRUE(deny(other_id));
  await(std::move(other));
}

TEST_F(AttackTest, AnAnswerForADenialApprovesNothing) {
  begin_scene();
  const auto ask = begin(anna_, id_, Decision::kDeny).value();
  expect_refused(finish(anna_, id_, Decision::kApprove, answer(anna_, ask.challenge)), ErrorKind::kConflict,
                 "challenge");
  expect_undecided(id_);
}

TEST_F(AttackTest, AChallengeServesNobodyElse) {
  begin_scene();
  const auto bea = join("Bea");
  const auto ask = begin(anna_, id_).value();
  expect_refused(finish(bea, id_, Decision::kApprove, answer(bea, ask.challenge)), ErrorKind::kConflict,
                 "challenge");
  expect_undecided(id_);
}

TEST_F(AttackTest, ThePasskeyOfSomebodyElseDecidesNothingInMySession) {
  begin_scene();
  const auto bea = join("Bea");
  const auto ask = begin(anna_, id_).value();
  auto given = answer(bea, ask.challenge);
  expect_refused(finish(anna_, id_, Decision::kApprove, given), ErrorKind::kDenied, "passkey");
  const auto once_more = begin(anna_, id_).value();
  given = answer(bea, once_more.challenge);
  given.user_handle = handle_of(anna_);
  expect_refused(finish(anna_, id_, Decision::kApprove, given), ErrorKind::kDenied, "passkey");
  expect_undecided(id_);
}

TEST_F(AttackTest, AnExpiredChallengeDecidesNothing) {
  options_.challenge_life = std::chrono::seconds(0);
  start();
  const auto token = invite("Anna");
  const test::SoftwareAuthenticator phone;
  const auto ask = begin_registration(token).value();
  expect_refused(finish_registration(token, phone.create(ask.challenge)), ErrorKind::kConflict, "challenge");
}

TEST_F(AttackTest, AnotherOriginDecidesNothing) {
  begin_scene();
  for (const std::string origin :
       {"https://gateway.example.evil.example", "http://gateway.example", "https://gateway.example:8443"}) {
    expect_refused(decide(anna_, id_, Decision::kApprove, {.origin = origin}), ErrorKind::kDenied, "passkey");
  }
  expect_undecided(id_);
}

TEST_F(AttackTest, WithoutThePersonVerifiedNothingIsDecided) {
  begin_scene();
  expect_refused(
      decide(anna_, id_, Decision::kApprove, {.flags = test::kUserPresent | test::kBackupEligible}),
      ErrorKind::kDenied, "passkey");
  expect_undecided(id_);
}

TEST_F(AttackTest, AnAnswerToASignInIsNoDecisionAndTheOtherWayRound) {
  begin_scene();
  const auto challenge = await(people().begin_sign_in()).value();
  expect_refused(finish(anna_, id_, Decision::kApprove, answer(anna_, challenge)), ErrorKind::kConflict,
                 "challenge");
  const auto ask = begin(anna_, id_).value();
  expect_refused(sign_in(answer(anna_, ask.challenge)), ErrorKind::kConflict, "challenge");
  expect_undecided(id_);
}

TEST_F(AttackTest, ACopiedPasskeyEndsAndDecidesNothing) {
  begin_scene();
  ASSERT_TRUE(sign_in(anna_, {.counter = 10}));
  expect_refused(decide(anna_, id_, Decision::kApprove, {.counter = 10}), ErrorKind::kDenied, "passkey");
  expect_undecided(id_);
  EXPECT_EQ(rows_of("refused.cloned"), 1);
  EXPECT_FALSE(is_signed_in(anna_)) << "who copied it may hold her session, too";
  expect_refused(sign_in(anna_, {.counter = 11}), ErrorKind::kDenied, "passkey");
}

TEST_F(AttackTest, ACopiedPasskeyThatCannotBeNotedDecidesNothingEither) {
  begin_scene();
  ASSERT_TRUE(sign_in(anna_, {.counter = 10}));
  break_audit("refused.cloned");
  EXPECT_FALSE(decide(anna_, id_, Decision::kApprove, {.counter = 10}));
  mend_audit();
  expect_undecided(id_);
}

TEST_F(AttackTest, ARemovedPasskeyDecidesNothing) {
  begin_scene();
  auto ring = anna_;
  ring.authenticator = std::make_shared<test::SoftwareAuthenticator>();
  ASSERT_TRUE(add_passkey(anna_, *ring.authenticator));
  const auto ask = begin(anna_, id_).value();
  ASSERT_TRUE(remove_passkey(anna_, ring.authenticator->id()));
  expect_refused(finish(anna_, id_, Decision::kApprove, answer(ring, ask.challenge)), ErrorKind::kDenied,
                 "passkey");
  expect_undecided(id_);
}

TEST_F(AttackTest, ARevokedApproverDecidesNothingWithASessionThatLives) {
  begin_scene();
  const auto bea = join("Bea");
  const auto ask = begin(bea, id_).value();
  ASSERT_TRUE(revoke_as(anna_, "Bea"));
  expect_refused(finish(bea, id_, Decision::kApprove, answer(bea, ask.challenge)), ErrorKind::kDenied,
                 "session");
  by_hand("INSERT INTO zkv_session (hash, approver, expires_at) VALUES ('" + to_hex(bea.session.hash) +
          "', '" + to_hex(bea.id) + "', 9000000000000)");
  EXPECT_FALSE(is_signed_in(bea)) << "even a session that was forgotten serves no more";
  expect_refused(sign_in(bea), ErrorKind::kDenied, "passkey");
  expect_undecided(id_);
}

TEST_F(AttackTest, ASessionThatNobodyOpenedIsNone) {
  begin_scene();
  auto mallory = anna_;
  mallory.session = session_key(SecretBytes::copy_of("a session that I would like her to use!!"));
  expect_refused(begin(mallory, id_), ErrorKind::kDenied, "session");
  ASSERT_TRUE(sign_in(anna_));
  EXPECT_FALSE(is_signed_in(mallory)) << "signing in opens a session of a new token, never a given one";
}

TEST_F(AttackTest, AnUnknownPasskeyAndAWrongSignatureAreToldTheSame) {
  begin_scene();
  testing_world::Person stranger{std::make_shared<test::SoftwareAuthenticator>(), anna_.id, {}};
  const auto unknown = sign_in(stranger);
  auto forged = answer(anna_, await(people().begin_sign_in()).value());
  forged.assertion.signature.back() ^= 1U;
  const auto wrong = sign_in(forged);
  const auto elsewhere = sign_in(anna_, {.origin = "https://evil.example"});
  auto nameless = answer(anna_, await(people().begin_sign_in()).value());
  nameless.user_handle.clear();
  const auto unnamed = sign_in(nameless);
  for (const auto* result : {&wrong, &elsewhere, &unnamed}) {
    ASSERT_FALSE(result->has_value());
    EXPECT_EQ(result->error().message(), unknown.error().message());
    EXPECT_EQ(result->error().remedy(), unknown.error().remedy());
  }
}

TEST_F(AttackTest, AnInviteServesOnce) {
  begin_scene();
  const auto token = invite("Bea");
  const test::SoftwareAuthenticator phone;
  const auto ask = begin_registration(token).value();
  const auto second_ask = begin_registration(token).value();
  ASSERT_TRUE(finish_registration(token, phone.create(ask.challenge)));
  expect_refused(begin_registration(token), ErrorKind::kDenied, "invite");
  const test::SoftwareAuthenticator other;
  expect_refused(finish_registration(token, other.create(second_ask.challenge)), ErrorKind::kDenied,
                 "invite");
}

TEST_F(AttackTest, AnInviteThatIsOverOrUnknownOrForAHostIsToldTheSame) {
  begin_scene();
  const auto over = invite("Bea", Role::kApprover, std::chrono::seconds(1));
  std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
  const auto host =
      std::move(await(service_->enrolments().invite({"nas", ""}, "console:uid 0")).value().token);
  const auto unknown = begin_registration(SecretBytes(20));
  expect_refused(unknown, ErrorKind::kDenied, "invite");
  EXPECT_EQ(begin_registration(over).error().message(), unknown.error().message());
  EXPECT_EQ(begin_registration(host).error().message(), unknown.error().message());
}

TEST_F(AttackTest, TheChallengeOfOneInviteServesNoOther) {
  begin_scene();
  const auto mine = invite("Bea");
  const auto theirs = invite("Carl", Role::kOwner);
  const test::SoftwareAuthenticator phone;
  const auto ask = begin_registration(mine).value();
  expect_refused(finish_registration(theirs, phone.create(ask.challenge)), ErrorKind::kConflict, "challenge");
}

TEST_F(AttackTest, APasskeyOfSomebodyElseIsNotRegisteredAgain) {
  begin_scene();
  const auto token = invite("Bea");
  const auto ask = begin_registration(token).value();
  const auto again = finish_registration(token, anna_.authenticator->create(ask.challenge));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::kExists);
  EXPECT_TRUE(begin_registration(token)) << "the invite was not used up by it";
}

TEST_F(AttackTest, OfAHundredDecisionsAtOnceExactlyOneCounts) {
  begin_scene();
  const auto bea = join("Bea");
  struct Try {
    testing_world::Person person;
    Decision decision;
    SignedChallenge given;
  };
  std::vector<Try> tries;
  for (const auto& person : {anna_, bea}) {
    for (int i = 0; i < 7; ++i) {
      const auto decision = i % 2 == 0 ? Decision::kApprove : Decision::kDeny;
      const auto ask = begin(person, id_, decision).value();
      tries.push_back({person, decision, answer(person, ask.challenge, {.counter = 0})});
    }
  }
  hold_vault(true);
  std::vector<std::future<Result<RequestCard>>> outcomes;
  for (int round = 0; round < 8; ++round) {
    for (const auto& one : tries) {
      outcomes.push_back(
          spawn(people().decide(one.person.session, {{id_}, one.decision, "no", one.given}, "192.0.2.9")));
    }
  }
  int approvals = 0;
  int denials = 0;
  for (auto& outcome : outcomes) {
    const auto card = await(std::move(outcome));
    if (!card) continue;
    ++(card->request.state == State::kApproved ? approvals : denials);
  }
  hold_vault(false);
  const auto answer = await(std::move(client_));
  EXPECT_LE(approvals, 1);
  EXPECT_EQ(denials, 1) << "the first denial ends it, even when it was approved before";
  EXPECT_EQ(answer.outcome, Outcome::kDenied);
  EXPECT_EQ(rows_of("request.deny"), 1);
  EXPECT_EQ(rows_of("request.approve"), approvals);
  EXPECT_EQ(rows_of("request.evidence"), approvals + denials);
  EXPECT_EQ(rows_of("request.release"), 0);
}

TEST_F(AttackTest, OfManyApprovalsAtOnceOneCountsAndTheShareIsReleasedOnce) {
  begin_scene();
  std::vector<SignedChallenge> given;
  for (std::size_t i = 0; i < 16; ++i) {
    given.push_back(answer(anna_, begin(anna_, id_).value().challenge, {.counter = 0}));
  }
  std::vector<std::future<Result<RequestCard>>> outcomes;
  for (std::size_t i = 0; i < 112; ++i) {
    outcomes.push_back(spawn(people().decide(
        anna_.session, {{id_}, Decision::kApprove, "", given[i % given.size()]}, "192.0.2.9")));
  }
  int approvals = 0;
  for (auto& outcome : outcomes) approvals += await(std::move(outcome)) ? 1 : 0;
  EXPECT_EQ(approvals, 1);
  EXPECT_EQ(await(std::move(client_)).outcome, Outcome::kReleased);
  EXPECT_EQ(rows_of("request.evidence"), 1);
}

TEST_F(AttackTest, WithoutItsRowInTheAuditLogNothingIsDecidedOrReleased) {
  begin_scene();
  for (const std::string kind : {"request.evidence", "request.approve"}) {
    break_audit(kind);
    EXPECT_FALSE(decide(anna_, id_)) << kind;
    mend_audit();
    expect_undecided(id_);
  }
  EXPECT_EQ(vault_calls(), 0) << "the share was not even fetched";
  ASSERT_TRUE(decide(anna_, id_));
  EXPECT_EQ(await(std::move(client_)).outcome, Outcome::kReleased);
}

TEST_F(AttackTest, WithoutItsRowInTheAuditLogNobodyBecomesAnApprover) {
  begin_scene();
  const auto token = invite("Bea");
  const test::SoftwareAuthenticator phone;
  break_audit("approver.passkey");
  const auto ask = begin_registration(token).value();
  EXPECT_FALSE(finish_registration(token, phone.create(ask.challenge)));
  mend_audit();
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_approver"), 1);
  EXPECT_TRUE(begin_registration(token)) << "the invite still serves";
}

TEST_F(AttackTest, WhatHasEndedIsDecidedNoMore) {
  begin_scene();
  const auto ask = begin(anna_, id_).value();
  ASSERT_TRUE(deny(id_));
  expect_refused(finish(anna_, id_, Decision::kApprove, answer(anna_, ask.challenge)), ErrorKind::kConflict,
                 "ended");
  expect_refused(begin(anna_, id_), ErrorKind::kConflict, "ended");
  EXPECT_EQ(rows_of("request.evidence"), 0);
  EXPECT_EQ(rows_of("refused.decision"), 1);
}

}  // namespace
}  // namespace zkv::gateway
