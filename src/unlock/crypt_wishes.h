// What the settings of a dm-crypt volume ask for.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace zkv::unlock {

/// What a plain volume has no header to say. Source: crypttab(5).
struct PlainShape {
  std::string cipher;           ///< as in "aes"
  std::string mode;             ///< as in "xts-plain64"
  std::string hash;             ///< makes the cipher's key of what is stored; "plain": it is that key
  std::uint32_t key_bytes = 0;  ///< of the cipher's key
  std::uint64_t offset = 0;     ///< where the volume begins on its device, in sectors of 512 bytes
  std::uint64_t skip = 0;       ///< what is added to a sector's number for its IV, likewise
  std::uint32_t sector_bytes = 512;
};

/// Which of a TrueCrypt or VeraCrypt device's headers is meant, and what it was made with.
struct TcryptShape {
  std::uint32_t flags = 0;  ///< CRYPT_TCRYPT_… of libcryptsetup.h
  std::uint32_t pim = 0;    ///< VeraCrypt's; 0: its default
  std::vector<std::string> key_files;
  std::string hash;  ///< only this one is tried; empty: all
};

/// The words of a volume's options.
struct CryptWishes {
  std::uint32_t activation = 0;  ///< CRYPT_ACTIVATE_… of libcryptsetup.h
  bool is_read_only = false;
  std::filesystem::path header;  ///< of a detached header; empty: it lies on the device
  std::optional<int> key_slot;   ///< only this one is tried
  bool is_volume_key = false;    ///< the key is that of the cipher, and no key slot is asked
  std::uint64_t key_offset = 0;  ///< the part of the stored key that is used, in bytes
  std::optional<std::uint64_t> key_size;
  std::string content;             ///< what blkid(8) must call what is on it; empty: anything that it knows
  bool takes_any_content = false;  ///< even what blkid does not know
  PlainShape plain;
  TcryptShape tcrypt;
};

}  // namespace zkv::unlock
