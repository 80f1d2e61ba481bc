// Reads the header itself: libcryptsetup gives no bytes of slots, and nothing here needs a key.
#include "unlock/luks_marks.h"

#include <fcntl.h>
#include <unistd.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/encoding.h"
#include "base/file.h"
#include "crypto/hash.h"

namespace zkv::unlock {

namespace {

namespace json = boost::json;
using Marks = std::map<std::string, std::string>;

constexpr std::string_view kMagic("LUKS\xba\xbe", 6);
constexpr std::string_view kSlot = "key slot ";
constexpr std::size_t kUuidOffset = 168;
constexpr std::size_t kUuidSize = 40;
constexpr std::size_t kSector = 512;
constexpr std::size_t kLargestArea = std::size_t{32} << 20U;

// LUKS1: one header of fixed places.
constexpr std::size_t kSize1 = 592;
constexpr std::size_t kKeyBytes1 = 108;
constexpr std::size_t kDigest1 = 112;
constexpr std::size_t kDigestSize1 = 20 + 32 + 4;
constexpr std::size_t kSlots1 = 208;
constexpr std::size_t kSlotSize1 = 48;
constexpr std::size_t kSlotCount1 = 8;
constexpr std::uint64_t kActive1 = 0x00AC71F3;

// LUKS2: a binary header, and JSON behind it.
constexpr std::size_t kBinary2 = 4'096;
constexpr std::size_t kLargest2 = std::size_t{4} << 20U;

Error damaged(const std::filesystem::path& path, const std::string& why) {
  return Error::invalid("the LUKS header on " + path.string() + " is damaged: " + why)
      .remedy("look at it: cryptsetup luksDump " + path.string());
}

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t number = 0;
  for (const auto byte : bytes) number = number << 8U | byte;
  return number;
}

class Header {
 public:
  static Result<Header> open(const std::filesystem::path& path) {
    FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!fd.is_open()) return Error::system("opening " + path.string(), errno);
    return Header(path, std::move(fd));
  }

  [[nodiscard]] Result<Bytes> read(std::uint64_t offset, std::size_t size) const {
    Bytes bytes(size);
    for (std::size_t done = 0; done < size;) {
      const auto count =
          ::pread(fd_.get(), bytes.data() + done, size - done, static_cast<off_t>(offset + done));
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) return Error::system("reading " + path_.string(), errno);
      if (count == 0) return damaged(path_, "it ends too early");
      done += static_cast<std::size_t>(count);
    }
    return bytes;
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  Header(std::filesystem::path path, FileDescriptor fd) : path_(std::move(path)), fd_(std::move(fd)) {}
  std::filesystem::path path_;
  FileDescriptor fd_;
};

std::string digest_of(std::string_view said, std::span<const std::uint8_t> area) {
  Bytes both(said.begin(), said.end());
  both.insert(both.end(), area.begin(), area.end());
  return to_hex(crypto::sha256(both));
}

Result<Marks> marks_of_luks1(const Header& header, std::span<const std::uint8_t> head, LuksWay way) {
  Marks marks;
  marks["volume key 0"] = to_hex(crypto::sha256(head.subspan(kDigest1, kDigestSize1)));
  const auto key_bytes = big_endian(head.subspan(kKeyBytes1, 4));
  for (std::size_t slot = 0; way == LuksWay::kAnySlot && slot < kSlotCount1; ++slot) {
    const auto entry = head.subspan(kSlots1 + slot * kSlotSize1, kSlotSize1);
    if (big_endian(entry.first(4)) != kActive1) continue;
    const auto offset = big_endian(entry.subspan(40, 4)) * kSector;
    const auto size = big_endian(entry.subspan(44, 4)) * key_bytes;
    if (size > kLargestArea) return damaged(header.path(), "a key slot is too large");
    ZKV_TRY(const auto area, header.read(offset, static_cast<std::size_t>(size)));
    marks[std::string(kSlot) + std::to_string(slot)] =
        digest_of({reinterpret_cast<const char*>(entry.data()), entry.size()}, area);
  }
  return marks;
}

