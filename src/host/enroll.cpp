// The order of an enrolment: keys, message, slot, answer, record; each step leaves what the next one, or its
// undoing, needs.
#include "host/enroll.h"

#include <algorithm>
#include <utility>

#include "base/plain_text.h"
#include "crypto/random.h"
#include "host/drift.h"
#include "host/evidence.h"
#include "host/gateway_link.h"
#include "protocol/json_members.h"
#include "repository/change.h"

namespace zkv::host {

namespace {

constexpr std::chrono::seconds kEnrolmentLimit{60};
constexpr std::size_t kEnrolledLimit = std::size_t{64} << 10U;
constexpr long kCreated = 201;

Result<protocol::RepositoryId> id_of(const std::filesystem::path& path) {
  ZKV_TRY(const auto description, repository::describe(path));
  if (description.outside) return description.outside->header.id;
  return Error::unsupported(path.string() + " has the seed's format, which has no slots")
      .remedy("'zkv repository convert' turns it into version 2; then enrol");
}

/// Success where it is gone already. An older repository that was put back gives numbers anew, so that
/// another slot may have this one by now.
Result<> forget_slot(const std::filesystem::path& repository, const SecretBytes& key, std::uint32_t slot,
                     const protocol::KeyId& gateway) {
  ZKV_TRY(const auto description, repository::describe(repository));
  if (!description.outside) return {};
  const auto& slots = description.outside->slots;
  const auto found = std::ranges::find(slots, slot, &repository::Slot::id);
  if (found == slots.end() || repository::gateway_of(*found) != gateway) return {};
  auto removed = repository::remove_slot(repository, key, slot, false);
  if (!removed && removed.error().kind() != ErrorKind::kNotFound) return removed;
  return {};
}

/// The slots of the gateway that no enrolment with it names: one that was cut off has added them.
Result<> forget_stray_slots(const std::filesystem::path& repository, const SecretBytes& key,
                            const protocol::KeyId& gateway) {
  ZKV_TRY(const auto enrolment, EnrolmentFolder(repository).with(gateway));
  ZKV_TRY(const auto description, repository::describe(repository));
  if (!description.outside) return {};
  for (const auto& slot : description.outside->slots) {
    const auto older = enrolment ? enrolment->predecessor : std::nullopt;
    const bool is_named = enrolment && (slot.id == enrolment->slot || (older && slot.id == older->slot));
    if (repository::gateway_of(slot) == gateway && !is_named)
      ZKV_CHECK(forget_slot(repository, key, slot.id, gateway));
  }
  return {};
}

/// One that stands already, and was cut off right after, has only that left of its beginning.
Result<> forget_begun(const std::filesystem::path& repository, const SecretBytes& key,
                      const Enrolment& begun) {
  const EnrolmentFolder folder(repository);
  ZKV_TRY(const auto standing, folder.with(begun.gateway));
  if (standing && standing->host == begun.host) return folder.forget_pending();
  ZKV_CHECK(begun.slot == 0 ? forget_stray_slots(repository, key, begun.gateway)
                            : forget_slot(repository, key, begun.slot, begun.gateway));
  ZKV_CHECK(folder.forget_keys(begun.host));
  ZKV_CHECK(folder.forget_pending());
  folder.clear_if_unused();
  return {};
}

/// One enrolment from its first step to its last.
class Enroller {
 public:
  Enroller(const EnrolOrder& order, const Exchange& exchange, const std::stop_token& stop)
      : order_(order),
        stop_(stop),
        folder_(order.repository),
        link_(order.link.gateway_address, order.link.gateway, exchange),
        invite_(crypto::sha256(order.link.token.span())) {}

  Result<Enrolment> run() {
    ZKV_TRY(auto pending, folder_.pending());
    ZKV_TRY(const auto repository, repository::describe(order_.repository));
    if (pending && !is_what_is_wanted(*pending, repository)) {
      ZKV_CHECK(undo(pending->enrolment));
      pending.reset();
    }
    if (!pending) {
      ZKV_CHECK(folder_.forget_stray_keys());
      ZKV_TRY(pending, prepare());
    }
    ZKV_TRY(auto enrolment, send(*pending));
    ZKV_CHECK(settle(enrolment));
    return enrolment;
  }

