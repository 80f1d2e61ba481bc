// One call of the gateway's Azure vault, for the check of it against the stand-in:
//   vault_calls recover|deposit|destroy NAME [stay]
// reads the value to deposit from the standard input and writes a recovered one to the standard output. Ends
// with 0, or with a number of the error's kind and its words on the standard error; with `stay`, only when it
// is killed.
#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "base/file.h"
#include "gateway/vault/azure.h"

namespace zkv::gateway {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

AzureOptions options() {
  AzureOptions made;
  made.vault_uri = setting("ZKV_KEY_VAULT_URI");
  made.tenant_id = setting("ZKV_AAD_TENANT_ID");
  made.client_id = setting("ZKV_AAD_CLIENT_ID");
  made.client_secret = SecretBytes::copy_of(setting("ZKV_AAD_CLIENT_SECRET"));
  made.resource = setting("ZKV_AAD_RESOURCE");
  made.authority = setting("ZKV_AAD_AUTHORITY_HOST_URI");
  made.ca_file = setting("ZKV_AZURE_CA_FILE");
  made.attempt_limit = std::chrono::seconds(2);
  made.time_limit = std::chrono::seconds(12);
  return made;
}

Result<> call(const std::string& what, const std::string& name) {
  ZKV_TRY(const auto vault, make_azure_vault(options()));
  if (what == "destroy") return vault->destroy(name, {});
  if (what == "deposit") {
    ZKV_TRY(const SecretBytes value, read_secret(STDIN_FILENO, 1U << 16U, "the standard input"));
    return vault->deposit(name, value, {});
  }
  ZKV_TRY(const SecretBytes value, vault->recover(name, {}));
  const bool is_written = ::write(STDOUT_FILENO, value.data(), value.size()) >= 0;
  return is_written ? Result<>() : Error::io("writing the value");
}

int exit_status(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kNotFound:
      return 11;
    case ErrorKind::kExists:
      return 12;
    case ErrorKind::kDenied:
      return 13;
    case ErrorKind::kUnavailable:
      return 14;
    case ErrorKind::kUnsupported:
      return 15;
    default:
      return 10;
  }
}

}  // namespace
}  // namespace zkv::gateway

int main(int count, char** words) {
  if (count < 3 || !zkv::protect_process_memory()) return 2;
  const auto done = zkv::gateway::call(words[1], words[2]);
  if (count > 3) {
    fmt::print("done\n");
    std::fflush(stdout);
    ::pause();
  }
  if (done) return 0;
  fmt::print(stderr, "{}\n{}\n", done.error().message(), done.error().remedy());
  return zkv::gateway::exit_status(done.error().kind());
}
