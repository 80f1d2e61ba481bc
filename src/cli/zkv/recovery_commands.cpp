// `zkv recovery create|test`: paper that opens the repository when nobody can approve.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <memory>
#include <optional>

#include "commands.h"
#include "key_input.h"
#include "kit_files.h"
#include "kit_input.h"
#include "output.h"
#include "recovery/kit.h"
#include "recovery/kit_reader.h"
#include "recovery/page.h"
#include "repository/change.h"
#include "unlock/guarded_path.h"

namespace zkv::cli {

namespace {

struct CreateOptions {
  KeyOptions key;
  std::string split;
  std::filesystem::path output;
  bool replace = false;
  bool machine_readable = false;
};

struct TestOptions {
  KitOptions kit;
  bool replace = false;
  bool json = false;
};

/// "3/5".
Result<recovery::Scheme> scheme_of(const std::string& text) {
  recovery::Scheme scheme;
  if (text.empty()) return scheme;
  const char* const end = text.data() + text.size();
  const auto threshold = std::from_chars(text.data(), end, scheme.threshold);
  const bool has_slash = threshold.ec == std::errc() && threshold.ptr != end && *threshold.ptr == '/';
  if (has_slash) {
    const auto parts = std::from_chars(threshold.ptr + 1, end, scheme.parts);
    if (parts.ec == std::errc() && parts.ptr == end) return scheme;
  }
  return Error::invalid("'" + text + "' does not say how to split a kit")
      .remedy("as in --split 3/5: any three of five parts open");
}

Result<> print_kit(const recovery::Kit& kit, const CreateOptions& options) {
  Output out;
  for (std::size_t i = 0; i < kit.parts.size(); ++i) {
    const auto page = recovery::page_of(kit, i);
    if (options.machine_readable) {
      out << page.words << "\n";
    } else {
      out << (i == 0 ? "" : "\n\n") << recovery::to_text(page);
    }
  }
  return out.write();
}

Result<std::vector<std::filesystem::path>> hand_out(const recovery::Kit& kit, const CreateOptions& options) {
  if (!options.output.empty()) return write_kit_files(kit, options.output);
  ZKV_CHECK(print_kit(kit, options));
  return std::vector<std::filesystem::path>();
}

std::string listed(const std::vector<std::uint32_t>& ids) {
  std::string text = ids.size() == 1 ? "slot " : "slots ";
  for (const auto id : ids) text += (id == ids.front() ? "" : ", ") + std::to_string(id);
  return text;
}

Result<SecretBytes> key_of(const recovery::Kit& kit) {
  recovery::KitReader reader;
  for (unsigned i = 0; i < kit.scheme.threshold; ++i) ZKV_CHECK(reader.add(write_part(kit.parts[i]).view()));
  return reader.key();
}

void say_aside(const std::string& line) {
  static_cast<void>(std::fprintf(stderr, "zkv: %s\n", line.c_str()));
}

/// The key by which they go is that of the kit that stays: so it has opened the repository before they do.
Result<> remove_older(const Session& session, const SecretBytes& key, const std::vector<std::uint32_t>& ids) {
  ZKV_CHECK(repository::remove_slots(session.repository, key, ids));
  say_aside("removed " + listed(ids) + ": what opened " + (ids.size() == 1 ? "it" : "them") +
            " opens the file no more, but copies from before; 'zkv rotate' ends that for what is written "
            "from now on");
  return {};
}

Result<> settle_older(const Session& session, const recovery::Kit& kit, const CreateOptions& options) {
  ZKV_TRY(const auto older, recovery::other_recovery_slots(session.repository, kit.slot));
  if (older.empty()) return {};
  if (options.replace) {
    ZKV_TRY(const auto key, key_of(kit));
    if (options.output.empty() && ::fsync(STDOUT_FILENO) != 0) {
      return Error::system("writing the kit; older kits stay", errno);
    }
    return remove_older(session, key, older);
  }
  if (!options.machine_readable) {
    say_aside("older recovery keys still open the repository: " + listed(older) +
              "; once this one is on paper, 'zkv recovery test --replace' takes them away");
  }
  return {};
}

bool is_stdout_on_disk() {
  struct stat info {};
  return ::fstat(STDOUT_FILENO, &info) == 0 && S_ISREG(info.st_mode) && !unlock::is_in_memory(STDOUT_FILENO);
}

/// Words that are nowhere but on a screen or in memory are gone with the power, and the older kits were gone
/// before.
Result<> check_outlasts(const CreateOptions& options) {
  if (!options.replace) return {};
  if (options.output.empty() && is_stdout_on_disk()) return {};
  auto folder = std::filesystem::is_directory(options.output) ? options.output : options.output.parent_path();
  if (folder.empty()) folder = ".";
  if (!options.output.empty() && !lies_in_memory(folder)) return {};
  const auto where = !options.output.empty()        ? "in memory (" + folder.string() + ")"
                     : ::isatty(STDOUT_FILENO) == 1 ? std::string("on this screen")
                                                    : std::string("what the program after it makes of it");
  return Error::invalid(
             "older kits are not taken away before the new one is on paper: until then it is only " + where)
      .remedy("make it without --replace, print it or write it down, then: zkv recovery test --replace");
}

Result<> create_kit(Session& session, const CreateOptions& options) {
  ZKV_TRY(const auto scheme, scheme_of(options.split));
  ZKV_CHECK(recovery::check_scheme(scheme));
  ZKV_CHECK(repository::describe(session.repository));
  if (!options.output.empty()) ZKV_CHECK(check_kit_place(options.output));
  ZKV_CHECK(check_outlasts(options));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  ZKV_TRY(const auto kit, recovery::make_kit(session.repository, key, scheme));
  auto files = hand_out(kit, options);
  if (!files) {
    const auto removed = recovery::take_back(session.repository, key, kit);
    if (!removed)
      say_aside("slot " + std::to_string(kit.slot) + " of the kit that could not be written is still there");
    return std::move(files).error();
  }
  if (!files->empty()) ZKV_CHECK(tell_of_kit_files(kit, *files));
  return settle_older(session, kit, options);
}

Result<> print_tried(const repository::Tried& tried, const Session& session, const TestOptions& options) {
  Output out;
  const std::string volumes = std::to_string(tried.volumes);
  if (options.json) {
    out << "{\"slot\": " << std::to_string(tried.slot.id) << ", \"type\": ";
    out.json(to_text(tried.slot.type)) << ", \"label\": ";
    out.json(tried.slot.label) << ", \"created\": ";
    out.json(to_text(tried.slot.created)) << ", \"volumes\": " << volumes << "}\n";
    return out.write();
  }
  out << "It opens " << session.repository.string() << ": slot " << std::to_string(tried.slot.id) << " ("
      << to_text(tried.slot.type) << (tried.slot.label.empty() ? "" : ", " + tried.slot.label) << "), made "
      << to_text(tried.slot.created) << ", " << volumes << (tried.volumes == 1 ? " volume" : " volumes")
      << (options.replace ? ".\n" : ". Nothing was changed.\n");
  return out.write();
}

/// What to do with a sound kit that opens nothing here.
Error explain_trial(Error error) {
  if (error.kind() != ErrorKind::kWrongKey) return error;
  return std::move(error).remedy(
      "words of a kit that came as far as this are sound, but of another repository, or their slot was "
      "removed: compare the kit's number, id and slot with 'zkv slot list' and 'zkv repository show'");
}

Result<> test_kit(Session& session, const TestOptions& options) {
  ZKV_CHECK(repository::describe(session.repository));
  ZKV_TRY(const auto key, read_recovery_key(session, options.kit));
  auto tried = repository::try_key(session.repository, key);
  if (!tried) return explain_trial(std::move(tried).error());
  if (tried->warning) say_aside("warning: " + *tried->warning);
  if (options.replace) {
    if (tried->slot.type != repository::SlotType::kRecovery) {
      return Error::invalid("what was given opens slot " + std::to_string(tried->slot.id) +
                            ", which is no recovery kit's: no other was removed");
    }
    ZKV_TRY(const auto others, recovery::other_recovery_slots(session.repository, tried->slot.id));
    if (!others.empty()) ZKV_CHECK(remove_older(session, key, others));
  }
  return print_tried(*tried, session, options);
}

void add_create(CLI::App& recovery, Session& session) {
  auto* command = recovery.add_subcommand("create", "make a recovery kit for paper, whole or in parts");
  const auto options = std::make_shared<CreateOptions>();
  add_key_options(*command, options->key);
  command->add_option("--split", options->split, "as K/N: N parts, any K of which open; at most 16")
      ->type_name("K/N");
  auto* output =
      command
          ->add_option(
              "--output", options->output,
              "write it there: a folder gets a text and a PDF for each part, a file that ends with .txt "
              "or .pdf gets all")
          ->type_name("PATH");
  command->add_flag("--replace", options->replace,
                    "take away older recovery keys once the kit is written to a disk");
  command
      ->add_flag("-m,--machine-readable", options->machine_readable, "print the words alone, a part a line")
      ->excludes(output);
  command->callback([&session, options] { session.exit_code = finish(create_kit(session, *options)); });
}

void add_test(CLI::App& recovery, Session& session) {
  auto* command = recovery.add_subcommand("test", "see that a recovery kit opens the repository");
  const auto options = std::make_shared<TestOptions>();
  add_kit_options(*command, options->kit);
  command->add_flag("--replace", options->replace, "then take away all other recovery keys");
  command->add_flag("--json", options->json, "as JSON");
  command->callback([&session, options] { session.exit_code = finish(test_kit(session, *options)); });
}

}  // namespace

void add_recovery_commands(CLI::App& app, Session& session) {
  auto* recovery = app.add_subcommand("recovery", "paper that opens the repository when nobody can approve");
  add_create(*recovery, session);
  add_test(*recovery, session);
}

}  // namespace zkv::cli
