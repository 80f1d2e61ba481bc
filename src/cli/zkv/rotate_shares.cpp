// Asking with a token in hand, enrolling by it, and ending what was before.
#include "rotate_shares.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "base/plain_text.h"
#include "crypto/random.h"
#include "host/enroll.h"
#include "host/succession.h"
#include "output.h"
#include "renewing.h"
#include "repository/rotate.h"

namespace zkv::cli {

namespace {

crypto::Sha256 hash_of(const SecretBytes& token) { return crypto::sha256(token.span()); }

/// A gateway that knows nothing of new keys gives its share as ever.
Result<RotatedShare> ask_one(const Session& session, const GatewayOptions& options,
                             const host::Enrolment& enrolment, bool wants_new, const std::stop_token& stop) {
  if (wants_new) {
    auto token = crypto::random_secret(protocol::kInviteSize);
    auto released =
        fetch_shares(session.repository, {enrolment}, options, stop, {.successor = hash_of(token)});
    if (released) return RotatedShare{std::move(*released), std::move(token)};
    if (released.error().kind() != ErrorKind::kUnsupported) return tl::unexpected(released.error());
    static_cast<void>(
        std::fprintf(stderr, "zkv: %s; its share stays\n", plain_text(released.error().message()).c_str()));
  }
  ZKV_TRY(auto released, fetch_shares(session.repository, {enrolment}, options, stop));
  return RotatedShare{std::move(released), std::nullopt};
}

Error at_gateway(const host::Enrolment& enrolment, const Error& error) {
  return Error(error).context("new keys with " + enrolment.address + ": not done yet");
}

}  // namespace

Result<std::vector<RotatedShare>> ask_for_shares(const Session& session, const GatewayOptions& options,
                                                 const std::vector<host::Enrolment>& enrolments,
                                                 bool wants_new, const std::stop_token& stop) {
  std::vector<RotatedShare> all;
  for (const auto& enrolment : enrolments) {
    auto share = ask_one(session, options, enrolment, wants_new, stop);
    if (!share) {
      return Error(share.error().kind(), share.error().message())
          .context(enrolment.address + " did not give its share, and nothing was changed")
          .remedy("approve the request and rotate again, or take its slot away: zkv unenroll " +
                  enrolment.address);
    }
    all.push_back(std::move(*share));
  }
  return all;
}

Result<> enrol_anew(const Session& session, const GatewayOptions& options, const SecretBytes& key,
                    const std::vector<RotatedShare>& shares, const std::stop_token& stop) {
  for (const auto& share : shares) {
    if (!share.token) continue;
    const auto& older = share.released.enrolment;
    const protocol::InviteLink link{older.address, share.token->clone(), older.gateway, older.certificate};
    const host::KeyPlace keys{older.in_tpm ? std::optional(options.tpm) : std::nullopt};
    const host::EnrolOrder order{session.repository, key, link, keys, true};
    const auto enrolled = host::enrol(order, exchange_with(older.certificate, options), stop);
    if (!enrolled) return at_gateway(older, enrolled.error());
  }
  return {};
}

bool is_succession_pending(const std::vector<host::Enrolment>& enrolments) {
  return std::ranges::any_of(enrolments,
                             [](const host::Enrolment& one) { return one.predecessor.has_value(); });
}

Result<> end_predecessors(Session& session, const GatewayOptions& options, const SecretBytes& key,
                          const std::stop_token& stop) {
  const host::EnrolmentFolder folder(session.repository);
  ZKV_TRY(const auto enrolments, folder.all());
  for (const auto& enrolment : enrolments) {
    ZKV_CHECK(host::forget_predecessor(session.repository, key, enrolment));
  }
  if (is_succession_pending(enrolments)) {
    ZKV_CHECK(repository::forget_previous(session.repository));
    // What changed may have changed in a run that was cut off before the copies were renewed.
    if (session.before) session.before.emplace();
  }
  if (!renew_copies(session)) {
    return Error::io("a copy of the repository elsewhere was not renewed, so that the old shares are kept")
        .remedy("mend that, and say 'zkv rotate' again: it goes on here");
  }
  Output out;
  for (const auto& enrolment : enrolments) {
    if (!enrolment.predecessor) continue;
    ZKV_TRY(const auto keys, folder.keys_of(enrolment, options.tpm));
    const auto settled =
        host::take_own_place(folder, enrolment, keys, exchange_with(enrolment.certificate, options), stop);
    if (!settled) {
      return at_gateway(enrolment, settled.error()).remedy("say 'zkv rotate' again: it goes on here");
    }
    // That the predecessor is gone is nothing that a copy must know.
    session.before = host::RepositoryFiles::of(session.repository);
    out << settled->address << " has a new share of this machine's, for slot "
        << std::to_string(settled->slot) << "; the old one is destroyed\n";
  }
  return out.write();
}

}  // namespace zkv::cli
