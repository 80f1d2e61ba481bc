// Recovery codes: what they are for, and whoever tries to come in by one that is not theirs.
#include "gateway/service/recovery_code.h"

#include <algorithm>
#include <set>

#include "people_world.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;
using testing_world::PeopleTest;

TEST(RecoveryCode, Has120BitsInGroupsThatCanBeWrittenDown) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const auto code = make_recovery_code();
    EXPECT_THAT(std::string(code.view()),
                testing::MatchesRegex("([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}"));
    seen.emplace(code.view());
  }
  EXPECT_EQ(seen.size(), 100U);
}

TEST(RecoveryCode, IsReadHoweverPeopleTypeIt) {
  const auto proof = proof_of_recovery_code("01AB-23CD-45EF-67GH-89JK-MN10");
  EXPECT_EQ(proof_of_recovery_code(" olab 23cd45ef-67gh 89jk-mnIO\n"), proof);
  EXPECT_NE(proof_of_recovery_code("01AB-23CD-45EF-67GH-89JK-MN11"), proof);
  EXPECT_NE(proof_of_recovery_code("01AB-23CD-45EF-67GH-89JK"), proof);
}

TEST(RecoveryCode, IsKnownByAHashOfItsProofSoThatTheLogGivesNeither) {
  const std::string written = "zkv recovery code 1" + std::string(1, '\0') + "01AB23CD45EF67GH89JKMNPQ";
  const auto proof = proof_of_recovery_code("01AB-23CD-45EF-67GH-89JK-MNPQ");
  EXPECT_EQ(proof, crypto::sha256(bytes_of(written)));
  EXPECT_EQ(hash_of_proof(proof), crypto::sha256(proof));
}

class RecoveryTest : public PeopleTest {
 protected:
  void begin_scene() {
    start();
    anna_ = join("Anna", Role::kOwner);
    codes_ = make_codes(anna_).value();
  }
  Result<std::vector<SecretBytes>> make_codes(const testing_world::Person& person) {
    return await(people().make_recovery_codes(confirmation(person, {"recovery.make", {}})));
  }
  Result<RegistrationAsk> begin_recovery(std::string_view code) {
    return await(people().begin_recovery(SecretBytes::copy_of(code)));
  }
  Result<NewSession> finish_recovery(std::string_view code, passkey::Registration made) {
    return await(people().finish_recovery(
        SecretBytes::copy_of(code), {"new phone", std::move(made), testing_world::kParty}, "192.0.2.9"));
  }
  Result<NewSession> recover(std::string_view code, const test::Ceremony& ceremony = {}) {
    const auto ask = begin_recovery(code);
    if (!ask) return tl::unexpected(ask.error());
    return finish_recovery(code, test::SoftwareAuthenticator().create(ask->challenge, ceremony));
  }
  std::string_view code(std::size_t index = 0) const { return codes_.at(index).view(); }
  int codes_kept() { return count("SELECT COUNT(*) FROM zkv_recovery_code"); }
  int passkeys_kept() { return count("SELECT COUNT(*) FROM zkv_passkey"); }
  void expect_nothing_done() {
    EXPECT_EQ(passkeys_kept(), 1);
    EXPECT_EQ(codes_kept(), 10);
    EXPECT_EQ(rows_of("recovery.use"), 0);
    EXPECT_TRUE(is_signed_in(anna_));
  }
  testing_world::Person anna_;
  std::vector<SecretBytes> codes_;
};

TEST_F(RecoveryTest, TenCodesAreMadeAndNeitherDatabaseNorLogHoldsOne) {
  begin_scene();
  EXPECT_EQ(codes_.size(), 10U);
  EXPECT_EQ(await(people().recovery(anna_.session)).value().left, 10U);
  EXPECT_EQ(rows_of("recovery.make"), 1);
  const auto proof = proof_of_recovery_code(code());
  const auto detail = text("SELECT detail FROM zkv_audit WHERE kind = 'recovery.make'");
  EXPECT_THAT(detail, testing::HasSubstr(to_hex(hash_of_proof(proof))));
  EXPECT_THAT(detail, testing::Not(testing::HasSubstr(to_hex(proof))));
  EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_recovery_code WHERE hash = '" + to_hex(proof) + "'"), 0);
  EXPECT_EQ(await(people().approvers(AtConsole{"console:uid 0"})).value().front().recovery_codes, 10U);
}