/// LUKS2 writes numbers of 64 bits as text.
std::uint64_t number_in(const json::object& object, std::string_view name) {
  std::uint64_t number = 0;
  const auto* value = object.if_contains(json::string_view(name.data(), name.size()));
  if (value == nullptr || !value->is_string()) return 0;
  const auto& text = value->get_string();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

const json::object* object_in(const json::object& object, std::string_view name) {
  const auto* value = object.if_contains(json::string_view(name.data(), name.size()));
  return value == nullptr ? nullptr : value->if_object();
}

Result<std::string> mark_of_slot2(const Header& header, const json::value& slot) {
  const auto* object = slot.if_object();
  const auto* area = object == nullptr ? nullptr : object_in(*object, "area");
  if (area == nullptr) return damaged(header.path(), "a key slot has no area");
  const auto size = number_in(*area, "size");
  if (size > kLargestArea) return damaged(header.path(), "a key slot is too large");
  ZKV_TRY(const auto bytes, header.read(number_in(*area, "offset"), static_cast<std::size_t>(size)));
  return digest_of(json::serialize(slot), bytes);
}

Result<json::object> metadata_of_luks2(const Header& header, std::span<const std::uint8_t> head) {
  const auto size = big_endian(head.subspan(8, 8));
  if (size <= kBinary2 || size > kLargest2) return damaged(header.path(), "its size is none");
  ZKV_TRY(const auto bytes, header.read(kBinary2, static_cast<std::size_t>(size) - kBinary2));
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const auto text = all.substr(0, all.find('\0'));
  boost::system::error_code failed;
  auto value = json::parse(json::string_view(text.data(), text.size()), failed);
  if (failed || !value.is_object()) return damaged(header.path(), "its metadata is no JSON");
  return std::move(value.get_object());
}

Result<Marks> marks_of_luks2(const Header& header, std::span<const std::uint8_t> head, LuksWay way) {
  ZKV_TRY(const auto metadata, metadata_of_luks2(header, head));
  const auto* slots = object_in(metadata, "keyslots");
  const auto* digests = object_in(metadata, "digests");
  if (slots == nullptr || digests == nullptr) return damaged(header.path(), "its metadata lacks key slots");
  Marks marks;
  for (const auto& [number, digest] : *digests) {
    const auto* object = digest.if_object();
    const auto* value = object == nullptr ? nullptr : object->if_contains("digest");
    if (value != nullptr) marks["volume key " + std::string(number)] = json::serialize(*value);
  }
  for (const auto& [number, slot] : *slots) {
    if (way == LuksWay::kVolumeKey) break;
    ZKV_TRY(marks[std::string(kSlot) + std::string(number)], mark_of_slot2(header, slot));
  }
  return marks;
}

}  // namespace

Result<Marks> luks_marks(const std::filesystem::path& path, LuksWay way) {
  ZKV_TRY(const auto header, Header::open(path));
  ZKV_TRY(const auto head, header.read(0, kSize1));
  const std::string_view text(reinterpret_cast<const char*>(head.data()), head.size());
  if (!text.starts_with(kMagic)) return damaged(path, "there is none");
  const auto version = big_endian(std::span(head).subspan(6, 2));
  if (version != 1 && version != 2) return damaged(path, "its version is not known");
  auto marks = version == 1 ? marks_of_luks1(header, head, way) : marks_of_luks2(header, head, way);
  if (!marks) return marks;
  const auto uuid = text.substr(kUuidOffset, kUuidSize);
  (*marks)["UUID"] = uuid.substr(0, uuid.find('\0'));
  return marks;
}

void only_slot(int slot, Marks& marks) {
  const auto wanted = std::string(kSlot) + std::to_string(slot);
  std::erase_if(marks,
                [&](const auto& mark) { return mark.first.starts_with(kSlot) && mark.first != wanted; });
}

}  // namespace zkv::unlock
