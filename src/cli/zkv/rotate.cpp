// `zkv rotate`: a new repository key, every slot wrapped anew with what opens it.
#include <algorithm>
#include <memory>
#include <set>

#include "commands.h"
#include "fetch_options.h"
#include "host/enrolment.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "output.h"
#include "repository/change.h"
#include "repository/rotate.h"

namespace zkv::cli {

namespace {

struct RotateOptions {
  KeyOptions key;
  GatewayOptions gateway{.addresses = {}, .timeout = 300, .ca_file = {}};
  std::vector<std::filesystem::path> also;
  std::vector<std::uint32_t> dropped;
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

/// The shares of each gateway, one after the other: each wants somebody's approval.
Result<> ask_for_shares(const Session& session, const RotateOptions& options,
                        const std::vector<host::Enrolment>& enrolments, repository::Rotation& rotation,
                        std::vector<host::Released>& fetched) {
  const host::StopOnSignal signals;
  for (const auto& enrolment : enrolments) {
    auto released = fetch_shares(session.repository, {enrolment}, options.gateway, signals.token());
    if (!released) {
      return Error(released.error().kind(), released.error().message())
          .context(enrolment.address + " did not give its share, and nothing was changed")
          .remedy("approve the request and rotate again, or take its slot away: zkv unenroll " +
                  enrolment.address);
    }
    rotation.keys.push_back({released->shares.clone(), enrolment.gateway});
    fetched.push_back(std::move(*released));
  }
  return {};
}

Result<> read_others(const Session& session, const RotateOptions& options, repository::Rotation& rotation) {
  for (const auto& file : options.also) {
    ZKV_TRY(const auto before, repository::slots_without_key(session.repository, rotation));
    ZKV_TRY(auto key, read_key_file(file));
    rotation.keys.push_back({std::move(key), std::nullopt});
    ZKV_TRY(const auto after, repository::slots_without_key(session.repository, rotation));
    if (after.size() == before.size()) {
      return Error::invalid("what is in " + file.string() + " opens no other slot of the repository");
    }
  }
  return {};
}

/// Asks a person for what is left, slot by slot, where there is one. An empty answer leaves it to the error
/// that says what can be done.
Result<> ask_for_others(const Session& session, const std::set<std::uint32_t>& of_gateways,
                        repository::Rotation& rotation) {
  ZKV_TRY(auto open, repository::slots_without_key(session.repository, rotation));
  std::erase_if(open, [&](const repository::Slot& slot) {
    return of_gateways.contains(slot.id) || !repository::is_usable(slot.type);
  });
  for (const auto& slot : open) {
    auto key = ask_for_key("What opens slot " + std::to_string(slot.id) + " (" + to_text(slot.type) +
                           (slot.label.empty() ? "" : ", " + slot.label) + ")");
    if (!key) return {};
    rotation.keys.push_back({std::move(*key), std::nullopt});
  }
  return {};
}

/// Whatever lacks a key is said before anybody at a gateway is disturbed.
Result<> check_all_have_keys(const Session& session, const std::set<std::uint32_t>& of_gateways,
                             const repository::Rotation& rotation) {
  ZKV_TRY(auto open, repository::slots_without_key(session.repository, rotation));
  std::erase_if(open, [&](const repository::Slot& slot) { return of_gateways.contains(slot.id); });
  if (open.empty()) return {};
  std::string names;
  std::string drops;
  for (const auto& slot : open) {
    names += (names.empty() ? "" : ", ") + std::to_string(slot.id) + " (" + to_text(slot.type) +
             (slot.label.empty() ? "" : ", " + slot.label) + ")";
    drops += " --drop " + std::to_string(slot.id);
  }
  return Error::invalid("nothing was given that opens slot " + names + "; nothing was changed")
      .remedy("give what opens each by --also-key-file FILE, or at a terminal; or let them go:" + drops);
}

Result<> rotate(Session& session, const RotateOptions& options) {
  ZKV_CHECK(check_has_slots(session));
  ZKV_TRY(const auto enrolments, host::EnrolmentFolder(session.repository).all());
  repository::Rotation rotation;
  rotation.dropped = {options.dropped.begin(), options.dropped.end()};
  ZKV_CHECK(check_dropped(enrolments, rotation.dropped));
  ZKV_TRY(auto key, read_repository_key(session, options.key));
  rotation.keys.push_back({std::move(key), std::nullopt});
  std::set<std::uint32_t> of_gateways;
  for (const auto& enrolment : enrolments) of_gateways.insert(enrolment.slot);
  ZKV_CHECK(read_others(session, options, rotation));
  ZKV_CHECK(ask_for_others(session, of_gateways, rotation));
  ZKV_CHECK(check_all_have_keys(session, of_gateways, rotation));
  std::vector<host::Released> fetched;
  ZKV_CHECK(ask_for_shares(session, options, enrolments, rotation, fetched));
  ZKV_TRY(const auto rotated, repository::rotate(session.repository, rotation));
  for (const auto& released : fetched) acknowledge(session.repository, released, options.gateway);
  Output out;
  out << session.repository.string() << " has a new key, generation " << std::to_string(rotated.generation)
      << ": " << numbers_of(rotated.kept) << (rotated.kept.size() == 1 ? " opens" : " open")
      << " it as before"
      << (rotated.dropped.empty()
              ? ""
              : "; " + numbers_of(rotated.dropped) + (rotated.dropped.size() == 1 ? " is" : " are") + " gone")
      << ".\nThe generation before was removed. Copies of it elsewhere, in backups say, open as they did.\n";
  return out.write();
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
  add_trust_options(*command, options->gateway);
  add_tpm_option(*command, options->gateway);
  command->callback([&session, options] {
    const auto done = rotate(session, *options);
    session.exit_code = done ? ExitCode::kDone : report(done.error());
  });
}

}  // namespace zkv::cli