 private:
  /// An older repository may have been put back meanwhile, or another one.
  [[nodiscard]] bool is_what_is_wanted(const PendingEnrolment& begun,
                                       const repository::Description& repository) const {
    return begun.invite == invite_ && begun.enrolment.slot != 0 && !misfit_of(begun.enrolment, repository) &&
           begun.enrolment.in_tpm == order_.keys.tpm.has_value();
  }

  /// Everything but the gateway's answer. The slot opens with both shares, of which ours is with the keys,
  /// and the other only in the message, sealed to the gateway.
  Result<PendingEnrolment> prepare() {
    ZKV_TRY(const auto statement, link_.statement(kEnrolmentLimit, stop_));
    ZKV_TRY(const auto repository, id_of(order_.repository));
    auto keys = folder_.make_keys(order_.keys);
    if (!keys) {
      folder_.clear_if_unused();
      return std::move(keys).error();
    }
    PendingEnrolment pending;
    pending.invite = invite_;
    auto& enrolment = pending.enrolment;
    enrolment.address = order_.link.gateway_address;
    enrolment.gateway = order_.link.gateway;
    enrolment.certificate = order_.link.certificate;
    enrolment.host = protocol::key_id(keys->identity->identity());
    enrolment.in_tpm = order_.keys.tpm.has_value();
    enrolment.repository = repository;
    if (order_.succeeds) {
      ZKV_TRY(enrolment.predecessor, predecessor());
    }
    auto begun = begin(pending, statement, *keys);
    if (begun) return pending;
    static_cast<void>(undo(enrolment));
    return std::move(begun).error();
  }

  /// What is left to do once the keys are there.
  Result<> begin(PendingEnrolment& pending, const protocol::GatewayStatement& statement,
                 const EnrolmentKeys& keys) {
    auto& enrolment = pending.enrolment;
    const auto vault_share = crypto::random_secret(protocol::kShareSize);
    ZKV_TRY(pending.envelope, message(statement, keys, vault_share, enrolment.repository));
    ZKV_CHECK(folder_.store_pending(pending));
    ZKV_TRY(enrolment.slot,
            repository::add_gateway_slot(order_.repository, order_.key,
                                         {"gateway " + statement.name, enrolment.gateway,
                                          repository::join_shares(vault_share, keys.local_share)}));
    return folder_.store_pending(pending);
  }

  [[nodiscard]] Result<std::string> message(const protocol::GatewayStatement& statement,
                                            const EnrolmentKeys& keys, const SecretBytes& vault_share,
                                            const protocol::RepositoryId& repository) const {
    protocol::Enrolment enrolment;
    std::ranges::copy(order_.link.token.span(), enrolment.invite.begin());
    enrolment.gateway = order_.link.gateway;
    enrolment.identity = keys.identity->identity();
    enrolment.repository = repository;
    ZKV_TRY(const auto sealed, crypto::seal_to(statement.sealing, vault_share.span()));
    std::ranges::copy(sealed, enrolment.share.begin());
    enrolment.time = statement.time;
    ZKV_TRY(const auto envelope, protocol::seal_message(enrolment, *keys.identity));
    return protocol::to_json(envelope);
  }

  Result<Enrolment> send(const PendingEnrolment& pending) {
    const auto answer = link_.post("/v2/enrolments", pending.envelope, kEnrolmentLimit, stop_);
    if (!answer) return not_answered(answer.error());
    if (answer->status == kCreated) return read_answer(pending.enrolment, answer->body);
    if (answer->status == 429 || answer->status >= 500) {
      return not_answered(Error::unavailable(answer->detail));
    }
    ZKV_CHECK(undo(pending.enrolment));
    return Error::denied("the gateway refuses the enrolment: " + answer->detail);
  }

