// Sealing and opening the rows of the embedded vault.
#include "gateway/vault/embedded.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "crypto/aead.h"
#include "gateway/vault/secret_rules.h"

namespace zkv::gateway {

namespace {

/// What is bound to each row beside its value: this use of the key, and the name.
std::string associated_with(const std::string& name) { return "zfs-keyvault embedded vault 1:" + name; }

Error missing(const std::string& name) {
  return Error::not_found(fmt::format("the embedded vault holds no secret '{}'", name))
      .remedy(fmt::format("store it by 'zkvgateway secret set {} < FILE'", name));
}

Result<SecretBytes> choose_master_key(SecretBytes given, const std::filesystem::path& path,
                                      SecretTable& table) {
  if (given.size() == crypto::kAeadKeySize) return given;
  if (!given.empty()) {
    return Error::invalid(
        fmt::format("the credential 'master-key' has {} bytes, not {}", given.size(), crypto::kAeadKeySize));
  }
  auto key = load_master_key(path);
  if (key || key.error().kind() != ErrorKind::kNotFound) return key;
  ZKV_TRY(const auto rows, table.list());
  if (rows.empty()) return make_master_key(path);
  return Error::not_found(fmt::format("the master key {} is gone, and {} stored secrets are sealed under it",
                                      path.string(), rows.size()))
      .remedy("put it back from the backup; a new one cannot open them");
}

}  // namespace

Result<std::unique_ptr<EmbeddedVault>> EmbeddedVault::open(EmbeddedOptions options) {
  ZKV_TRY(auto table, SecretTable::open(options.database));
  ZKV_TRY(SecretBytes key, choose_master_key(std::move(options.master_key), options.master_key_file, *table));
  return std::make_unique<EmbeddedVault>(std::move(table), std::move(key));
}

EmbeddedVault::EmbeddedVault(std::unique_ptr<SecretTable> table, SecretBytes master_key)
    : table_(std::move(table)), master_key_(std::move(master_key)) {}

std::string EmbeddedVault::description() const { return "embedded vault in the gateway's database"; }

Result<SecretBytes> EmbeddedVault::recover(const std::string& name, const std::stop_token& /*stop*/) {
  const std::lock_guard lock(mutex_);
  const auto row = table_->get(name);
  if (!row && row.error().kind() == ErrorKind::kNotFound) return missing(name);
  if (!row) return Error(row.error());
  const Error unopened =
      Error::wrong_key(fmt::format("the stored secret '{}' does not open under the master key", name))
          .remedy("put back the master key that it was stored under, or store the secret again");
  if (row->sealed.size() < crypto::kAeadNonceSize) return Error(unopened);
  crypto::AeadNonce nonce{};
  std::copy_n(row->sealed.begin(), nonce.size(), nonce.begin());
  auto value = crypto::open(master_key_.span(), nonce, bytes_of(associated_with(name)),
                            std::span(row->sealed).subspan(nonce.size()));
  if (!value) return Error(unopened);
  return value;
}

Result<> EmbeddedVault::deposit(const std::string& name, const SecretBytes& value,
                                const std::stop_token& /*stop*/) {
  ZKV_CHECK(check_secret_value(value));
  return put(name, value.span());
}

Result<> EmbeddedVault::destroy(const std::string& name, const std::stop_token& /*stop*/) {
  ZKV_CHECK(check_secret_name(name));
  auto removed = remove(name);
  if (!removed && removed.error().kind() == ErrorKind::kNotFound) return {};
  return removed;
}

Result<> EmbeddedVault::put(const std::string& name, std::span<const std::uint8_t> value) {
  ZKV_CHECK(check_secret_name(name));
  if (value.empty())
    return Error::invalid("an empty secret is not stored").remedy("give it by stdin or --file");
  const crypto::AeadNonce nonce = crypto::random_nonce();
  const Bytes sealed = crypto::seal(master_key_.span(), nonce, bytes_of(associated_with(name)), value);
  SecretRow row{.name = name, .sealed = Bytes(nonce.begin(), nonce.end()), .changed_at = now()};
  row.sealed.insert(row.sealed.end(), sealed.begin(), sealed.end());
  const std::lock_guard lock(mutex_);
  return table_->put(row);
}

Result<std::vector<SecretRow>> EmbeddedVault::list() {
  const std::lock_guard lock(mutex_);
  ZKV_TRY(auto rows, table_->list());
  std::sort(rows.begin(), rows.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  return rows;
}

Result<> EmbeddedVault::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  auto removed = table_->remove(name);
  if (!removed && removed.error().kind() == ErrorKind::kNotFound) return missing(name);
  return removed;
}

}  // namespace zkv::gateway
