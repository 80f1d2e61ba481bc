// People with passkeys before a real service.
#pragma once

#include "service_world.h"
#include "software_authenticator.h"

namespace zkv::gateway::testing_world {

inline const passkey::RelyingParty kParty{"https://gateway.example", "gateway.example"};

/// Somebody who holds a passkey.
struct Person {
  std::shared_ptr<test::SoftwareAuthenticator> authenticator;
  ApproverId id{};
  SessionKey session;
};

class PeopleTest : public ServiceTest {
 protected:
  using Decision = passkey::Decision;

  People& people() { return service_->people(); }
  static Doer console() { return AtConsole{"console:uid 0"}; }

  SecretBytes invite(const std::string& name, Role role = Role::kApprover,
                     std::chrono::seconds lasts = std::chrono::hours(1)) {
    return std::move(await(people().invite({name, role, lasts}, console())).value().token);
  }
  Result<RegistrationAsk> begin_registration(const SecretBytes& token) {
    return await(people().begin_registration(token.clone()));
  }
  Result<NewSession> finish_registration(const SecretBytes& token, passkey::Registration made,
                                         const std::string& label = "phone") {
    return await(people().finish_registration(token.clone(), {label, std::move(made), kParty}, "192.0.2.9"));
  }
  Person join(const std::string& name, Role role = Role::kApprover) {
    const auto token = invite(name, role);
    Person person{std::make_shared<test::SoftwareAuthenticator>(), {}, {}};
    const auto ask = begin_registration(token).value();
    const auto session = finish_registration(token, person.authenticator->create(ask.challenge)).value();
    person.id = session.signed_in.approver.id;
    person.session = session_key(session.token);
    return person;
  }

  static Bytes handle_of(const Person& person) { return {person.id.begin(), person.id.end()}; }
  static SignedChallenge answer(const Person& person, const passkey::Challenge& challenge,
                                const test::Ceremony& ceremony = {}) {
    return {person.authenticator->get(challenge, ceremony), handle_of(person), kParty};
  }
  Result<NewSession> sign_in(SignedChallenge signed_challenge) {
    return await(people().sign_in(std::move(signed_challenge), "192.0.2.9"));
  }
  Result<NewSession> sign_in(const Person& person, const test::Ceremony& ceremony = {}) {
    return sign_in(answer(person, await(people().begin_sign_in()).value(), ceremony));
  }

  Result<SigningAsk> begin(const Person& person, const std::string& request,
                           Decision decision = Decision::kApprove) {
    return await(people().begin_decision(person.session, {request}, decision));
  }
  Result<RequestCard> finish(const Person& person, const std::string& request, Decision decision,
                             SignedChallenge signed_challenge) {
    return await(people().decide(person.session, {{request}, decision, "no", std::move(signed_challenge)},
                                 "192.0.2.9"));
  }
  Result<RequestCard> decide(const Person& person, const std::string& request,
                             Decision decision = Decision::kApprove, const test::Ceremony& ceremony = {}) {
    const auto ask = begin(person, request, decision);
    if (!ask) return tl::unexpected(ask.error());
    return finish(person, request, decision, answer(person, ask->challenge, ceremony));
  }
  /// The person's session, and their passkey's answer for this act.
  Confirmation confirmation(const Person& person, passkey::Act act, const test::Ceremony& ceremony = {}) {
    const auto ask = await(people().begin_act(person.session, std::move(act))).value();
    return {person.session, answer(person, ask.challenge, ceremony), "192.0.2.9"};
  }
  static std::string id_text(const Bytes& id) { return to_base64(id, Base64::kUrlNoPadding); }
  Result<MadeInvite> invite_as(const Person& person, const std::string& name, Role role = Role::kApprover) {
    auto by = confirmation(person, {"approver.invite", {name, std::string(to_text(role))}});
    return await(people().invite({name, role, std::chrono::hours(1)}, std::move(by)));
  }
  Result<Approver> revoke_as(const Person& person, const std::string& who) {
    auto by = confirmation(person, {"approver.revoke", {who}});
    return await(people().revoke(who, std::move(by)));
  }
  MadePasskey make_passkey(const Person& person, const test::SoftwareAuthenticator& authenticator,
                           const std::string& label = "ring") {
    const auto ask = await(people().begin_passkey(person.session)).value();
    return {label, authenticator.create(ask.challenge), kParty};
  }
  Result<Passkey> add_passkey(const Person& person, const test::SoftwareAuthenticator& authenticator) {
    auto made = make_passkey(person, authenticator);
    auto by = confirmation(person, {"passkey.add", {id_text(authenticator.id()), made.label}});
    return await(people().add_passkey(std::move(by), std::move(made)));
  }
  Result<Passkey> remove_passkey(const Person& person, const Bytes& id) {
    auto by = confirmation(person, {"passkey.remove", {id_text(id)}});
    return await(people().remove_passkey(std::move(by), id));
  }
  bool is_signed_in(const Person& person) { return await(people().session(person.session)).has_value(); }

  template <class T>
  static void expect_refused(const Result<T>& result, ErrorKind kind, std::string_view name) {
    ASSERT_FALSE(result) << "this should have been refused";
    EXPECT_EQ(result.error().kind(), kind) << result.error().message();
    EXPECT_EQ(result.error().name(), name) << result.error().message();
  }
  /// Nothing was decided, and nothing is kept as if it had been.
  void expect_undecided(const std::string& id) {
    EXPECT_EQ(request(id).state, State::kPending);
    EXPECT_EQ(rows_of("request.evidence"), 0);
    EXPECT_EQ(count("SELECT COUNT(*) FROM zkv_approval"), 0);
  }
};

}  // namespace zkv::gateway::testing_world