TEST_F(RecoveryTest, ACodeRegistersOnePasskeyForItsOwnerAndEndsTheOtherSessions) {
  begin_scene();
  const test::SoftwareAuthenticator phone;
  const auto ask = begin_recovery(code()).value();
  EXPECT_EQ(ask.approver, anna_.id);
  EXPECT_EQ(ask.name, "Anna");
  EXPECT_THAT(ask.exclude, testing::ElementsAre(anna_.authenticator->id()));
  EXPECT_TRUE(is_signed_in(anna_)) << "to ask ends nothing";
  const auto session = finish_recovery(code(), phone.create(ask.challenge)).value();
  EXPECT_EQ(session.signed_in.approver.id, anna_.id);
  EXPECT_FALSE(is_signed_in(anna_));
  const auto key = session_key(session.token);
  EXPECT_EQ(await(people().passkeys(key)).value().size(), 2U) << "what was lost is removed by its owner";
  EXPECT_EQ(await(people().recovery(key)).value().left, 9U);
  EXPECT_THAT(text("SELECT detail FROM zkv_audit WHERE kind = 'recovery.use'"),
              testing::AllOf(testing::HasSubstr(to_hex(proof_of_recovery_code(code()))),
                             testing::HasSubstr("192.0.2.9")));
}

TEST_F(RecoveryTest, ACodeThatWasTypedInAnotherFormServesAndWithAWrongCharacterDoesNot) {
  begin_scene();
  std::string typed(code());
  std::erase(typed, '-');
  std::ranges::transform(typed, typed.begin(), [](char c) { return static_cast<char>(std::tolower(c)); });
  std::string wrong(code());
  wrong.back() = wrong.back() == '7' ? '8' : '7';
  expect_refused(recover(wrong), ErrorKind::kDenied, "recovery");
  expect_nothing_done();
  EXPECT_TRUE(recover(typed));
}

TEST_F(RecoveryTest, CodesOutliveARestart) {
  begin_scene();
  start();
  EXPECT_TRUE(recover(code()));
}

TEST_F(RecoveryTest, ACodeServesOnce) {
  begin_scene();
  const auto second_ask = begin_recovery(code()).value();
  ASSERT_TRUE(recover(code()));
  expect_refused(begin_recovery(code()), ErrorKind::kDenied, "recovery");
  expect_refused(finish_recovery(code(), test::SoftwareAuthenticator().create(second_ask.challenge)),
                 ErrorKind::kDenied, "recovery");
  EXPECT_EQ(passkeys_kept(), 2);
  EXPECT_FALSE(is_signed_in(anna_)) << "and behind this call the refusal is in the log";
  EXPECT_EQ(rows_of("refused.recovery"), 1);
}

TEST_F(RecoveryTest, OfManyUsesOfACodeAtOnceOneCounts) {
  begin_scene();
  std::vector<passkey::Registration> made;
  for (int i = 0; i < 8; ++i) {
    made.push_back(test::SoftwareAuthenticator().create(begin_recovery(code()).value().challenge));
  }
  std::vector<std::future<Result<NewSession>>> outcomes;
  for (auto& registration : made) {
    outcomes.push_back(spawn(
        people().finish_recovery(SecretBytes::copy_of(code()),
                                 {"mine", std::move(registration), testing_world::kParty}, "192.0.2.9")));
  }
  int taken = 0;
  for (auto& outcome : outcomes) taken += await(std::move(outcome)).has_value() ? 1 : 0;
  EXPECT_EQ(taken, 1);
  EXPECT_EQ(passkeys_kept(), 2);
  EXPECT_EQ(rows_of("recovery.use"), 1);
}

TEST_F(RecoveryTest, NewCodesEndTheOldOnes) {
  begin_scene();
  const auto ask = begin_recovery(code()).value();
  const auto newer = make_codes(anna_).value();
  expect_refused(begin_recovery(code()), ErrorKind::kDenied, "recovery");
  expect_refused(finish_recovery(code(), test::SoftwareAuthenticator().create(ask.challenge)),
                 ErrorKind::kDenied, "recovery");
  expect_nothing_done();
  EXPECT_TRUE(recover(newer.front().view()));
}

TEST_F(RecoveryTest, TheCodesOfARevokedApproverEndAndAreToldAsUnknownOnesAre) {
  begin_scene();
  const auto bea = join("Bea");
  const auto of_bea = make_codes(bea).value();
  const auto ask = begin_recovery(of_bea.front().view()).value();
  ASSERT_TRUE(revoke_as(anna_, "Bea"));
  EXPECT_EQ(codes_kept(), 10);
  const auto revoked = begin_recovery(of_bea.front().view());
  expect_refused(revoked, ErrorKind::kDenied, "recovery");
  const auto unknown = begin_recovery(make_recovery_code().view());
  EXPECT_EQ(revoked.error().message(), unknown.error().message());
  EXPECT_EQ(revoked.error().remedy(), unknown.error().remedy());
  EXPECT_FALSE(finish_recovery(of_bea.front().view(), test::SoftwareAuthenticator().create(ask.challenge)));
  EXPECT_EQ(rows_of("recovery.use"), 0);
}

