// What is asked of libcryptsetup, format by format.
#include "unlock/crypt_library.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "unlock/crypt_functions.h"

namespace zkv::unlock {

namespace {

using Device = CryptLibrary::Device;
using Key = std::span<const std::uint8_t>;

const char* chars_of(Key key) { return reinterpret_cast<const char*>(key.data()); }

std::string subject_of(const Device& device) {
  return device.wishes.header.empty() ? device.path.string() : device.wishes.header.string();
}

/// libcryptsetup would call both "not a block device". Errors: kIo (nothing there), kInvalid.
Result<> check_can_hold(const std::filesystem::path& path) {
  std::error_code failed;
  const auto status = std::filesystem::status(path, failed);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Error::io(path.string() + " is not there");
  }
  if (failed) return Error::system(path.string(), failed.value());
  if (std::filesystem::is_block_file(status) || std::filesystem::is_regular_file(status)) return {};
  return Error::invalid(path.string() + " is neither a block device nor a file");
}

Result<> begin(const CryptFunctions& functions, const Device& device, CryptContext& context) {
  const auto& header = device.wishes.header;
  ZKV_CHECK(check_can_hold(device.path));
  if (!header.empty()) ZKV_CHECK(check_can_hold(header));
  const int made = header.empty()
                       ? functions.init(context.out(), device.path.c_str())
                       : functions.init_data_device(context.out(), header.c_str(), device.path.c_str());
  if (made < 0) return context.failed(made, device.path.string());
  context.listen();
  return {};
}

/// Of a format that shows its header to everybody.
Result<> load_header(const CryptFunctions& functions, const Device& device, const char* type,
                     const std::string& name, CryptContext& context) {
  const int loaded = functions.load(context.get(), type, nullptr);
  if (loaded == -EINVAL || loaded == -ENOENT) {
    return Error::not_found(subject_of(device) + " holds no " + name + " header");
  }
  if (loaded < 0) return context.failed(loaded, subject_of(device));
  return {};
}

/// Writes nothing: "format" is libcryptsetup's word for saying what a plain device is.
Result<> shape_plain(const CryptFunctions& functions, const Device& device, CryptContext& context) {
  const auto& plain = device.wishes.plain;
  crypt_params_plain shape{};
  shape.hash = plain.hash == "plain" ? nullptr : plain.hash.c_str();
  shape.offset = plain.offset;
  shape.skip = plain.skip;
  shape.sector_size = plain.sector_bytes;
  const int made = functions.format(context.get(), CRYPT_PLAIN, plain.cipher.c_str(), plain.mode.c_str(),
                                    nullptr, nullptr, plain.key_bytes, &shape);
  if (made < 0) return context.failed(made, device.path.string());
  return {};
}

/// Only the right key finds the header.
Result<> load_tcrypt(const CryptFunctions& functions, const Device& device, Key key, CryptContext& context) {
  const auto& wanted = device.wishes.tcrypt;
  std::vector<const char*> key_files;
  for (const auto& file : wanted.key_files) {
    ZKV_CHECK(check_can_hold(file));
    key_files.push_back(file.c_str());
  }
  crypt_params_tcrypt shape{};
  shape.passphrase = chars_of(key);
  shape.passphrase_size = key.size();
  shape.keyfiles = key_files.data();
  shape.keyfiles_count = static_cast<unsigned>(key_files.size());
  shape.hash_name = wanted.hash.empty() ? nullptr : wanted.hash.c_str();
  shape.flags = wanted.flags | CRYPT_TCRYPT_LEGACY_MODES;
  shape.veracrypt_pim = wanted.pim;
  const int loaded = functions.load(context.get(), CRYPT_TCRYPT, &shape);
  if (loaded < 0) return context.failed(loaded, device.path.string());
  return {};
}

bool is_null(const char* cipher) {
  return cipher != nullptr && std::string_view(cipher).find("null") != std::string_view::npos;
}

/// A key slot under the null cipher opens by any key, and one under any other by the right key alone; a
/// volume under it shows what whoever made the header wrote there. Both can be made by somebody who has no
/// key, of a disk that goes by the same UUID. What is looked at is what libcryptsetup opens by. Source:
/// CVE-2025-59054; cryptsetup 2.8.1.
Result<> check_sealed(const CryptFunctions& functions, const Device& device, const CryptContext& context) {
  bool is_open = is_null(functions.get_cipher(context.get()));
  const int slots = functions.keyslot_max(functions.get_type(context.get()));
  for (int slot = 0; slot < slots; ++slot) {
    const auto status = functions.keyslot_status(context.get(), slot);
    if (status == CRYPT_SLOT_INVALID || status == CRYPT_SLOT_INACTIVE) continue;
    std::size_t key_size = 0;
    is_open = is_open || is_null(functions.keyslot_get_encryption(context.get(), slot, &key_size));
  }
  if (!is_open) return {};
  return Error::denied(subject_of(device) +
                       " has a LUKS header that protects nothing (the null cipher): it may be another disk "
                       "that somebody "
                       "put in the place of yours")
      .remedy(
          "see which disk that is and where it came from: lsblk -o NAME,UUID,SERIAL; cryptsetup luksDump " +
          subject_of(device));
}

/// Finds out what the device is. `key` is empty where only the header is asked for.
Result<> load(const CryptFunctions& functions, const Device& device, Key key, CryptContext& context) {
  ZKV_CHECK(begin(functions, device, context));
  switch (device.format) {
    case CryptFormat::kPlain:
      return key.empty() ? Result<>() : shape_plain(functions, device, context);
    case CryptFormat::kTcrypt:
      return key.empty() ? Result<>() : load_tcrypt(functions, device, key, context);
    case CryptFormat::kBitlk:
      return load_header(functions, device, CRYPT_BITLK, "BitLocker", context);
    case CryptFormat::kFvault2:
      return load_header(functions, device, CRYPT_FVAULT2, "FileVault", context);
    case CryptFormat::kLuks:
      break;
  }
  ZKV_CHECK(load_header(functions, device, CRYPT_LUKS, "LUKS", context));
  return check_sealed(functions, device, context);
}

/// What the dearest key slot needs, in KiB.
std::uint64_t derivation_memory(const CryptFunctions& functions, const CryptContext& context) {
  std::uint64_t memory = 0;
  const int slots = functions.keyslot_max(functions.get_type(context.get()));
  for (int slot = 0; slot < slots; ++slot) {
    const auto status = functions.keyslot_status(context.get(), slot);
    if (status != CRYPT_SLOT_ACTIVE && status != CRYPT_SLOT_ACTIVE_LAST) continue;
    crypt_pbkdf_type cost{};
    if (functions.keyslot_get_pbkdf(context.get(), slot, &cost) < 0) continue;
    memory = std::max<std::uint64_t>(memory, cost.max_memory_kb);
  }
  return memory;
}

std::uint32_t flags_of(CryptLibrary::Closing closing) {
  switch (closing) {
    case CryptLibrary::Closing::kOnceUnused:
      return CRYPT_DEACTIVATE_DEFERRED;
    case CryptLibrary::Closing::kNotYet:
      return CRYPT_DEACTIVATE_DEFERRED_CANCEL;
    case CryptLibrary::Closing::kNow:
      break;
  }
  return 0;
}

}  // namespace

