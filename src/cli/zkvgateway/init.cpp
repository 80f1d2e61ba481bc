// `zkvgateway init`: makes what a gateway without a public certificate needs, and says what to do next.
#include <fmt/core.h>
#include <unistd.h>

#include <memory>

#include "base/encoding.h"
#include "base/file.h"
#include "gateway.h"
#include "gateway/http/self_signed.h"
#include "gateway/identity/identity.h"
#include "settings_flags.h"

namespace zkv::cli {

namespace {

struct InitWords {
  std::vector<std::string> names;
};

/// The key first: a certificate without its key would stop the next try. An older pair stays.
Result<> make_certificate(const gateway::Settings& settings, const std::vector<std::string>& names) {
  const auto certificate = settings.data_dir / "tls.crt";
  const auto key = settings.data_dir / "tls.key";
  ZKV_TRY(const auto made, gateway::http::make_self_signed(names));
  auto created = create_file(key, made.key.span(), 0600);
  if (!created && created.error().kind() == ErrorKind::kExists) {
    return std::move(created).error().remedy(
        "this gateway has its certificate; to make another one, move tls.key and tls.crt in " +
        settings.data_dir.string() + " away first (hosts that pinned the old one must then enrol again)");
  }
  if (!created) return created;
  auto written = create_file(certificate, bytes_of(made.certificate), 0644);
  if (written) return {};
  ::unlink(key.c_str());
  return written;
}

Result<> init(const Session& session, const InitWords& words) {
  ZKV_TRY(const auto settings, load_settings_or_report(session));
  ZKV_CHECK(enter_data_directory(settings));
  ZKV_TRY(const auto identity, gateway::Identity::load_or_make(settings.data_dir / "identity.key"));
  const auto names = words.names.empty() ? std::vector<std::string>{host_name("localhost")} : words.names;
  ZKV_CHECK(make_certificate(settings, names));
  fmt::print(
      "gateway id: {0}\n"
      "Made a certificate for {1} that is signed by itself. Put into /etc/zkv/gateway.toml:\n\n"
      "  listen = \"0.0.0.0:8443\"\n"
      "  tls-certificate = \"{2}/tls.crt\"\n"
      "  tls-key = \"{2}/tls.key\"\n"
      "  public-url = \"https://{3}:8443\"\n\n"
      "Hosts trust it by the pin in their invite. A browser does not: for approving on a phone give the "
      "gateway a\n"
      "certificate of a public authority, by the files of any ACME client (they are read again when they "
      "change), or\n"
      "let it listen on 127.0.0.1 behind Caddy or nginx.\n",
      to_hex(identity.id()), fmt::join(names, ", "), settings.data_dir.string(), names.front());
  return {};
}

}  // namespace

void add_init_command(CLI::App& app, Session& session) {
  auto* command =
      app.add_subcommand("init", "make the gateway's identity, and a certificate signed by itself");
  auto words = std::make_shared<InitWords>();
  add_settings_flags(*command, session, {"data-dir"});
  command
      ->add_option("--name", words->names,
                   "a host name or address by which hosts reach it (default: this machine's)")
      ->type_name("NAME")
      ->allow_extra_args(false);
  command->callback([&session, words] { session.exit_code = finish(init(session, *words)); });
}

}  // namespace zkv::cli
