// `zkv rotate`: a new repository key, every slot wrapped anew with what opens it, and new shares with each
// gateway.
#include <memory>
#include <set>

#include "commands.h"
#include "fetch_options.h"
#include "host/drift.h"
#include "host/enroll.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "output.h"
#include "repository/change.h"
#include "repository/rotate.h"
#include "rotate_shares.h"
#include "rotate_volumes.h"

namespace zkv::cli {

namespace {

struct RotateOptions {
  KeyOptions key;
  GatewayOptions gateway{.addresses = {}, .timeout = 300, .ca_file = {}};
  std::vector<std::filesystem::path> also;
  std::vector<std::uint32_t> dropped;
  bool keep_shares = false;
  bool volume_keys = false;
  bool yes = false;
};

Result<> check_has_slots(const Session& session) {
  ZKV_TRY(const auto description, repository::describe(session.repository));
  if (description.outside) return {};
  return Error::unsupported(session.repository.string() +
                            " has the seed's format, whose one key is the key itself")
      .remedy("'zkv repository convert' turns it into version 2");
}

std::string numbers_of(const std::vector<std::uint32_t>& ids) {
  std::string text = ids.size() == 1 ? "slot " : "slots ";
  for (const auto id : ids) text += (id == ids.front() ? "" : ", ") + std::to_string(id);
  return text;
}

/// Of those whose slots are there, as another slot may have that number by now.
Result<std::vector<host::Enrolment>> enrolments_with_slots(const Session& session) {
  ZKV_TRY(const auto description, repository::describe(session.repository));
  ZKV_TRY(auto enrolments, host::EnrolmentFolder(session.repository).all());
  std::erase_if(enrolments,
                [&](const auto& enrolment) { return host::misfit_of(enrolment, description).has_value(); });
  return enrolments;
}

/// An enrolment goes by `unenroll`, which also forgets its identity and share.
Result<> check_dropped(const std::vector<host::Enrolment>& enrolments,
                       const std::set<std::uint32_t>& dropped) {
  for (const auto& enrolment : enrolments) {
    if (!dropped.contains(enrolment.slot)) continue;
    return Error::invalid("slot " + std::to_string(enrolment.slot) + " is that of " + enrolment.address)
        .remedy("'zkv unenroll " + enrolment.address + "' takes it away; then rotate");
  }
  return {};
}

/// What is known so far, and the slots that lack a key; those of gateways are seen to last.
class Keyring {
 public:
  static Result<Keyring> begin(const Session& session, const RotateOptions& options,
                               const std::vector<host::Enrolment>& enrolments, SecretBytes key) {
    Keyring ring(session);
    ring.rotation_.dropped = {options.dropped.begin(), options.dropped.end()};
    for (const auto& enrolment : enrolments) ring.of_gateways_.insert(enrolment.slot);
    ZKV_CHECK(ring.take(std::move(key)));
    return ring;
  }

  /// Whether it opens a slot that nothing opened before.
  Result<bool> take(SecretBytes key) {
    const auto before = lacking_.size();
    rotation_.keys.push_back({std::move(key), std::nullopt});
    ZKV_TRY(lacking_, repository::slots_without_key(session_.repository, rotation_));
    std::erase_if(lacking_, [this](const repository::Slot& slot) { return of_gateways_.contains(slot.id); });
    return lacking_.size() < before;
  }
  void take(const host::Released& released) {
    rotation_.keys.push_back({released.shares.clone(), released.enrolment.gateway});
  }

  [[nodiscard]] const std::vector<repository::Slot>& lacking() const { return lacking_; }
  [[nodiscard]] const repository::Rotation& rotation() const { return rotation_; }

 private:
  explicit Keyring(const Session& session) : session_(session) {}