Result<CryptLibrary> CryptLibrary::load(const std::vector<std::string>& libraries) {
  return CryptFunctions::load_from(libraries).map([](auto functions) { return CryptLibrary(functions); });
}

Result<std::uint64_t> CryptLibrary::read_header(const Device& device) const {
  CryptContext context(*functions_);
  ZKV_CHECK(unlock::load(*functions_, device, {}, context));
  return device.format == CryptFormat::kLuks ? derivation_memory(*functions_, context) : 0;
}

Result<> CryptLibrary::activate(const Device& device, const std::string& mapping, Key key) const {
  CryptContext context(*functions_);
  ZKV_CHECK(unlock::load(*functions_, device, key, context));
  const char* name = mapping.empty() ? nullptr : mapping.c_str();
  const auto flags = name == nullptr ? 0 : device.wishes.activation;
  const int slot = device.wishes.key_slot.value_or(CRYPT_ANY_SLOT);
  int done = 0;
  if (device.format == CryptFormat::kTcrypt) {
    done = functions_->activate_by_volume_key(context.get(), name, nullptr, 0, flags);
  } else if (device.wishes.is_volume_key && device.format == CryptFormat::kLuks &&
             key.size() != static_cast<std::size_t>(functions_->get_volume_key_size(context.get()))) {
    // To the digest in the header a zero at the end of a key makes no difference. Source: RFC 2104, 2.
    done = -EPERM;
  } else if (device.wishes.is_volume_key) {
    done = functions_->activate_by_volume_key(context.get(), name, chars_of(key), key.size(), flags);
  } else {
    done = functions_->activate_by_passphrase(context.get(), name, slot, chars_of(key), key.size(), flags);
  }
  // Where the last of BitLocker's protectors that it tries is not opened it says no more than this.
  // Source: cryptsetup 2.6 lib/bitlk/bitlk.c.
  const bool is_unopened = done == -EINVAL && device.format == CryptFormat::kBitlk;
  if (is_unopened && !context.has_complained()) done = -EPERM;
  if (done < 0) return context.failed(done, device.path.string());
  return {};
}

