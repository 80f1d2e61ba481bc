// `zkv enroll` and `zkv unenroll`: becoming a host of a gateway, and ceasing to be one.
#include <cstdio>
#include <memory>

#include "base/plain_text.h"
#include "fetch_options.h"
#include "host/enroll.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "output.h"
#include "protocol/invite_link.h"
#include "repository/change.h"
#include "stored_volumes.h"

namespace zkv::cli {

namespace {

struct EnrollOptions {
  KeyOptions key;
  GatewayOptions gateway;
  std::string link;  ///< a ticket of GivenSecrets
  bool no_test = false;
  bool in_tpm = false;
};

struct UnenrollOptions {
  KeyOptions key;
  std::string address;
};

bool is_there(const std::filesystem::path& repository) {
  std::error_code failed;
  return std::filesystem::exists(repository, failed);
}

/// Makes the repository where there is none; its recovery key is shown this once.
Result<SecretBytes> key_of_repository(Session& session, const EnrollOptions& options) {
  if (is_there(session.repository) || options.key.given()) {
    return read_key_to_change(session, options.key);
  }
  auto key = repository::new_key();
  ZKV_CHECK(repository::create(session.repository, repository::Format::kVersion2, key, false));
  Output out;
  out << "Made the repository " << session.repository.string() << "; its recovery key is\n"
      << key << "\nKeep it in a safe place, on paper say: it is not shown again.\n\n";
  ZKV_CHECK(out.write());
  return key;
}

/// Whether the gateway takes a request of this host, said in words.
std::string test_request(const Session& session, const host::Enrolment& enrolment, const std::string& tpm,
                         const host::Exchange& exchange, const std::stop_token& stop) {
  const auto keys = host::EnrolmentFolder(session.repository).keys_of(enrolment, tpm);
  if (!keys) return "no test request was made: " + keys.error().message();
  const auto plea = host::make_plea(session.repository);
  if (!plea) return "no test request was made: " + plea.error().message();
  const auto tried = host::try_enrolled_gateway(enrolment, *keys, *plea, exchange, stop);
  if (!tried) return "the test request FAILED: " + plain_text(tried.error().message());
  std::string words = "test request " + tried->id + " was taken, and is cancelled";
  if (tried->deciders == 0)
    words += "; nobody there has a passkey as yet: only the gateway's console can approve one";
  return words;
}

Result<protocol::InviteLink> read_link(Session& session, const EnrollOptions& options) {
  if (options.link == "-") {
    ZKV_TRY(const auto line, session.secrets.line_from_stdin());
    return protocol::parse_invite_link(line.view());
  }
  const auto given = session.secrets.redeem(options.link);
  if (!given) return Error::internal("the link was taken twice");
  return protocol::parse_invite_link(given->view());
}

Result<> enroll(Session& session, const EnrollOptions& options, const std::stop_token& stop) {
  ZKV_TRY(const auto link, read_link(session, options));
  ZKV_TRY(const auto key, key_of_repository(session, options));
  const auto exchange = exchange_with(link.certificate, options.gateway);
  const auto before = host::EnrolmentFolder(session.repository).with(link.gateway);
  const host::KeyPlace keys{options.in_tpm ? std::optional(options.gateway.tpm) : std::nullopt};
  ZKV_TRY(const auto enrolment, host::enrol({session.repository, key, link, keys}, exchange, stop));
  remember_names(session, key);
  const auto test = options.no_test ? std::string("not tested")
                                    : test_request(session, enrolment, options.gateway.tpm, exchange, stop);
  Output out;
  out << "This machine is enrolled with " << enrolment.address << " as '" << enrolment.name << "'"
      << (enrolment.in_tpm ? ", by a key in its TPM; " : "; ") << test << ".\n"
      << "At boot zfs-keyvault.service asks it; once somebody approves, all volumes of "
      << session.repository.string() << " are opened and mounted.\n"
      << "Without an approval they stay locked, and what opens the repository still opens them: "
         "zkv mount --key-file FILE with a key, zkv unlock --recovery with a recovery kit\n";
  if (!options.gateway.ca_file.empty() && !enrolment.certificate) {
    out << "The boot has to trust " << options.gateway.ca_file
        << ", too: ZKV_OPTIONS=--cafile=" << options.gateway.ca_file << " in /etc/default/zfs-keyvault\n";
  }
  if (before && *before && (*before)->host != enrolment.host) {
    out << "It takes the place of '" << (*before)->name
        << "' here; if that is still a host there: zkvgateway host revoke " << (*before)->name << "\n";
  }
  return out.write();
}

Result<host::Enrolment> chosen(const host::EnrolmentFolder& folder, const std::string& address) {
  ZKV_TRY(auto all, folder.all());
  if (all.empty()) return Error::not_found("this host is enrolled with no gateway");
  if (address.empty() && all.size() == 1) return std::move(all.front());
  std::string known;
  for (auto& enrolment : all) {
    if (enrolment.address == address) return std::move(enrolment);
    known += (known.empty() ? "" : ", ") + enrolment.address;
  }
  return Error::invalid(address.empty() ? "this host is enrolled with several gateways"
                                        : "this host is not enrolled with " + address)
      .remedy("name one of: " + known);
}

Result<> unenroll(Session& session, const UnenrollOptions& options) {
  ZKV_TRY(const auto enrolment, chosen(host::EnrolmentFolder(session.repository), options.address));
  ZKV_TRY(const auto key, read_key_to_change(session, options.key));
  ZKV_CHECK(host::unenrol(session.repository, key, enrolment));
  Output out;
  out << "This machine asks " << enrolment.address << " no more.\n"
      << "Revoke it there too, which destroys the gateway's share: zkvgateway host revoke " << enrolment.name
      << "\n";
  const auto left = host::EnrolmentFolder(session.repository).all();
  if (left && left->empty())
    out << "No gateway is left that this machine could ask at boot: zkv enroll LINK\n";
  return out.write();
}

}  // namespace

void add_enroll_commands(CLI::App& app, Session& session) {
  auto* enrolling = app.add_subcommand("enroll", "become a host of a gateway, by a link from it");
  auto options = std::make_shared<EnrollOptions>();
  enrolling->add_option("link", options->link, "what 'zkvgateway host invite' printed; - reads it from stdin")
      ->required()
      ->type_name(kSecretLinkType);
  add_key_options(*enrolling, options->key);
  add_trust_options(*enrolling, options->gateway);
  enrolling->add_flag("--tpm", options->in_tpm, "make the host's key and share in the TPM");
  add_tpm_option(*enrolling, options->gateway);
  enrolling->add_flag("--no-test", options->no_test, "make no test request");
  enrolling->callback([options, &session] {
    const host::StopOnSignal signals;
    const auto done = enroll(session, *options, signals.token());
    session.exit_code = done ? ExitCode::kDone : report(done.error());
  });

  auto* leaving = app.add_subcommand("unenroll", "cease to be a host of a gateway");
  auto leave = std::make_shared<UnenrollOptions>();
  leaving->add_option("gateway", leave->address, "its address, where there are several")
      ->type_name("ADDRESS");
  add_key_options(*leaving, leave->key);
  leaving->callback([leave, &session] { session.exit_code = finish(unenroll(session, *leave)); });
}

}  // namespace zkv::cli
