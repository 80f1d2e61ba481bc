// Deciding a request by passkey: the answer checked, kept as evidence, and applied, in one transaction.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "crypto/random.h"
#include "gateway/service/ledger_people.h"
#include "gateway/service/service.h"
#include "gateway/service/suspend.h"
#include "gateway/service/watching.h"

namespace zkv::gateway {
namespace {

namespace asio = boost::asio;

}  // namespace

Error ended_already(const Request& request) {
  const auto by = request.decided_by.empty() ? std::string() : " by " + without_approver(request.decided_by);
  return Error::conflict(fmt::format("this request is already {}{}", to_text(request.state), by))
      .named("ended");
}

bool can_be(const Request& request, passkey::Decision decision) {
  if (request.state == State::kPending) return true;
  return request.state == State::kApproved && decision == passkey::Decision::kDeny;
}

bool is_refused_decision(const Error& why) {
  return why.kind() == ErrorKind::kDenied || why.kind() == ErrorKind::kConflict;
}

bool is_open_to_codes(const RequestCard& card, const ServiceOptions& options) {
  const bool gives_more = card.message && (card.message->next_boot || card.message->successor);
  return card.host && !gives_more &&
         std::ranges::find(options.totp_groups, card.host->group) != options.totp_groups.end();
}

Error not_by_codes() {
  return Error::denied("requests of this host, or for its next boot or new keys, are not decided by codes")
      .remedy("sign in with a passkey, or ask somebody who has one at hand")
      .named("totp-group");
}

asio::awaitable<Result<CardList>> LedgerPeople::open_requests(SessionKey key) {
  std::function<Result<CardList>(Decisions&)> work = [this, key](Decisions&) -> Result<CardList> {
    ZKV_TRY(const auto me, who_looks(key));
    if (me.kind == SessionKind::kTotp) return open_to_codes();
    ZKV_TRY(auto requests, desk_.store().first_open(kMostOnBoard + 1));
    return cards_of(desk_.store(), std::move(requests), kMostOnBoard);
  };
  return on_ledger<CardList>(*ledger_, desk_, std::move(work));
}

Result<CardList> LedgerPeople::open_to_codes() {
  const auto all = std::numeric_limits<std::int64_t>::max();
  ZKV_TRY(auto requests, desk_.store().first_open(all));
  std::erase_if(requests.requests, [](const Request& request) { return request.host.empty(); });
  ZKV_TRY(auto list, cards_of(desk_.store(), std::move(requests), all));
  std::erase_if(list.cards, [this](const RequestCard& card) { return !is_open_to_codes(card, options_); });
  list.damaged.clear();  // whose they were is not known
  list.has_more = list.cards.size() > kMostOnBoard;
  if (list.has_more) list.cards.resize(kMostOnBoard);
  return list;
}

asio::awaitable<Result<RequestCard>> LedgerPeople::request(SessionKey key, RequestId id) {
  std::function<Result<RequestCard>(Decisions&)> work =
      [this, key, id = std::move(id)](Decisions&) -> Result<RequestCard> {
    ZKV_TRY(const auto me, who_looks(key));
    ZKV_TRY(const auto request, desk_.store().find(id));
    ZKV_TRY(auto card, card_of(desk_.store(), request));
    if (me.kind == SessionKind::kTotp && !is_open_to_codes(card, options_)) return not_by_codes();
    return card;
  };
  return on_ledger<RequestCard>(*ledger_, desk_, std::move(work));
}

asio::awaitable<Result<SigningAsk>> LedgerPeople::begin_decision(SessionKey key, RequestId request,
                                                                 passkey::Decision decision) {
  std::function<Result<SigningAsk>(Decisions&)> work = [this, key, request = std::move(request),
                                                        decision](Decisions&) {
    return ask_to_decide(key, request, decision);
  };
  return on_ledger<SigningAsk>(*ledger_, desk_, std::move(work));
}

Result<SigningAsk> LedgerPeople::ask_to_decide(const SessionKey& key, const RequestId& id,
                                               passkey::Decision decision) {
  auto& store = desk_.store();
  ZKV_TRY(const auto me, who(key));
  ZKV_TRY(const auto request, store.find(id));
  if (!can_be(request, decision)) return ended_already(request);
  ZKV_TRY(const auto card, card_of(store, request));
  ChallengeUse use;
  use.purpose = ChallengeUse::Purpose::kDecide;
  use.approver = me.approver.id;
  use.request = id;
  use.decision = decision;
  crypto::fill_random(use.random);
  const auto challenge = passkey::approval_challenge(decision, hash_of(card), use.approver, use.random);
  return ask_to_sign(challenge, std::move(use));
}

asio::awaitable<Result<RequestCard>> LedgerPeople::decide(SessionKey key, PersonalDecision decision,
                                                          std::string address) {
  std::function<Result<Outcome<RequestCard>>(Decisions&)> work = [this, key, &decision,
                                                                  &address](Decisions& decisions) {
    return settle(key, decision, address, decisions);
  };
  auto outcome = co_await on_ledger<Outcome<RequestCard>>(*ledger_, desk_, std::move(work));
  auto card = result_of(std::move(outcome));
  if (!card && is_refused_decision(card.error())) {
    note_("refused.decision", std::move(address), card.error().message());
  }
  co_return card;
}

/// What the passkey is held to have signed is made anew here, of the request as it stands in the store.
Result<LedgerPeople::Outcome<RequestCard>> LedgerPeople::settle(const SessionKey& key,
                                                                const PersonalDecision& decision,
                                                                const std::string& address,
                                                                Decisions& decisions) {
  auto& store = desk_.store();
  ZKV_TRY(const auto me, who(key));
  ZKV_TRY(const auto spent,
          spend(decision.answer.assertion.client_data_json, ChallengeUse::Purpose::kDecide));
  const auto& use = spent.use;
  if (use.request != decision.request || use.decision != decision.decision ||
      use.approver != me.approver.id) {
    return wrong_challenge();
  }
  ZKV_TRY(const auto request, store.find(use.request));
  ZKV_TRY(const auto card, card_of(store, request));
  const passkey::Evidence evidence{use.approver, use.decision, hash_of(card), use.random,
                                   decision.answer.assertion};
  const auto challenge =
      passkey::approval_challenge(use.decision, evidence.request, use.approver, use.random);
  ZKV_TRY(auto checked, check(decision.answer, challenge, address));
  Outcome<RequestCard> outcome;
  outcome.refused = std::move(checked.refused);
  if (outcome.refused) return outcome;
  if (checked.value->approver != me.approver.id) {
    return refused_passkey(Error::denied("this is the passkey of somebody else"));
  }
  ZKV_TRY(outcome.value, decide_with(me.approver, evidence, card, decision.reason, decisions));
  return outcome;
}

Result<RequestCard> LedgerPeople::decide_with(const Approver& approver, const passkey::Evidence& evidence,
                                              const RequestCard& card, const std::string& reason,
                                              Decisions& decisions) {
  auto& store = desk_.store();
  const auto& request = card.request;
  if (!can_be(request, evidence.decision)) return ended_already(request);
  const auto by = actor_of(approver);
  Approval approval;
  approval.request = request.id;
  approval.approver = approver.id;
  approval.passkey = evidence.assertion.id;
  approval.decision = passkey::to_text(evidence.decision);
  approval.at = now();
  approval.evidence = passkey::to_json(evidence);
  approval.evidence_hash = crypto::sha256(bytes_of(approval.evidence));
  ZKV_CHECK(store.people().insert(approval));
  const bool approves = evidence.decision == passkey::Decision::kApprove;
  const Event event = approves ? Event(event::Approve{by}) : Event(event::Deny{by, printable(reason, 500)});
  ZKV_TRY(const auto next, desk_.apply(request, event, by, decisions, approval.evidence));
  if (next.state != (approves ? State::kApproved : State::kDenied)) return ended_already(next);
  RequestCard decided = card;
  decided.request = next;
  return decided;
}

asio::awaitable<Result<std::uint64_t>> LedgerPeople::change_after(std::uint64_t seen) {
  std::function<Result<bool>()> is_over = [this, seen]() -> Result<bool> {
    return desk_.watchers().changes() != seen;
  };
  RequestId any;
  co_await wait_for_change(ledger_, desk_, std::move(any), std::move(is_over));
  co_return desk_.watchers().changes();
}

}  // namespace zkv::gateway