  static Error not_answered(const Error& error) {
    return Error(error.kind(), "the gateway did not answer the enrolment: " + error.message())
        .remedy("say the same command again: it goes on where it stopped");
  }

  static Result<Enrolment> read_answer(Enrolment enrolment, const std::string& body) {
    ZKV_TRY(const auto object, protocol::parse_object(body, kEnrolledLimit));
    ZKV_TRY(const auto name, protocol::Members(object).text("name", protocol::kLongestName));
    enrolment.name = plain_text(name);
    return enrolment;
  }

  /// From here on the host counts as enrolled; an older enrolment with the same gateway is cleared away.
  Result<> settle(Enrolment& enrolment) {
    ZKV_TRY(const auto older, folder_.with(enrolment.gateway));
    ZKV_TRY(const auto opened, repository::open(order_.repository, order_.key));
    ZKV_CHECK(folder_.store_volumes(opened.keys));
    if (older && older->host == enrolment.host) {
      enrolment = *older;
    } else if (older) {
      ZKV_CHECK(forget_predecessor(order_.repository, order_.key, *older));
      enrolment.predecessor = Predecessor{older->host, older->slot};
    }
    ZKV_CHECK(folder_.store(enrolment));
    ZKV_CHECK(folder_.forget_pending());
    ZKV_CHECK(forget_predecessor(order_.repository, order_.key, enrolment));
    if (order_.succeeds || !enrolment.predecessor) return {};
    enrolment.predecessor.reset();
    return folder_.store(enrolment);
  }

  [[nodiscard]] Result<std::optional<Predecessor>> predecessor() const {
    ZKV_TRY(const auto older, folder_.with(order_.link.gateway));
    if (!older) return std::nullopt;
    return Predecessor{older->host, older->slot};
  }

  Result<> undo(const Enrolment& begun) { return forget_begun(order_.repository, order_.key, begun); }

  const EnrolOrder& order_;
  const std::stop_token& stop_;
  EnrolmentFolder folder_;
  GatewayLink link_;
  crypto::Sha256 invite_;
};

}  // namespace

Result<Enrolment> enrol(const EnrolOrder& order, const Exchange& exchange, const std::stop_token& stop) {
  return Enroller(order, exchange, stop).run();
}

Result<> abandon_succession(const std::filesystem::path& repository, const SecretBytes& key) {
  const EnrolmentFolder folder(repository);
  ZKV_TRY(const auto pending, folder.pending());
  if (pending && pending->enrolment.predecessor) ZKV_CHECK(forget_begun(repository, key, pending->enrolment));
  return folder.forget_stray_keys();
}

Result<> forget_predecessor(const std::filesystem::path& repository, const SecretBytes& key,
                            const Enrolment& enrolment) {
  if (!enrolment.predecessor) return {};
  const auto slot = enrolment.predecessor->slot;
  if (slot != enrolment.slot) ZKV_CHECK(forget_slot(repository, key, slot, enrolment.gateway));
  return EnrolmentFolder(repository).forget_keys(enrolment.predecessor->host);
}

Result<> unenrol(const std::filesystem::path& repository, const SecretBytes& key,
                 const Enrolment& enrolment) {
  const EnrolmentFolder folder(repository);
  ZKV_CHECK(forget_predecessor(repository, key, enrolment));
  ZKV_CHECK(forget_slot(repository, key, enrolment.slot, enrolment.gateway));
  ZKV_CHECK(folder.forget(enrolment.gateway));
  ZKV_CHECK(folder.forget_keys(enrolment.host));
  folder.clear_if_unused();
  return {};
}

Result<Plea> make_plea(const std::filesystem::path& repository) {
  Plea plea;
  ZKV_TRY(const auto description, repository::describe(repository));
  if (description.outside) plea.generation = description.outside->header.generation;
  plea.volumes = EnrolmentFolder(repository).volumes().value_or(std::vector<std::string>());
  plea.evidence = gather_evidence();
  plea.number = make_number();
  return plea;
}

}  // namespace zkv::host
