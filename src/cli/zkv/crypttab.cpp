// `zkv crypttab check|install|remove`: volumes that systemd opens by crypttab, with keys that it gets from
// zkv.
#include <algorithm>
#include <cstdio>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "host/crypttab_setup.h"
#include "host/remembered.h"
#include "stored_volumes.h"
#include "unlock/system_tool.h"

namespace zkv::cli {

namespace {

struct CrypttabOptions {
  KeyOptions key;
  host::CrypttabPlaces places;
  std::vector<std::string> volumes;
  bool dry_run = false;
  bool json = false;
};

struct Known {
  std::vector<host::VolumeOfKind> volumes;
  bool is_all = false;
  unlock::SystemVolumes system;

  [[nodiscard]] bool is_of_system(const host::VolumeOfKind& one) const {
    return system.hold(one.kind, one.volume);
  }
};

/// Those of the repository where its key was given, else those that are remembered.
Result<Known> known_volumes(Session& session, const CrypttabOptions& options) {
  ZKV_TRY(auto system, unlock::SystemVolumes::look({session.repository}));
  Known known{{}, options.key.given(), std::move(system)};
  if (!known.is_all) {
    ZKV_TRY(known.volumes, host::remembered_volumes());
  } else {
    ZKV_CHECK(check_there(session));
    ZKV_TRY(const auto key, read_repository_key(session, options.key));
    ZKV_TRY(const auto opened, open_with_warning(session, key));
    for (const auto& volume : opened.keys.volumes()) {
      known.volumes.push_back({repository::to_text(volume.kind), {volume.name, volume.settings}});
    }
  }
  std::erase_if(known.volumes,
                [](const host::VolumeOfKind& one) { return one.volume.settings.device.empty(); });
  return known;
}

Result<> print_findings(const std::vector<host::CrypttabFinding>& findings, bool as_json) {
  Output out;
  if (as_json) {
    out << "{\"findings\":[";
    for (const auto& finding : findings) {
      out << (&finding == &findings.front() ? "{\"volume\":" : ",{\"volume\":");
      out.json(finding.volume) << ",\"finding\":";
      out.json(finding.what) << ",\"command\":";
      out.json(finding.command) << "}";
    }
    out << "]}\n";
    return out.write();
  }
  for (const auto& finding : findings) {
    if (!finding.volume.empty()) out << finding.volume << ": ";
    out << finding.what << "\n     " << finding.command << "\n";
  }
  return out.write();
}

ExitCode check_lines(Session& session, const CrypttabOptions& options) {
  const auto known = known_volumes(session, options);
  if (!known) return report(known.error());
  const auto findings = host::check_crypttab(known->volumes, known->is_all, known->system, options.places);
  if (!findings) return report(findings.error());
  if (const auto printed = print_findings(*findings, options.json); !printed) return report(printed.error());
  return findings->empty() ? ExitCode::kDone : ExitCode::kFailed;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// Lines that only one of the two has, as diff(1) marks them.
void print_change(const host::FileChange& change, Output& out) {
  const auto before = lines_of(change.before);
  const auto after = lines_of(change.after);
  const auto print_missing = [&](std::string_view mark, const auto& lines, const auto& others) {
    for (const auto& line : lines) {
      if (std::find(others.begin(), others.end(), line) == others.end()) out << mark << line << "\n";
    }
  };
  out << change.path.string() << (change.after.empty() ? " goes\n" : "\n");
  print_missing("- ", before, after);
  print_missing("+ ", after, before);
}

Result<> show_changes(const std::vector<host::FileChange>& changes) {
  Output out;
  for (const auto& change : changes) print_change(change, out);
  return out.write();
}

Result<> tell_systemd(const CrypttabOptions& options) {
  static const std::string target = "remote-cryptsetup.target";
  if (!host::is_enabled(target, options.places)) ZKV_CHECK(unlock::run_tool("systemctl", {"enable", target}));
  return unlock::run_tool("systemctl", {"daemon-reload"}).map([](const std::string&) {});
}

Result<> carry_out(const std::vector<host::FileChange>& changes, const CrypttabOptions& options) {
  ZKV_CHECK(show_changes(changes));
  if (options.dry_run) return {};
  ZKV_CHECK(host::make_changes(changes, options.places));
  ZKV_CHECK(tell_systemd(options));
  Output out;
  return (out << "Written, and systemd has read it; what mounts such a mapping by /etc/fstab wants "
                 "nofail,x-systemd.device-timeout=0 there\n")
      .write();
}

Result<std::vector<host::VolumeOfKind>> chosen(const Known& known, const std::vector<std::string>& names) {
  std::vector<host::VolumeOfKind> volumes;
  if (names.empty()) {
    std::copy_if(
        known.volumes.begin(), known.volumes.end(), std::back_inserter(volumes),
        [&](const host::VolumeOfKind& one) { return one.kind == "luks" && !known.is_of_system(one); });
  }
  for (const auto& name : names) {
    const auto found = std::find_if(known.volumes.begin(), known.volumes.end(),
                                    [&](const host::VolumeOfKind& one) { return one.volume.name == name; });
    if (found == known.volumes.end()) {
      return Error::not_found("no volume " + name + " on a device is known")
          .remedy(known.is_all ? "'zkv volume list' shows what the repository holds"
                               : "before it was added or opened here only the repository knows it: give its "
                                 "key, by --key-file");
    }
    if (known.is_of_system(*found)) {
      return Error::unsupported("this system, or the repository, lies on " + name +
                                ": it is opened before zkv's socket is there")
          .remedy("leave its line in crypttab as it is; zkv in the initramfs opens it (docs/operations.md)");
    }
    volumes.push_back(*found);
  }
  return volumes;
}

Result<> install_lines(Session& session, const CrypttabOptions& options) {
  ZKV_TRY(const auto known, known_volumes(session, options));
  ZKV_TRY(const auto volumes, chosen(known, options.volumes));
  if (volumes.empty()) {
    Output out;
    return (out << "Nothing to write: no LUKS volume is known here that systemd could open\n").write();
  }
  ZKV_TRY(const auto changes, host::plan_crypttab(volumes, options.places));
  return carry_out(changes, options);
}

Result<> remove_lines(const CrypttabOptions& options) {
  ZKV_TRY(const auto changes, host::plan_crypttab_removal(options.volumes, options.places));
  return carry_out(changes, options);
}

void add_crypttab_places(CLI::App& command, CrypttabOptions& options) {
  command.add_option("--crypttab", options.places.crypttab, "the file, if it is not /etc/crypttab")
      ->type_name("FILE");
  command
      .add_option("--units", options.places.units,
                  "where units and drop-ins lie, if not in /etc/systemd/system")
      ->type_name("FOLDER");
}

void add_crypttab_check(CLI::App& crypttab, Session& session) {
  auto* command =
      crypttab.add_subcommand("check", "say what keeps systemd from opening volumes with keys from zkv");
  const auto options = std::make_shared<CrypttabOptions>();
  add_key_options(*command, options->key);
  add_crypttab_places(*command, *options);
  command->add_flag("--json", options->json, "print JSON");
  command->callback([&session, options] { session.exit_code = check_lines(session, *options); });
}

void add_crypttab_install(CLI::App& crypttab, Session& session) {
  auto* command = crypttab.add_subcommand("install", "let systemd open volumes, with keys from zkv");
  const auto options = std::make_shared<CrypttabOptions>();
  add_key_options(*command, options->key);
  add_crypttab_places(*command, *options);
  command->add_flag("--dry-run", options->dry_run, "only show what would change");
  command->add_option("VOLUME", options->volumes, "these of the repository (default: all of kind luks)");
  command->callback([&session, options] { session.exit_code = finish(install_lines(session, *options)); });
}

void add_crypttab_remove(CLI::App& crypttab, Session& session) {
  auto* command = crypttab.add_subcommand("remove", "let zkv open them itself again");
  const auto options = std::make_shared<CrypttabOptions>();
  add_crypttab_places(*command, *options);
  command->add_flag("--dry-run", options->dry_run, "only show what would change");
  command->add_option("VOLUME", options->volumes, "whose lines go")->required();
  command->callback([&session, options] { session.exit_code = finish(remove_lines(*options)); });
}

}  // namespace

void add_crypttab_commands(CLI::App& app, Session& session) {
  auto* crypttab = app.add_subcommand("crypttab", "volumes that systemd opens with keys from zkv");
  add_crypttab_check(*crypttab, session);
  add_crypttab_install(*crypttab, session);
  add_crypttab_remove(*crypttab, session);
}

}  // namespace zkv::cli
