// In child processes, as all that libcryptsetup does.
#include "unlock/luks_change.h"

#include "unlock/block_devices.h"
#include "unlock/crypt_library.h"
#include "unlock/crypt_options.h"
#include "unlock/workers.h"

namespace zkv::unlock {

namespace {

using KeyBytes = std::span<const std::uint8_t>;
using Change = Result<> (CryptLibrary::*)(const CryptLibrary::Device&, KeyBytes, KeyBytes) const;

Result<> change_luks(const CryptKind& kind, const Unlocker::Volume& volume, KeyBytes key,
                     const CryptOptions& options, Change change) {
  const auto& settings = volume.settings;
  ZKV_CHECK(check_luks_change(kind, {volume.name, settings}));
  ZKV_TRY(auto wishes, parse_crypt_options(kind, settings.options));
  ZKV_TRY(const auto path, find_device(settings.device, options.devices));
  ZKV_TRY(const auto library, CryptLibrary::load(options.libraries));
  const CryptLibrary::Device device{path, kind.format, std::move(wishes)};
  const Work work{
      0, [&] { return (library.*change)(device, volume.key, key).map([] { return std::uint64_t{0}; }); }};
  const auto worked = work_in_children({work}, bounds_of_machine(options.limit), {});
  return worked.front().result.map([](std::uint64_t) {});
}

}  // namespace

Result<> check_luks_change(const CryptKind& kind, const VolumeRef& volume) {
  ZKV_TRY(const auto wishes, parse_crypt_options(kind, volume.settings.options));
  const char* by_hand = "cryptsetup luksChangeKey, then put it in: zkv volume add --force ";
  if (wishes.is_volume_key) {
    return Error::unsupported("its key is that of the cipher, which changes with all that is on it alone")
        .remedy("cryptsetup reencrypt, then put it in: zkv volume add --force " + volume.name);
  }
  if (wishes.key_slot)
    return Error::unsupported("its options name one key slot").remedy(by_hand + volume.name);
  if (wishes.key_offset != 0 || wishes.key_size) {
    return Error::unsupported("its options use a part of the stored key alone").remedy(by_hand + volume.name);
  }
  return {};
}

Result<> give_luks_key(const CryptKind& kind, const Unlocker::Volume& volume, KeyBytes key,
                       const CryptOptions& options) {
  return change_luks(kind, volume, key, options, &CryptLibrary::add_key);
}

Result<> take_luks_key(const CryptKind& kind, const Unlocker::Volume& volume, KeyBytes key,
                       const CryptOptions& options) {
  return change_luks(kind, volume, key, options, &CryptLibrary::remove_key);
}

}  // namespace zkv::unlock