Result<> CryptLibrary::add_key(const Device& device, Key opens, Key key) const {
  CryptContext context(*functions_);
  ZKV_CHECK(unlock::load(*functions_, device, {}, context));
  // What is random needs no costly derivation: as `zkv volume create` makes its key slots.
  crypt_pbkdf_type cheap{};
  cheap.type = CRYPT_KDF_PBKDF2;
  cheap.hash = "sha256";
  cheap.iterations = 1000;
  cheap.flags = CRYPT_PBKDF_NO_BENCHMARK;
  const int set = functions_->set_pbkdf_type(context.get(), &cheap);
  if (set < 0) return context.failed(set, device.path.string());
  const int slot = functions_->keyslot_add(context.get(), CRYPT_ANY_SLOT, chars_of(opens), opens.size(),
                                           chars_of(key), key.size());
  if (slot == -EINVAL) return Error::unsupported(subject_of(device) + " has no free key slot");
  if (slot < 0) return context.failed(slot, device.path.string());
  return {};
}

Result<> CryptLibrary::remove_key(const Device& device, Key opens, Key key) const {
  CryptContext context(*functions_);
  ZKV_CHECK(unlock::load(*functions_, device, {}, context));
  const auto slot_of = [&](Key one) {
    return functions_->activate_by_passphrase(context.get(), nullptr, CRYPT_ANY_SLOT, chars_of(one),
                                              one.size(), 0);
  };
  for (int slot = slot_of(key); slot != -EPERM; slot = slot_of(key)) {
    if (slot < 0) return context.failed(slot, device.path.string());
    const int kept = slot_of(opens);
    if (kept < 0) return context.failed(kept, device.path.string());
    if (kept == slot) return Error::conflict("both keys open the same key slot of " + subject_of(device));
    const int destroyed = functions_->keyslot_destroy(context.get(), slot);
    if (destroyed < 0) return context.failed(destroyed, device.path.string());
  }
  return {};
}

Result<> CryptLibrary::deactivate(const std::string& mapping, Closing closing) const {
  CryptContext context(*functions_);
  const auto subject = "the mapping " + mapping;
  const int made = functions_->init_by_name(context.out(), mapping.c_str());
  if (made < 0) return context.failed(made, subject);
  context.listen();
  const int ended = functions_->deactivate_by_name(context.get(), mapping.c_str(), flags_of(closing));
  if (ended < 0) return context.failed(ended, subject);
  return {};
}

}  // namespace zkv::unlock
