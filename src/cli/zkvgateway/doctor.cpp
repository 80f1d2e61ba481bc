// `zkvgateway doctor`: looks whether hosts and people will be able to use this gateway, and says what to
// mend.
#include <fmt/core.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <memory>

#include "control_client.h"
#include "control_command.h"
#include "gateway/http/certificate_facts.h"
#include "gateway/http/page_files.h"
#include "gateway/service/cards.h"
#include "net/address.h"
#include "settings_flags.h"
#include "table_output.h"

namespace zkv::cli {

namespace {

using gateway::Settings;

constexpr std::chrono::hours kSoon{24 * 14};

/// Collects what was found; anything worse than good makes the exit code 1.
class Findings {
 public:
  void good(const std::string& what) const { fmt::print("good   {}\n", what); }
  void bad(const std::string& what, const std::string& remedy) {
    fmt::print("MEND   {}\n       {}\n", what, remedy);
    all_is_well_ = false;
  }
  void note(const std::string& what, const std::string& remedy) const {
    fmt::print("note   {}\n       {}\n", what, remedy);
  }
  [[nodiscard]] bool all_is_well() const { return all_is_well_; }

 private:
  bool all_is_well_ = true;
};

constexpr const char* kRealCertificate =
    "for the page give it a certificate of a public authority: files of any ACME client (tls-certificate, "
    "tls-key; "
    "read again when they change), or 127.0.0.1 behind Caddy or nginx with trusted-proxies";

void look_at_public_url(Findings& findings, const Settings& settings) {
  const auto address = net::parse_address(settings.public_url);
  if (settings.public_url.empty()) {
    findings.bad("public-url is not set: links, webhooks and passkeys need the address that others see",
                 "set public-url = \"https://gateway.example\"");
  } else if (!address || !address->is_secure()) {
    findings.bad("public-url is no https:// address: " + settings.public_url,
                 "passkeys work over https only");
  } else if (gateway::parse_address(address->host)) {
    findings.bad("nobody can sign in at public-url, an IP address: " + settings.public_url,
                 "passkeys are bound to a name: set public-url to one, as https://gateway.example");
  } else if (address->host == "localhost" || address->host.ends_with(".localhost")) {
    findings.bad(
        "public-url is this machine's own name for itself, which no phone finds: " + settings.public_url,
        "set public-url to the name by which phones and hosts reach this gateway");
  } else {
    findings.good("public-url is " + settings.public_url);
  }
}

void look_at_certificate(Findings& findings, const Settings& settings) {
  if (!settings.tls()) {
    findings.note("no certificate: plain http on loopback",
                  "right behind a proxy that speaks TLS; its address belongs into trusted-proxies");
    return;
  }
  const auto address = net::parse_address(settings.public_url);
  const auto name = address ? address->host : std::string("localhost");
  const auto facts = gateway::http::read_certificate(settings.tls_certificate, name);
  if (!facts) return findings.bad(facts.error().message(), facts.error().remedy());
  if (facts->expires <= now() + kSoon) {
    findings.bad("the certificate ends at " + to_text(facts->expires),
                 "renew it; a new file is read by itself");
  } else {
    findings.good("the certificate is good until " + to_text(facts->expires));
  }
  if (address && !facts->covers_name) {
    findings.bad("the certificate is not for " + name, "make public-url and the certificate's names agree");
  }
  if (facts->is_self_signed) {
    findings.note("the certificate is signed by itself: hosts pin it, browsers refuse it", kRealCertificate);
  }
}

void look_at_page(Findings& findings, const Settings& settings) {
  if (settings.page_dir.empty()) {
    return findings.note("there is no page: requests are approved at this console alone",
                         "set page-dir to the folder of the built page");
  }
  const auto page = gateway::http::read_page(settings.page_dir);
  if (!page) return findings.bad(page.error().message(), page.error().remedy());
  findings.good("the page is in " + settings.page_dir.string());
}

void look_at_legacy(Findings& findings, const Settings& settings) {
  if (!settings.legacy) {
    return findings.good("the first protocol is off: no secret is named for it, or legacy = false");
  }
  if (settings.legacy_allow.empty()) {
    findings.note("the first protocol is on, which has no host identity, and any address may ask by it",
                  "legacy = false when all hosts are enrolled; until then legacy-allow = [\"192.0.2.7/32\"]");
  } else {
    findings.note(
        "the first protocol is on for the addresses in legacy-allow; it has no host identity: any machine "
        "there may ask",
        "enrol the hosts ('zkvgateway host invite NAME'), then legacy = false");
  }
}

void look_at_database(Findings& findings, const Settings& settings) {
  const auto stray = gateway::stray_database(settings);
  if (!stray) return findings.good("the database is " + settings.database.string());
  if (stray->vanishes) return findings.bad(stray->what, stray->remedy);
  findings.note(stray->what, stray->remedy);
}

/// Who can write there can approve for everybody, or stop the gateway; who can read has its keys.
void look_at_modes(Findings& findings, const Settings& settings,
                   const std::optional<std::filesystem::path>& configuration) {
  struct stat folder {};
  if (::stat(settings.data_dir.c_str(), &folder) != 0) return;  // that the daemon does not answer is told
  const auto database = settings.database.string();
  bool is_closed = true;
  const auto look = [&](const std::filesystem::path& path, mode_t unwanted, const char* remedy) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return;
    if (info.st_uid != folder.st_uid && info.st_uid != 0) {
      is_closed = false;
      findings.bad(fmt::format("{} belongs to another user (uid {})", path.string(), info.st_uid),
                   fmt::format("chown --reference={} {}", settings.data_dir.string(), path.string()));
    }
    if ((info.st_mode & unwanted) == 0) return;
    is_closed = false;
    findings.bad(fmt::format("others than the gateway can {} {} (mode {:04o})",
                             (info.st_mode & unwanted & 0022U) != 0 ? "write" : "read", path.string(),
                             info.st_mode & 07777U),
                 fmt::format("chmod {} {}", remedy, path.string()));
  };
  look(settings.data_dir, 0022, "go-w");
  for (const auto& path : {database, database + "-wal", database + "-shm", settings.master_key_file.string()})
    look(path, 0077, "go=");
  for (const char* const name : {"identity.key", "seal.key", "pin.key", "push.key", "audit.checkpoint"}) {
    look(settings.data_dir / name, 0077, "go=");
  }
  look(settings.tls_key, 0027, "g-w,o=");
  if (configuration) look(*configuration, 0022, "go-w");
  if (is_closed)
    findings.good("nobody else can write in " + settings.data_dir.string() +
                  " or the settings, or read its keys");
}

void look_at_codes(const Findings& findings, const Settings& settings, const boost::json::array& hosts) {
  for (const auto& group : settings.totp_groups) {
    const bool is_there = std::ranges::any_of(
        hosts, [&](const boost::json::value& host) { return member(host, "group") == group; });
    if (is_there) continue;
    findings.note("no host is of the group '" + group + "', which totp-groups names",
                  "'zkvgateway host list' shows the groups");
  }
}

void look_at_requests(Findings& findings, const ControlClient& client) {
  const auto requests = client.send("GET", "/control/requests");
  if (!requests) return findings.bad(requests.error().message(), requests.error().remedy());
  for (const auto& damaged : requests->at("damaged").as_array()) {
    const auto told = gateway::damaged_request(printable(std::string(damaged.as_string())));
    findings.bad(told.message(), told.remedy());
  }
}

void look_at_daemon(Findings& findings, const Session& session, const Settings& settings) {
  const auto client = ControlClient::find(session);
  const auto hosts =
      client.and_then([](const ControlClient& found) { return found.send("GET", "/control/hosts"); });
  if (!hosts)
    return findings.bad("the daemon does not answer: " + hosts.error().message(), hosts.error().remedy());
  std::size_t enrolled = 0;
  for (const auto& host : hosts->at("hosts").as_array())
    enrolled += host.at("revoked_at").is_null() ? 1U : 0U;
  findings.good(fmt::format("the daemon answers; {} hosts are enrolled", enrolled));
  look_at_codes(findings, settings, hosts->at("hosts").as_array());
  look_at_requests(findings, *client);
}

ExitCode doctor(const Session& session) {
  const auto settings = load_settings_or_report(session);
  if (!settings) {
    report(settings.error());
    return ExitCode::kUsage;
  }
  Findings findings;
  look_at_public_url(findings, *settings);
  look_at_certificate(findings, *settings);
  look_at_page(findings, *settings);
  look_at_legacy(findings, *settings);
  look_at_database(findings, *settings);
  look_at_modes(findings, *settings, gateway::configuration_file(session.input));
  look_at_daemon(findings, session, *settings);
  return findings.all_is_well() ? ExitCode::kDone : ExitCode::kFailed;
}

}  // namespace

void add_doctor_command(CLI::App& app, Session& session) {
  auto* command =
      app.add_subcommand("doctor", "look whether hosts and people can use this gateway, and what to mend");
  add_settings_flags(*command, session);
  command->callback([&session] { session.exit_code = doctor(session); });
}

}  // namespace zkv::cli
