// Totps over the ledger.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <string>

#include "gateway/service/desk.h"
#include "gateway/service/ledger.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/totps.h"

namespace zkv::gateway {

class LedgerTotps : public Totps {
 public:
  /// All outlive this, but the ledger, which may be gone when a client goes away.
  LedgerTotps(Desk& desk, const std::shared_ptr<Ledger>& ledger, LedgerPeople& people,
              const ServiceOptions& options, LedgerPeople::Note note, LedgerPeople::Tell tell);

  [[nodiscard]] bool is_on() const override { return !groups().empty(); }
  [[nodiscard]] const std::vector<std::string>& groups() const override;
  boost::asio::awaitable<Result<TotpState>> state(SessionKey key) override;
  boost::asio::awaitable<Result<NewTotp>> set_up(Confirmation by) override;
  boost::asio::awaitable<Result<TotpState>> begin(SessionKey key, std::string code,
                                                  std::string address) override;
  boost::asio::awaitable<Result<TotpState>> remove(Confirmation by) override;
  boost::asio::awaitable<Result<NewSession>> sign_in(std::string name, std::string code,
                                                     std::string address) override;
  boost::asio::awaitable<Result<RequestCard>> decide(SessionKey key, DecisionByCode decision,
                                                     std::string address) override;

 private:
  template <class T>
  using Outcome = LedgerPeople::Outcome<T>;
  /// A row of the audit log about somebody's codes: its kind, one of those that TotpStore knows; the request;
  /// who; and what it says beside whose codes they are.
  struct Use {
    std::string kind;
    std::string request;
    std::string actor;
    boost::json::object detail;
  };

  // All of these in a transaction, on the ledger's thread.
  Result<bool> keep_secret(const Approver& owner, const SecretBytes& secret);
  Result<bool> end_secret(const Approver& owner);
  Result<Outcome<TotpState>> first_code(const SessionKey& key, const std::string& code);
  Result<Outcome<SignedIn>> admit(const std::string& name, const std::string& code, const SessionKey& key,
                                  const std::string& address);
  Result<Outcome<RequestCard>> settle(const SessionKey& key, const DecisionByCode& decision,
                                      const std::string& address, Decisions& decisions);
  /// The card of a request that may be decided by codes, and so.
  Result<RequestCard> decidable(const DecisionByCode& decision);
  Result<RequestCard> apply(RequestCard card, const DecisionByCode& decision, const std::string& by,
                            Decisions& decisions);
  /// Uses the code up, with its step in the audit log, or counts it as wrong: both are to be committed.
  /// `refused` is why it was not taken, `locked` who is to be told of the last of the wrong ones.
  Result<Outcome<bool>> use(Totp totp, const std::string& code, Use purpose);
  Result<> log_wrong(Totp& totp, const std::string& actor, totp::Outcome outcome);
  /// After the commit.
  template <class T>
  void tell_if_locked(const Result<Outcome<T>>& outcome, const std::string& address) {
    if (outcome && outcome->locked) {
      tell_(*outcome->locked, {PersonalNews::What::kCodesLocked, printable(address)});
    }
  }
  /// Appends the row; `totp` is as new as that.
  Result<> log(Totp& totp, Use purpose);

  Desk& desk_;
  const std::shared_ptr<Ledger>& ledger_;
  LedgerPeople& people_;
  const ServiceOptions& options_;
  LedgerPeople::Note note_;
  LedgerPeople::Tell tell_;
  SecretBytes nobodys_;  ///< the secret of whoever is not there
};

// What the files of this class have in common.

/// In the same words whatever is wrong with it.
Error refused_code();
/// The setting names no group.
Error no_codes_here();

}  // namespace zkv::gateway
