// libcryptsetup's functions as they are found at run time, and one device context of it.
#pragma once

#include <libcryptsetup.h>

#include <memory>
#include <string>
#include <vector>

#include "base/result.h"

namespace zkv::unlock {

struct CryptFunctions {
  std::shared_ptr<void> library;
  decltype(&::crypt_init) init = nullptr;
  decltype(&::crypt_init_data_device) init_data_device = nullptr;
  decltype(&::crypt_init_by_name) init_by_name = nullptr;
  decltype(&::crypt_free) free = nullptr;
  decltype(&::crypt_format) format = nullptr;
  decltype(&::crypt_load) load = nullptr;
  decltype(&::crypt_get_type) get_type = nullptr;
  decltype(&::crypt_keyslot_max) keyslot_max = nullptr;
  decltype(&::crypt_keyslot_status) keyslot_status = nullptr;
  decltype(&::crypt_keyslot_get_pbkdf) keyslot_get_pbkdf = nullptr;
  decltype(&::crypt_keyslot_get_encryption) keyslot_get_encryption = nullptr;
  decltype(&::crypt_get_cipher) get_cipher = nullptr;
  decltype(&::crypt_get_volume_key_size) get_volume_key_size = nullptr;
  decltype(&::crypt_activate_by_passphrase) activate_by_passphrase = nullptr;
  decltype(&::crypt_activate_by_volume_key) activate_by_volume_key = nullptr;
  decltype(&::crypt_deactivate_by_name) deactivate_by_name = nullptr;
  decltype(&::crypt_keyslot_add_by_passphrase) keyslot_add = nullptr;
  decltype(&::crypt_keyslot_destroy) keyslot_destroy = nullptr;
  decltype(&::crypt_set_pbkdf_type) set_pbkdf_type = nullptr;
  decltype(&::crypt_set_log_callback) set_log_callback = nullptr;

  /// Those of the first of `libraries` that can be loaded and has them all. Errors: kUnsupported.
  static Result<std::shared_ptr<const CryptFunctions>> load_from(const std::vector<std::string>& libraries);
};

class CryptContext {
 public:
  explicit CryptContext(const CryptFunctions& functions) : functions_(functions) {}
  CryptContext(const CryptContext&) = delete;
  CryptContext& operator=(const CryptContext&) = delete;
  ~CryptContext() { functions_.free(device_); }

  [[nodiscard]] crypt_device** out() { return &device_; }
  [[nodiscard]] crypt_device* get() const { return device_; }
  /// Whether it said why, since listen().
  [[nodiscard]] bool has_complained() const { return !complaint_.empty(); }
  /// From here on its complaints are kept.
  void listen();
  /// What the negative `answer` of a call says of `subject`: the errors of CryptLibrary.
  [[nodiscard]] Error failed(int answer, const std::string& subject) const;

 private:
  const CryptFunctions& functions_;
  crypt_device* device_ = nullptr;
  std::string complaint_;
};

}  // namespace zkv::unlock
