// `zkv repository show|check|convert`: the file as a whole.
#include <sys/stat.h>

#include <cstdio>
#include <memory>

#include "base/encoding.h"
#include "commands.h"
#include "host/enrolment.h"
#include "key_input.h"
#include "output.h"
#include "repository/change.h"

namespace zkv::cli {

namespace {

using repository::Format;

struct ConvertOptions {
  KeyOptions key;
  std::string to;
  std::filesystem::path output;
  bool machine_readable = false;
};

std::string_view name_of(Format format) { return format == Format::kSeed ? "seed" : "2"; }

void show_lines(Output& out, const Session& session, const repository::Description& description) {
  out << "repository  " << session.repository.string() << "\n"
      << "format      " << name_of(description.format) << "\n";
  if (!description.outside) return;
  const auto& header = description.outside->header;
  out << "id          " << to_hex(header.id) << "\n"
      << "generation  " << std::to_string(header.generation) << "\n"
      << "written     " << to_text(header.written) << "\n"
      << "slots       " << std::to_string(description.outside->slots.size()) << "\n";
}

void show_json(Output& out, const Session& session, const repository::Description& description) {
  out << "{\"repository\": ";
  out.json(session.repository.string()) << ", \"format\": ";
  out.json(name_of(description.format));
  if (description.outside) {
    const auto& header = description.outside->header;
    out << ", \"id\": \"" << to_hex(header.id) << "\", \"generation\": " << std::to_string(header.generation)
        << ", \"written\": \"" << to_text(header.written)
        << "\", \"slots\": " << std::to_string(description.outside->slots.size());
  }
  out << "}\n";
}

Result<> show(const Session& session, bool json) {
  ZKV_TRY(const auto description, repository::describe(session.repository));
  Output out;
  json ? show_json(out, session, description) : show_lines(out, session, description);
  return out.write();
}

void warn_of_mode(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) == 0 && (info.st_mode & 0077) != 0) {
    static_cast<void>(std::fprintf(
        stderr, "zkv: warning: others may read or write %s; 'chmod 600' mends it\n", path.c_str()));
  }
}

Result<> check(Session& session, const KeyOptions& options) {
  ZKV_TRY(const auto key, read_repository_key(session, options));
  ZKV_TRY(const auto opened, repository::open(session.repository, key));
  if (opened.warning) static_cast<void>(std::fprintf(stderr, "zkv: warning: %s\n", opened.warning->c_str()));
  warn_of_mode(session.repository);
  Output out;
  out << session.repository.string() << " is whole: format " << name_of(opened.format) << ", "
      << std::to_string(opened.keys.size()) << (opened.keys.size() == 1 ? " volume\n" : " volumes\n");
  return out.write();
}

Result<> show_converted(const ConvertOptions& options, const std::filesystem::path& target, Format format,
                        const repository::Converted& converted) {
  Output out;
  if (options.machine_readable) {
    if (!converted.new_key.empty()) out << converted.new_key << "\n";
    return out.write();
  }
  out << target.string() << " now has the format " << name_of(format) << "; the old file is "
      << converted.aside.string() << "\n";
  if (format == Format::kSeed) {
    out << "It has no slots: "
        << (converted.new_key.empty() ? "only the key that you gave opens it now, "
                                      : "only the key below opens it now, ")
        << "and none of the others.\n";
    for (const auto& enrolment :
         host::EnrolmentFolder(target).all().value_or(std::vector<host::Enrolment>())) {
      out << enrolment.address << " cannot open it any more, and is not asked at boot.\n";
    }
  }
  if (format == Format::kVersion2) out << "The key it had still opens it (slot 2, classic).\n";
  if (converted.new_key.empty()) return out.write();
  out << (format == Format::kVersion2 ? "Its recovery key is\n" : "Its key is\n") << converted.new_key
      << "\nKeep it in a safe place, on paper say: it is not shown again.\n"
      << "Next: see that 'zkv repository check' takes it, then remove the old file.\n";
  return out.write();
}

Result<> convert(Session& session, const ConvertOptions& options) {
  ZKV_TRY(const auto now, repository::format_of(session.repository));
  const Format wanted = options.to == "seed" ? Format::kSeed : Format::kVersion2;
  if (now == wanted) {
    return Error::invalid(session.repository.string() + " has the format " + std::string(name_of(now)) +
                          " already")
        .remedy(now == Format::kVersion2
                    ? "'--to seed' goes back; then one key opens it, and none of its other slots' keys"
                    : "'--to 2' goes to version 2");
  }
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  const auto& target = options.output.empty() ? session.repository : options.output;
  ZKV_TRY(const auto converted, repository::convert(session.repository, key, wanted, target));
  return show_converted(options, target, wanted, converted);
}

void add_show(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("show", "what the file says of itself; needs no key");
  const auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "as JSON");
  command->callback([&session, json] { session.exit_code = finish(show(session, *json)); });
}

void add_check(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("check", "see that a key opens the repository and that it is whole");
  const auto options = std::make_shared<KeyOptions>();
  add_key_options(*command, *options);
  command->callback([&session, options] { session.exit_code = finish(check(session, *options)); });
}

void add_convert(CLI::App& app, Session& session) {
  auto* command =
      app.add_subcommand("convert", "rewrite the repository in another format, with all its volumes");
  const auto options = std::make_shared<ConvertOptions>();
  add_key_options(*command, options->key);
  command
      ->add_option("--to", options->to,
                   "2 (default), or seed, which has no slots: only the key given then opens it")
      ->check(CLI::IsMember({"seed", "2"}));
  command->add_option("--output", options->output, "write there, and leave the old file where it is")
      ->type_name("FILE");
  command->add_flag("-m,--machine-readable", options->machine_readable, "print the new key and nothing else");
  command->callback([&session, options] { session.exit_code = finish(convert(session, *options)); });
}

}  // namespace

void add_repository_commands(CLI::App& app, Session& session) {
  auto* command = app.add_subcommand("repository", "the repository file as a whole");
  add_show(*command, session);
  add_check(*command, session);
  add_convert(*command, session);
}

}  // namespace zkv::cli
