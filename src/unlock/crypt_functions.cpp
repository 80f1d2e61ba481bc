// Looking them up, and the meaning of what libcryptsetup answers.
#include "unlock/crypt_functions.h"

#include <cerrno>
#include <utility>

#include "unlock/loaded_library.h"

namespace zkv::unlock {

namespace {

/// Keeps the first complaint of a call; without it libcryptsetup would print by itself.
void keep_first_complaint(int level, const char* message, void* text) {
  auto* kept = static_cast<std::string*>(text);
  if (level != CRYPT_LOG_ERROR || kept == nullptr || !kept->empty()) return;
  *kept = message;
  while (kept->ends_with('\n') || kept->ends_with('.')) kept->pop_back();
}

/// Looks functions up in one library until the first that it lacks.
class Lookup {
 public:
  explicit Lookup(void* library) : library_(library) {}

  template <class Function>
  void find(const char* name, Function& function) {
    if (missing_ == nullptr && !find_in_library(library_, name, function)) missing_ = name;
  }

  /// The name of the function that it lacks; nullptr: it has all.
  [[nodiscard]] const char* missing() const { return missing_; }

 private:
  void* library_;
  const char* missing_ = nullptr;
};

/// As Lookup::missing.
const char* find_all(CryptFunctions& found) {
  Lookup library(found.library.get());
  library.find("crypt_init", found.init);
  library.find("crypt_init_data_device", found.init_data_device);
  library.find("crypt_init_by_name", found.init_by_name);
  library.find("crypt_free", found.free);
  library.find("crypt_format", found.format);
  library.find("crypt_load", found.load);
  library.find("crypt_get_type", found.get_type);
  library.find("crypt_keyslot_max", found.keyslot_max);
  library.find("crypt_keyslot_status", found.keyslot_status);
  library.find("crypt_keyslot_get_pbkdf", found.keyslot_get_pbkdf);
  library.find("crypt_keyslot_get_encryption", found.keyslot_get_encryption);
  library.find("crypt_get_cipher", found.get_cipher);
  library.find("crypt_get_volume_key_size", found.get_volume_key_size);
  library.find("crypt_activate_by_passphrase", found.activate_by_passphrase);
  library.find("crypt_activate_by_volume_key", found.activate_by_volume_key);
  library.find("crypt_deactivate_by_name", found.deactivate_by_name);
  library.find("crypt_keyslot_add_by_passphrase", found.keyslot_add);
  library.find("crypt_keyslot_destroy", found.keyslot_destroy);
  library.find("crypt_set_pbkdf_type", found.set_pbkdf_type);
  library.find("crypt_set_log_callback", found.set_log_callback);
  return library.missing();
}

}  // namespace

Result<std::shared_ptr<const CryptFunctions>> CryptFunctions::load_from(
    const std::vector<std::string>& libraries) {
  std::string lacking;
  for (const auto& name : libraries) {
    auto found = std::make_shared<CryptFunctions>();
    found->library = load_library(name);
    if (found->library == nullptr) continue;
    if (const char* missing = find_all(*found); missing != nullptr) {
      lacking = name + " has no function " + missing;
      continue;
    }
    found->set_log_callback(nullptr, keep_first_complaint, nullptr);
    return found;
  }
  if (!lacking.empty()) return Error::unsupported(lacking).remedy("install libcryptsetup12 2.6 or later");
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