TEST_F(RecoveryTest, ACodeIsOfNoUseForSomebodyElsesName) {
  begin_scene();
  const auto eve = join("Eve");
  const auto of_eve = make_codes(eve).value();
  const auto for_anna = begin_recovery(code()).value();
  expect_refused(
      finish_recovery(of_eve.front().view(), test::SoftwareAuthenticator().create(for_anna.challenge)),
      ErrorKind::kConflict, "challenge");
  const auto another_of_hers = begin_recovery(code(1)).value();
  expect_refused(finish_recovery(code(), test::SoftwareAuthenticator().create(another_of_hers.challenge)),
                 ErrorKind::kConflict, "challenge");
  EXPECT_EQ(rows_of("recovery.use"), 0);
  const auto session = recover(of_eve.front().view()).value();
  EXPECT_EQ(session.signed_in.approver.id, eve.id);
}

TEST_F(RecoveryTest, AReplayedAnswerIsRefused) {
  begin_scene();
  const auto ask = begin_recovery(code()).value();
  const auto made = test::SoftwareAuthenticator().create(ask.challenge);
  ASSERT_TRUE(finish_recovery(code(), made));
  expect_refused(finish_recovery(code(), made), ErrorKind::kConflict, "challenge");
  expect_refused(finish_recovery(code(1), made), ErrorKind::kConflict, "challenge");
  EXPECT_EQ(passkeys_kept(), 2);
}

TEST_F(RecoveryTest, AChallengeOfSomethingElseServesNoRecoveryAndTheOtherWayRound) {
  begin_scene();
  const test::SoftwareAuthenticator phone;
  const auto adding = await(people().begin_passkey(anna_.session)).value();
  expect_refused(finish_recovery(code(), phone.create(adding.challenge)), ErrorKind::kConflict, "challenge");
  const auto recovering = begin_recovery(code()).value();
  MadePasskey made{"ring", phone.create(recovering.challenge), testing_world::kParty};
  auto by = confirmation(anna_, {"passkey.add", {id_text(phone.id()), "ring"}});
  expect_refused(await(people().add_passkey(std::move(by), std::move(made))), ErrorKind::kConflict,
                 "challenge");
  const auto invited = invite("Bea");
  const auto once_more = begin_recovery(code()).value();
  expect_refused(finish_registration(invited, phone.create(once_more.challenge)), ErrorKind::kConflict,
                 "challenge");
  expect_nothing_done();
}

TEST_F(RecoveryTest, APasskeyThatIsNotRightDoesNotUseTheCodeUp) {
  begin_scene();
  expect_refused(recover(code(), {.origin = "https://evil.example"}), ErrorKind::kDenied, "passkey");
  expect_refused(recover(code(), {.flags = test::kUserPresent}), ErrorKind::kDenied, "passkey");
  const auto ask = begin_recovery(code()).value();
  EXPECT_EQ(finish_recovery(code(), anna_.authenticator->create(ask.challenge)).error().kind(),
            ErrorKind::kExists);
  expect_nothing_done();
  EXPECT_TRUE(recover(code()));
}

TEST_F(RecoveryTest, WithoutItsRowInTheAuditLogACodeDoesNothing) {
  begin_scene();
  for (const std::string kind : {"recovery.use", "approver.passkey"}) {
    break_audit(kind);
    EXPECT_FALSE(recover(code())) << kind;
    mend_audit();
    expect_nothing_done();
  }
  break_audit("recovery.make");
  EXPECT_FALSE(make_codes(anna_));
  mend_audit();
  EXPECT_TRUE(recover(code())) << "the codes that there were still serve";
}

TEST_F(RecoveryTest, WithAStolenSessionNobodyMakesCodes) {
  begin_scene();
  const auto eve = join("Eve");
  const auto ask = await(people().begin_act(anna_.session, {"recovery.make", {}})).value();
  expect_refused(
      await(people().make_recovery_codes({anna_.session, answer(eve, ask.challenge), "192.0.2.66"})),
      ErrorKind::kDenied, "passkey");
  auto for_another_act = confirmation(anna_, {"passkey.remove", {"AAAA"}});
  expect_refused(await(people().make_recovery_codes(std::move(for_another_act))), ErrorKind::kConflict,
                 "challenge");
  EXPECT_EQ(rows_of("recovery.make"), 1);
  EXPECT_TRUE(begin_recovery(code()));
}

TEST_F(RecoveryTest, ACodeSignsNobodyInAndDecidesNothing) {
  begin_scene();
  const auto ask = begin_recovery(code()).value();
  expect_refused(sign_in(answer(anna_, ask.challenge)), ErrorKind::kConflict, "challenge");
  EXPECT_FALSE(await(people().session(session_key(SecretBytes::copy_of(code())))));
  expect_nothing_done();
}

}  // namespace
}  // namespace zkv::gateway