  const Session& session_;
  repository::Rotation rotation_;
  std::set<std::uint32_t> of_gateways_;
  std::vector<repository::Slot> lacking_;
};

std::string called(const repository::Slot& slot) {
  return std::to_string(slot.id) + " (" + to_text(slot.type) + (slot.label.empty() ? "" : ", " + slot.label) +
         ")";
}

Result<> read_others(const RotateOptions& options, Keyring& ring) {
  ZKV_TRY(auto keys, read_key_files(options.also));
  for (auto& [key, file] : keys) {
    ZKV_TRY(const bool helps, ring.take(std::move(key)));
    if (!helps)
      return Error::invalid("what is in " + file.string() + " opens no other slot of the repository");
  }
  return {};
}

/// Asks a person for what is left, slot by slot, where there is one. An empty answer leaves it to the error
/// that says what can be done.
Result<> ask_for_others(Keyring& ring) {
  const auto lacking = ring.lacking();
  for (const auto& slot : lacking) {
    if (!repository::is_usable(slot.type)) continue;
    auto key = ask_for_key("What opens slot " + called(slot));
    if (!key) return {};
    ZKV_CHECK(ring.take(std::move(*key)));
  }
  return {};
}

/// Before anybody at a gateway is disturbed.
Result<> check_nothing_lacks(const Keyring& ring) {
  if (ring.lacking().empty()) return {};
  std::string names;
  std::string drops;
  for (const auto& slot : ring.lacking()) {
    names += (names.empty() ? "" : ", ") + called(slot);
    drops += " --drop " + std::to_string(slot.id);
  }
  return Error::invalid("nothing was given that opens slot " + names + "; nothing was changed")
      .remedy("give what opens each by --also-key-file FILE, or at a terminal; or let them go:" + drops);
}

/// Of gateways that get new shares only so much is told: they have other numbers when that is done.
Result<> show_rotated(const Session& session, repository::Rotated rotated,
                      const std::vector<RotatedShare>& shares) {
  for (const auto& share : shares) {
    if (share.token) std::erase(rotated.kept, share.released.enrolment.slot);
  }
  Output out;
  out << session.repository.string() << " has a new key since generation "
      << std::to_string(rotated.generation);
  if (!rotated.kept.empty()) {
    out << ": " << numbers_of(rotated.kept) << (rotated.kept.size() == 1 ? " opens" : " open")
        << " it as before";
  }
  if (!rotated.dropped.empty()) {
    out << "; " << numbers_of(rotated.dropped) << (rotated.dropped.size() == 1 ? " is" : " are") << " gone";
  }
  out << ".\nThe generation before was removed. Copies of it elsewhere, in backups say, open as they did.\n";
  return out.write();
}

Result<> rotate_repository(Session& session, const RotateOptions& options, const SecretBytes& key) {
  ZKV_TRY(const auto enrolments, enrolments_with_slots(session));
  ZKV_CHECK(check_dropped(enrolments, {options.dropped.begin(), options.dropped.end()}));
  ZKV_CHECK(host::abandon_succession(session.repository, key));
  ZKV_TRY(auto ring, Keyring::begin(session, options, enrolments, key.clone()));
  ZKV_CHECK(read_others(options, ring));
  ZKV_CHECK(ask_for_others(ring));
  ZKV_CHECK(check_nothing_lacks(ring));
  const host::StopOnSignal signals;
  ZKV_TRY(const auto shares,
          ask_for_shares(session, options.gateway, enrolments, !options.keep_shares, signals.token()));
  for (const auto& share : shares) ring.take(share.released);
  ZKV_TRY(const auto rotated, repository::rotate(session.repository, ring.rotation()));
  for (const auto& share : shares) acknowledge(session.repository, share.released, options.gateway);
  ZKV_CHECK(show_rotated(session, rotated, shares));
  ZKV_CHECK(enrol_anew(session, options.gateway, key, shares, signals.token()));
  return end_predecessors(session, options.gateway, key, signals.token());
}

/// Where only the gateways' last word was missing, nobody is asked again.
Result<bool> finish_begun(Session& session, const RotateOptions& options, const SecretBytes& key) {
  ZKV_TRY(const auto enrolments, host::EnrolmentFolder(session.repository).all());
  if (!is_succession_pending(enrolments)) return false;
  const host::StopOnSignal signals;
  ZKV_CHECK(end_predecessors(session, options.gateway, key, signals.token()));
  Output out;
  out << "That ends a rotation that was begun before. Say it again for another.\n";
  ZKV_CHECK(out.write());
  return true;
}

/// A change of volumes' keys that was interrupted goes on, under the repository's key as it is.
Result<ExitCode> rotate(Session& session, const RotateOptions& options) {
  ZKV_CHECK(check_has_slots(session));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  ZKV_TRY(const bool is_finished, finish_begun(session, options, key));
  if (is_finished && !options.volume_keys) return ExitCode::kDone;
  if (!options.volume_keys) {
    ZKV_CHECK(rotate_repository(session, options, key));
    return ExitCode::kDone;
  }
  ZKV_TRY(const bool is_begun, is_volume_change_pending(session, key));
  if (!is_begun) {
    ZKV_CHECK(confirm_volume_change(session, key, options.yes));
    if (!is_finished) ZKV_CHECK(rotate_repository(session, options, key));
  }
  return change_volume_keys(session, key, is_begun);
}

}  // namespace

void add_rotate_command(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("rotate", "give the repository a new key, under the same slots");
  const auto options = std::make_shared<RotateOptions>();
  add_key_options(*command, options->key);
  command
      ->add_option("--also-key-file", options->also,
                   "what opens another slot is in FILE; may be given several times")
      ->type_name("FILE")
      ->allow_extra_args(false);
  command->add_option("--drop", options->dropped, "let slot ID go; may be given several times")
      ->type_name("ID")
      ->allow_extra_args(false);
  command->add_option("--timeout", options->gateway.timeout, "seconds to wait for each gateway; 0: no limit")
      ->capture_default_str();
  command->add_flag("--keep-shares", options->keep_shares,
                    "leave the gateways' shares and this machine's as they are");
  command->add_flag("--volume-keys", options->volume_keys,
                    "change the volumes' own keys as well, or go on with that");
  command->add_flag("--yes", options->yes, "do not ask whether raw replicas of ZFS may break");
  add_trust_options(*command, options->gateway);
  add_tpm_option(*command, options->gateway);
  command->callback([&session, options] {
    const auto done = rotate(session, *options);
    session.exit_code = done ? *done : report(done.error());
  });
}

}  // namespace zkv::cli
