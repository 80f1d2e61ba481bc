// dlopen, and the meaning of what libcryptsetup answers.
#include "unlock/crypt_functions.h"

#include <dlfcn.h>

#include <cerrno>
#include <utility>

namespace zkv::unlock {

namespace {

/// Keeps the first complaint of a call; without it libcryptsetup would print by itself.
void keep_first_complaint(int level, const char* message, void* text) {
  auto* kept = static_cast<std::string*>(text);
  if (level != CRYPT_LOG_ERROR || kept == nullptr || !kept->empty()) return;
  *kept = message;
  while (kept->ends_with('\n') || kept->ends_with('.')) kept->pop_back();
}

template <class Function>
bool find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

bool find_all(CryptFunctions& found) {
  auto* from = found.library.get();
  return find_function(from, "crypt_init", found.init) &&
         find_function(from, "crypt_init_data_device", found.init_data_device) &&
         find_function(from, "crypt_init_by_name", found.init_by_name) &&
         find_function(from, "crypt_free", found.free) && find_function(from, "crypt_format", found.format) &&
         find_function(from, "crypt_load", found.load) &&
         find_function(from, "crypt_get_type", found.get_type) &&
         find_function(from, "crypt_keyslot_max", found.keyslot_max) &&
         find_function(from, "crypt_keyslot_status", found.keyslot_status) &&
         find_function(from, "crypt_keyslot_get_pbkdf", found.keyslot_get_pbkdf) &&
         find_function(from, "crypt_keyslot_get_encryption", found.keyslot_get_encryption) &&
         find_function(from, "crypt_get_cipher", found.get_cipher) &&
         find_function(from, "crypt_get_volume_key_size", found.get_volume_key_size) &&
         find_function(from, "crypt_activate_by_passphrase", found.activate_by_passphrase) &&
         find_function(from, "crypt_activate_by_volume_key", found.activate_by_volume_key) &&
         find_function(from, "crypt_deactivate_by_name", found.deactivate_by_name) &&
         find_function(from, "crypt_keyslot_add_by_passphrase", found.keyslot_add) &&
         find_function(from, "crypt_keyslot_destroy", found.keyslot_destroy) &&
         find_function(from, "crypt_set_pbkdf_type", found.set_pbkdf_type) &&
         find_function(from, "crypt_set_log_callback", found.set_log_callback);
}

}  // namespace

Result<std::shared_ptr<const CryptFunctions>> CryptFunctions::load_from(
    const std::vector<std::string>& libraries) {
  for (const auto& name : libraries) {
    auto found = std::make_shared<CryptFunctions>();
    found->library = {::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* handle) {
                        if (handle != nullptr) ::dlclose(handle);
                      }};
    if (found->library == nullptr || !find_all(*found)) continue;
    found->set_log_callback(nullptr, keep_first_complaint, nullptr);
    return found;
  }
  return Error::unsupported("libcryptsetup is not installed").remedy("install libcryptsetup12");
}

void CryptContext::listen() { functions_.set_log_callback(device_, keep_first_complaint, &complaint_); }

// Source: libcryptsetup.h 2.6, and its lib/setup.c.
Error CryptContext::failed(int answer, const std::string& subject) const {
  const std::string because = complaint_.empty() ? std::string() : ": " + complaint_;
  switch (-answer) {
    case EPERM:
      return Error::wrong_key("the key does not open it" + because);
    case EEXIST:
      return Error::exists("there is a mapping of that name" + because);
    case EBUSY:
      return Error::conflict(subject + " is in use" + because);
    case ENODEV:
      return Error::not_found(subject + " is not there" + because);
    case ENOENT:
      return Error::not_found("it has no key slot to try" + because);
    case EACCES:
      return Error::denied("this user may not open " + subject + because).remedy("run it as root");
    case ENOMEM:
      return Error::unavailable("there is not enough memory for it" + because);
    case ENOTSUP:
    case ENOTBLK:
    case ENOSYS:
      return Error::unsupported("this system cannot open it" + because);
    default:
      return Error::system(subject + because, -answer);
  }
}

}  // namespace zkv::unlock
