// dlopen, and the meaning of what libcryptsetup answers.
#include "unlock/crypt_library.h"

#include <dlfcn.h>
#include <libcryptsetup.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

namespace zkv::unlock {

struct CryptLibrary::Functions {
  decltype(&::crypt_init) init = nullptr;
  decltype(&::crypt_init_data_device) init_data_device = nullptr;
  decltype(&::crypt_init_by_name) init_by_name = nullptr;
  decltype(&::crypt_free) free = nullptr;
  decltype(&::crypt_load) load = nullptr;
  decltype(&::crypt_get_type) get_type = nullptr;
  decltype(&::crypt_keyslot_max) keyslot_max = nullptr;
  decltype(&::crypt_keyslot_status) keyslot_status = nullptr;
  decltype(&::crypt_keyslot_get_pbkdf) keyslot_get_pbkdf = nullptr;
  decltype(&::crypt_activate_by_passphrase) activate_by_passphrase = nullptr;
  decltype(&::crypt_deactivate) deactivate = nullptr;
  decltype(&::crypt_set_log_callback) set_log_callback = nullptr;
};

namespace {

/// Keeps the first complaint of a call; without it libcryptsetup would print by itself.
void keep_first_complaint(int level, const char* message, void* text) {
  auto* kept = static_cast<std::string*>(text);
  if (level != CRYPT_LOG_ERROR || kept == nullptr || !kept->empty()) return;
  *kept = message;
  while (kept->ends_with('\n') || kept->ends_with('.')) kept->pop_back();
}

/// What the negative errno of a call says of `subject`. Source: libcryptsetup.h 2.6, and its lib/setup.c.
Error complaint_of(int answer, const std::string& subject, const std::string& complaint) {
  const std::string because = complaint.empty() ? std::string() : ": " + complaint;
  switch (-answer) {
    case EPERM:
      return Error::wrong_key("the key does not open it");
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

template <class Functions>
class Context {
 public:
  explicit Context(const Functions& functions) : functions_(functions) {}
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { functions_.free(device_); }

  [[nodiscard]] crypt_device** out() { return &device_; }
  [[nodiscard]] crypt_device* get() const { return device_; }
  void listen() { functions_.set_log_callback(device_, keep_first_complaint, &complaint_); }
  [[nodiscard]] Error failed(int answer, const std::string& subject) const {
    return complaint_of(answer, subject, complaint_);
  }

 private:
  const Functions& functions_;
  crypt_device* device_ = nullptr;
  std::string complaint_;
};

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

/// Loads the LUKS header, and with it whatever is to be known of the device.
template <class Functions>
Result<> load_header(const Functions& functions, const CryptLibrary::Device& device,
                     Context<Functions>& context) {
  const bool is_detached = !device.header.empty();
  const auto subject = is_detached ? device.header.string() : device.path.string();
  ZKV_CHECK(check_can_hold(device.path));
  if (is_detached) ZKV_CHECK(check_can_hold(device.header));
  const int made = is_detached
                       ? functions.init_data_device(context.out(), device.header.c_str(), device.path.c_str())
                       : functions.init(context.out(), device.path.c_str());
  if (made < 0) return complaint_of(made, device.path.string(), {});
  context.listen();
  const int loaded = functions.load(context.get(), CRYPT_LUKS, nullptr);
  if (loaded == -EINVAL || loaded == -ENOENT) {
    return Error::not_found(subject + " holds no LUKS header");
  }
  if (loaded < 0) return context.failed(loaded, subject);
  return {};
}

template <class Function>
bool find_function(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

}  // namespace

Result<CryptLibrary> CryptLibrary::load(const std::vector<std::string>& libraries) {
  for (const auto& name : libraries) {
    std::shared_ptr<void> library(::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL), [](void* handle) {
      if (handle != nullptr) ::dlclose(handle);
    });
    if (library == nullptr) continue;
    auto found = std::make_shared<Functions>();
    auto* from = library.get();
    const bool is_whole =
        find_function(from, "crypt_init", found->init) &&
        find_function(from, "crypt_init_data_device", found->init_data_device) &&
        find_function(from, "crypt_init_by_name", found->init_by_name) &&
        find_function(from, "crypt_free", found->free) && find_function(from, "crypt_load", found->load) &&
        find_function(from, "crypt_get_type", found->get_type) &&
        find_function(from, "crypt_keyslot_max", found->keyslot_max) &&
        find_function(from, "crypt_keyslot_status", found->keyslot_status) &&
        find_function(from, "crypt_keyslot_get_pbkdf", found->keyslot_get_pbkdf) &&
        find_function(from, "crypt_activate_by_passphrase", found->activate_by_passphrase) &&
        find_function(from, "crypt_deactivate", found->deactivate) &&
        find_function(from, "crypt_set_log_callback", found->set_log_callback);
    if (!is_whole) continue;
    found->set_log_callback(nullptr, keep_first_complaint, nullptr);
    return CryptLibrary(std::move(library), std::move(found));
  }
  return Error::unsupported("libcryptsetup is not installed").remedy("install libcryptsetup12");
}

Result<CryptLibrary::Header> CryptLibrary::read_header(const Device& device) const {
  Context context(*functions_);
  ZKV_CHECK(load_header(*functions_, device, context));
  Header header;
  header.type = functions_->get_type(context.get());
  const int slots = functions_->keyslot_max(header.type.c_str());
  for (int slot = 0; slot < slots; ++slot) {
    const auto status = functions_->keyslot_status(context.get(), slot);
    if (status != CRYPT_SLOT_ACTIVE && status != CRYPT_SLOT_ACTIVE_LAST) continue;
    crypt_pbkdf_type cost{};
    if (functions_->keyslot_get_pbkdf(context.get(), slot, &cost) < 0) continue;
    header.derivation_memory = std::max<std::uint64_t>(header.derivation_memory, cost.max_memory_kb);
  }
  return header;
}

Result<> CryptLibrary::activate(const Device& device, const Activation& activation) const {
  Context context(*functions_);
  ZKV_CHECK(load_header(*functions_, device, context));
  const char* name = activation.mapping.empty() ? nullptr : activation.mapping.c_str();
  const int slot =
      functions_->activate_by_passphrase(context.get(), name, activation.key_slot.value_or(CRYPT_ANY_SLOT),
                                         reinterpret_cast<const char*>(activation.key.data()),
                                         activation.key.size(), name == nullptr ? 0 : activation.flags);
  if (slot < 0) return context.failed(slot, device.path.string());
  return {};
}

Result<> CryptLibrary::deactivate(const std::string& mapping) const {
  Context context(*functions_);
  const int made = functions_->init_by_name(context.out(), mapping.c_str());
  if (made < 0) return complaint_of(made, "the mapping " + mapping, {});
  context.listen();
  const int ended = functions_->deactivate(context.get(), mapping.c_str());
  if (ended < 0) return context.failed(ended, "the mapping " + mapping);
  return {};
}

}  // namespace zkv::unlock
