// `zkv slot list|add|remove`: who can open a version 2 repository.
#include <memory>

#include "commands.h"
#include "key_input.h"
#include "output.h"
#include "repository/change.h"
#include "stored_volumes.h"

namespace zkv::cli {

namespace {

using repository::SlotType;

struct SlotAddOptions {
  KeyOptions key;
  std::string type;
  std::string label;
  std::string secret;
  std::filesystem::path secret_file;
  std::uint32_t passes = 0;
  std::uint32_t memory_mib = 0;
  bool machine_readable = false;
  [[nodiscard]] bool secret_given() const { return !secret.empty() || !secret_file.empty(); }
};

struct RemoveSlotOptions {
  KeyOptions key;
  std::uint32_t id = 0;
  bool force = false;
};

Result<repository::Outside> outside_of(const Session& session) {
  ZKV_TRY(auto description, repository::describe(session.repository));
  if (description.outside) return std::move(*description.outside);
  return Error::unsupported(session.repository.string() + " has the seed's format, which has no slots")
      .remedy("'zkv repository convert' turns it into version 2");
}

void print_line(Output& out, const repository::Slot& slot) {
  out << std::to_string(slot.id) << "\t" << to_text(slot.type) << "\t" << to_text(slot.created) << "\t"
      << slot.label << "\n";
}

void print_json(Output& out, const repository::Slot& slot) {
  out << "{\"id\": " << std::to_string(slot.id) << ", \"type\": ";
  out.json(to_text(slot.type)) << ", \"created\": ";
  out.json(to_text(slot.created)) << ", \"label\": ";
  out.json(slot.label);
  if (const auto cost = passphrase_cost(slot); cost) {
    out << ", \"passes\": " << std::to_string(cost->passes)
        << ", \"memory_kib\": " << std::to_string(cost->memory_kib);
  }
  out << "}";
}

Result<> list(const Session& session, bool json) {
  ZKV_TRY(const auto outside, outside_of(session));
  Output out;
  if (!json) {
    out << "ID\tTYPE\tCREATED\tLABEL\n";
    for (const auto& slot : outside.slots) print_line(out, slot);
    return out.write();
  }
  std::string_view separator = "[";
  for (const auto& slot : outside.slots) {
    print_json(out << separator, slot);
    separator = ",\n ";
  }
  return (out << (outside.slots.empty() ? "[]\n" : "]\n")).write();
}

crypto::Argon2Cost cost_of(const SlotAddOptions& options) {
  crypto::Argon2Cost cost = repository::default_cost();
  if (options.passes != 0) cost.passes = options.passes;
  if (options.memory_mib != 0) cost.memory_kib = options.memory_mib * 1024;
  return cost;
}

SlotType type_of(const SlotAddOptions& options) {
  if (options.type == "classic") return SlotType::kClassic;
  return options.type == "passphrase" ? SlotType::kPassphrase : SlotType::kRecovery;
}

Result<SecretBytes> new_secret(Session& session, const SlotAddOptions& options) {
  if (type_of(options) == SlotType::kRecovery && !options.secret_given()) return repository::new_key();
  const char* question =
      type_of(options) == SlotType::kPassphrase ? "New passphrase" : "Key that is to open the repository";
  return read_new_secret(session, options.secret, options.secret_file, question);
}

Result<> show_added(const SlotAddOptions& options, std::uint32_t id, const SecretBytes& secret) {
  Output out;
  const bool show_key = type_of(options) == SlotType::kRecovery && !options.secret_given();
  if (options.machine_readable) return (show_key ? out << secret << "\n" : out).write();
  out << "Added slot " << std::to_string(id) << " (" << to_text(type_of(options)) << ")\n";
  if (show_key) {
    out << "Its key is\n" << secret << "\nKeep it in a safe place, on paper say: it is not shown again.\n";
  }
  return out.write();
}

Result<> add(Session& session, const SlotAddOptions& options) {
  ZKV_CHECK(outside_of(session));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  ZKV_TRY(const auto secret, new_secret(session, options));
  ZKV_TRY(const auto id, repository::add_slot(session.repository, key,
                                              {.type = type_of(options),
                                               .label = options.label,
                                               .secret = secret.clone(),
                                               .cost = cost_of(options)}));
  remember_names(session, key);
  return show_added(options, id, secret);
}

Result<> remove(Session& session, const RemoveSlotOptions& options) {
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  ZKV_CHECK(repository::remove_slot(session.repository, key, options.id, options.force));
  Output out;
  out << "Removed slot " << std::to_string(options.id)
      << "; copies of the file from before still open by it\n";
  return out.write();
}

void add_slot_add(CLI::App& slots, Session& session) {
  auto* command = slots.add_subcommand("add", "let one more key open the repository");
  const auto options = std::make_shared<SlotAddOptions>();
  add_key_options(*command, options->key);
  command
      ->add_option("TYPE,--type", options->type,
                   "recovery (makes a key), classic (the vault's key) or passphrase")
      ->required()
      ->check(CLI::IsMember({"recovery", "classic", "passphrase"}))
      ->type_name("");
  command->add_option("--label", options->label, "a word of yours to know it by");
  auto* secret = command
                     ->add_option("--secret", options->secret,
                                  "the new key or passphrase; '-' reads it from standard input")
                     ->type_name(kSecretType);
  command->add_option("--secret-file", options->secret_file, "read the new key or passphrase from FILE")
      ->type_name("FILE")
      ->excludes(secret);
  command->add_option("--passes", options->passes, "Argon2id passes for a passphrase")
      ->check(CLI::Range(1, 64));
  command->add_option("--memory", options->memory_mib, "Argon2id memory for a passphrase, in MiB")
      ->check(CLI::Range(1, 1024));
  command->add_flag("-m,--machine-readable", options->machine_readable, "print the new key and nothing else");
  command->callback([&session, options] { session.exit_code = finish(add(session, *options)); });
}

void add_slot_remove(CLI::App& slots, Session& session) {
  auto* command = slots.add_subcommand("remove", "take away a key's way in");
  const auto options = std::make_shared<RemoveSlotOptions>();
  add_key_options(*command, options->key);
  command->add_option("ID", options->id, "number of the slot, as 'zkv slot list' shows it")->required();
  command->add_flag("-f,--force", options->force, "even if no key could open the repository afterwards");
  command->callback([&session, options] { session.exit_code = finish(remove(session, *options)); });
}

void add_slot_list(CLI::App& slots, Session& session) {
  auto* command = slots.add_subcommand("list", "list the slots; needs no key");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "as JSON");
  command->callback([&session, json] { session.exit_code = finish(list(session, *json)); });
}

}  // namespace

void add_slot_commands(CLI::App& app, Session& session) {
  auto* slots = app.add_subcommand("slot", "the keys that open a version 2 repository");
  add_slot_list(*slots, session);
  add_slot_add(*slots, session);
  add_slot_remove(*slots, session);
}

}  // namespace zkv::cli
