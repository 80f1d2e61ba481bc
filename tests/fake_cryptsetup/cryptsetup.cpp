// A stand-in for libcryptsetup over the folder that it lies in: mappings are files in dev/mapper there, which
// hold the key, and what was asked of it stands in "calls". Every format's header is there, with a volume key
// of 2 bytes, and has the null cipher where there is a file of that name; no key is wrong.
#include <dlfcn.h>
#include <libcryptsetup.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>

namespace fs = std::filesystem;

struct crypt_device {
  std::string type;
};

namespace {

fs::path here() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&here), &info);
  return fs::path(info.dli_fname).parent_path();
}

fs::path mapped(const char* name) { return here() / "dev/mapper" / name; }

void log(const std::string& line) { std::ofstream(here() / "calls", std::ios::app) << line << "\n"; }

/// A name that no two processes share is told without its number.
std::string told(const char* name) {
  const std::string text = name == nullptr ? "-" : name;
  return text.starts_with("zkv-trial-") ? "zkv-trial" : text;
}

/// Where there is a pipe "meet", "data" is opened only while "windows" is, too.
void meet(const std::string& name) {
  const auto pipe = here() / "meet";
  if (!fs::exists(pipe)) return;
  if (name == "data") std::ifstream(pipe).get();
  if (name == "windows") std::ofstream(pipe) << "here";
}

int activate(crypt_device* device, const char* how, const char* name, const std::string& key,
             std::uint32_t flags) {
  meet(told(name));
  log(device->type + " " + how + " " + told(name) + " " + std::to_string(flags) + " " + key);
  if (name != nullptr) std::ofstream(mapped(name)) << key;
  return 0;
}

}  // namespace

extern "C" {

int crypt_init(crypt_device** device, const char*) {
  *device = new crypt_device;
  return 0;
}

int crypt_init_data_device(crypt_device** device, const char*, const char*) {
  return crypt_init(device, nullptr);
}

int crypt_init_by_name(crypt_device** device, const char* name) {
  return fs::exists(mapped(name)) ? crypt_init(device, nullptr) : -ENODEV;
}

void crypt_free(crypt_device* device) { delete device; }

int crypt_format(crypt_device* device, const char* type, const char* cipher, const char* mode, const char*,
                 const char*, size_t key_size, void* parameters) {
  const auto* plain = static_cast<const crypt_params_plain*>(parameters);
  device->type = type;
  log("shape " + std::string(cipher) + " " + mode + " " + std::to_string(key_size) + " " +
      (plain->hash == nullptr ? "-" : plain->hash) + " " + std::to_string(plain->offset) + " " +
      std::to_string(plain->skip) + " " + std::to_string(plain->sector_size));
  return 0;
}

int crypt_load(crypt_device* device, const char* type, void* parameters) {
  device->type = type == nullptr ? "LUKS" : type;
  if (device->type != CRYPT_TCRYPT) return 0;
  const auto* wanted = static_cast<const crypt_params_tcrypt*>(parameters);
  std::string files;
  for (unsigned i = 0; i < wanted->keyfiles_count; ++i) files += " " + std::string(wanted->keyfiles[i]);
  log("load " + std::string(wanted->passphrase, wanted->passphrase_size) + " " +
      std::to_string(wanted->flags) + " " + std::to_string(wanted->veracrypt_pim) + " " +
      (wanted->hash_name == nullptr ? "-" : wanted->hash_name) + files);
  return 0;
}

const char* crypt_get_type(crypt_device* device) { return device->type.c_str(); }
int crypt_keyslot_max(const char*) { return 0; }
crypt_keyslot_info crypt_keyslot_status(crypt_device*, int) { return CRYPT_SLOT_INVALID; }
const char* crypt_keyslot_get_encryption(crypt_device*, int, size_t*) { return nullptr; }
const char* crypt_get_cipher(crypt_device*) {
  return fs::exists(here() / "null-cipher") ? "cipher_null" : "aes";
}
int crypt_get_volume_key_size(crypt_device*) { return 2; }
int crypt_keyslot_get_pbkdf(crypt_device*, int, crypt_pbkdf_type*) { return -EINVAL; }
int crypt_keyslot_add_by_passphrase(crypt_device*, int, const char*, size_t, const char*, size_t) {
  return -ENOTSUP;
}
int crypt_keyslot_destroy(crypt_device*, int) { return -ENOTSUP; }
int crypt_set_pbkdf_type(crypt_device*, const crypt_pbkdf_type*) { return -ENOTSUP; }
void crypt_set_log_callback(crypt_device*, void (*)(int, const char*, void*), void*) {}

int crypt_activate_by_passphrase(crypt_device* device, const char* name, int, const char* key, size_t size,
                                 std::uint32_t flags) {
  return activate(device, "passphrase", name, std::string(key, size), flags);
}

int crypt_activate_by_volume_key(crypt_device* device, const char* name, const char* key, size_t size,
                                 std::uint32_t flags) {
  return activate(device, "volume-key", name, key == nullptr ? "-" : std::string(key, size), flags);
}

int crypt_deactivate_by_name(crypt_device*, const char* name, std::uint32_t flags) {
  log("close " + told(name) + " " + std::to_string(flags));
  if (flags == 0) fs::remove(mapped(name));
  return 0;
}

}  // extern "C"
