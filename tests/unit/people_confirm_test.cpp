// Whoever has a session but not the passkey, or an answer that was given for something else, and wants to
// gain or take power.
#include "people_world.h"

namespace zkv::gateway {
namespace {

using testing_world::PeopleTest;

class ConfirmTest : public PeopleTest {
 protected:
  void begin_scene() {
    start();
    anna_ = join("Anna", Role::kOwner);
  }
  Result<MadeInvite> invite_eve(Confirmation by) {
    return await(people().invite({"Eve", Role::kOwner, std::chrono::hours(1)}, std::move(by)));
  }
  passkey::Act inviting_eve() const { return {"approver.invite", {"Eve", "owner"}}; }
  void expect_no_eve() {
    EXPECT_EQ(rows_of("approver.confirm"), 0);
    EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_invite WHERE name = 'Eve'"), 0);
  }
  testing_world::Person anna_;
};

TEST_F(ConfirmTest, AnActThatWasConfirmedIsDoneAndItsEvidenceKept) {
  begin_scene();
  ASSERT_TRUE(invite_eve(confirmation(anna_, inviting_eve())));
  const auto evidence =
      passkey::read_act_evidence(text("SELECT detail FROM zkv_audit WHERE kind = 'approver.confirm'"))
          .value();
  EXPECT_EQ(evidence.act, inviting_eve());
  EXPECT_EQ(evidence.approver, anna_.id);
  EXPECT_TRUE(passkey::verify_evidence(evidence, anna_.authenticator->credential(), testing_world::kParty));
  auto other = evidence;
  other.act.about = {"Mallory", "owner"};
  EXPECT_FALSE(passkey::verify_evidence(other, anna_.authenticator->credential(), testing_world::kParty));
  other.act.about = {"Ev", "eowner"};
  EXPECT_FALSE(passkey::verify_evidence(other, anna_.authenticator->credential(), testing_world::kParty));
}

TEST_F(ConfirmTest, AnAnswerForAnotherActConfirmsNothing) {
  begin_scene();
  for (const passkey::Act& act : std::vector<passkey::Act>{{"approver.invite", {"Eve", "approver"}},
                                                           {"approver.invite", {"Mallory", "owner"}},
                                                           {"boot.approve", {"Eve", "owner"}},
                                                           {"approver.revoke", {"Eve"}}}) {
    expect_refused(invite_eve(confirmation(anna_, act)), ErrorKind::kConflict, "challenge");
  }
  expect_no_eve();
}

TEST_F(ConfirmTest, AnAnswerServesOnce) {
  begin_scene();
  auto by = confirmation(anna_, inviting_eve());
  by.answer.assertion.signature.back() ^= 1U;
  expect_refused(invite_eve(by), ErrorKind::kDenied, "passkey");
  by.answer.assertion.signature.back() ^= 1U;
  expect_refused(invite_eve(by), ErrorKind::kConflict, "challenge");
  expect_no_eve();
}

TEST_F(ConfirmTest, TheAnswerOfADecisionOrASignInConfirmsNothing) {
  begin_scene();
  const auto sign_in_challenge = await(people().begin_sign_in()).value();
  expect_refused(invite_eve({anna_.session, answer(anna_, sign_in_challenge), "192.0.2.9"}),
                 ErrorKind::kConflict, "challenge");
  auto client = ask();
  const auto id = sms_->next().request;
  const auto decision = begin(anna_, id).value();
  expect_refused(invite_eve({anna_.session, answer(anna_, decision.challenge), "192.0.2.9"}),
                 ErrorKind::kConflict, "challenge");
  const auto act = confirmation(anna_, inviting_eve());
  expect_refused(finish(anna_, id, Decision::kApprove, act.answer), ErrorKind::kConflict, "challenge");
  expect_undecided(id);
  expect_no_eve();
  ASSERT_TRUE(deny(id));
  await(std::move(client));
}

TEST_F(ConfirmTest, WithAStolenSessionAPasskeyOfOnesOwnConfirmsNothing) {
  begin_scene();
  testing_world::Person thief{std::make_shared<test::SoftwareAuthenticator>(), anna_.id, anna_.session};
  expect_refused(invite_eve(confirmation(thief, inviting_eve())), ErrorKind::kDenied, "passkey");

  auto made = make_passkey(thief, *thief.authenticator);
  auto by = confirmation(thief, {"passkey.add", {id_text(thief.authenticator->id()), made.label}});
  expect_refused(await(people().add_passkey(std::move(by), made)), ErrorKind::kDenied, "passkey");
  EXPECT_EQ(await(people().passkeys(anna_.session)).value().size(), 1U);
  expect_no_eve();
}

TEST_F(ConfirmTest, WhatSomebodyElseConfirmedInMySessionIsRefused) {
  begin_scene();
  const auto bea = join("Bea", Role::kOwner);
  auto by = confirmation(bea, inviting_eve());
  by.session = anna_.session;
  expect_refused(invite_eve(std::move(by)), ErrorKind::kConflict, "challenge");
  auto mixed = confirmation(anna_, inviting_eve());
  const auto ask = await(people().begin_act(anna_.session, inviting_eve())).value();
  mixed.answer = answer(bea, ask.challenge);
  mixed.answer.user_handle.clear();
  expect_refused(invite_eve(std::move(mixed)), ErrorKind::kDenied, "passkey");
  expect_no_eve();
}

TEST_F(ConfirmTest, APasskeyIsAddedOnlyAsTheOneThatWasConfirmed) {
  begin_scene();
  const test::SoftwareAuthenticator mine;
  const test::SoftwareAuthenticator swapped;
  auto by = confirmation(anna_, {"passkey.add", {id_text(mine.id()), "ring"}});
  expect_refused(await(people().add_passkey(std::move(by), make_passkey(anna_, swapped))),
                 ErrorKind::kConflict, "challenge");
  EXPECT_EQ(await(people().passkeys(anna_.session)).value().size(), 1U);
}

TEST_F(ConfirmTest, AnAnswerFromAnotherPageOrWithoutThePersonConfirmsNothing) {
  begin_scene();
  expect_refused(invite_eve(confirmation(anna_, inviting_eve(), {.origin = "https://evil.example"})),
                 ErrorKind::kDenied, "passkey");
  expect_refused(invite_eve(confirmation(anna_, inviting_eve(), {.flags = test::kUserPresent})),
                 ErrorKind::kDenied, "passkey");
  expect_no_eve();
}

TEST_F(ConfirmTest, ACopiedPasskeyEndsWhenItConfirms) {
  begin_scene();
  ASSERT_TRUE(sign_in(anna_, {.counter = 10}));
  expect_refused(invite_eve(confirmation(anna_, inviting_eve(), {.counter = 10})), ErrorKind::kDenied,
                 "passkey");
  EXPECT_FALSE(is_signed_in(anna_));
  EXPECT_EQ(rows_of("refused.cloned"), 1);
  expect_no_eve();
}

TEST_F(ConfirmTest, AConfirmationThatCannotBeKeptDoesNothing) {
  begin_scene();
  break_audit("approver.confirm");
  EXPECT_FALSE(invite_eve(confirmation(anna_, inviting_eve())));
  mend_audit();
  expect_no_eve();
}

TEST_F(ConfirmTest, WhoIsNoOwnerConfirmsInVain) {
  begin_scene();
  const auto bea = join("Bea");
  expect_refused(invite_eve(confirmation(bea, inviting_eve())), ErrorKind::kDenied, "owners-only");
  const auto done = await(
      people().confirm(confirmation(bea, {"host.revoke", {"aa"}}), {"host.revoke", {"aa"}}, Role::kOwner));
  expect_refused(done, ErrorKind::kDenied, "owners-only");
  expect_no_eve();
}

TEST_F(ConfirmTest, AnAnswerThatComesTooLateConfirmsAndDecidesNothing) {
  begin_scene();
  options_.challenge_life = std::chrono::seconds(0);
  start();
  auto client = ask();
  const auto id = sms_->next().request;
  expect_refused(invite_eve(confirmation(anna_, inviting_eve())), ErrorKind::kConflict, "challenge");
  expect_refused(decide(anna_, id), ErrorKind::kConflict, "challenge");
  expect_undecided(id);
  expect_no_eve();
  ASSERT_TRUE(deny(id));
  await(std::move(client));
}

TEST_F(ConfirmTest, AnActThatThereIsNotIsRefusedAtOnce) {
  begin_scene();
  for (const passkey::Act& act : std::vector<passkey::Act>{{"", {}},
                                                           {"disk.erase", {}},
                                                           {"recovery.make", {"1"}},
                                                           {"approver.invite", {"Bea"}},
                                                           {"host.revoke", {}},
                                                           {std::string(33, 'a'), {}},
                                                           {"a", {"1", "2", "3", "4", "5"}},
                                                           {"a", {std::string(1'401, 'b')}}}) {
    const auto asked = await(people().begin_act(anna_.session, act));
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().kind(), ErrorKind::kInvalid);
  }
}

}  // namespace
}  // namespace zkv::gateway
