// A mapping on trial: closed by the kernel as soon as nobody holds it open.
#include "unlock/crypt_content.h"

#include <fcntl.h>
#include <libcryptsetup.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cerrno>
#include <sstream>
#include <string>

#include "base/file.h"
#include "unlock/system_tool.h"

namespace zkv::unlock {

namespace {

/// The kernel's own name for what is open: that under mapper/ is gone as soon as the mapping is to be closed.
Result<std::filesystem::path> kernels_path(const FileDescriptor& opened,
                                           const std::filesystem::path& devices) {
  struct stat about {};
  if (::fstat(opened.get(), &about) != 0) return Error::system("looking at a mapping", errno);
  auto path = devices / ("dm-" + std::to_string(minor(about.st_rdev)));
  std::error_code failed;
  if (std::filesystem::exists(path, failed)) return path;
  return Error::io(path.string() + " is not there");  // blkid would take that for "nothing known"
}

/// A mapping that ends with this process, or soon after this.
class TrialMapping {
 public:
  static Result<TrialMapping> open(const CryptLibrary& library, const CryptLibrary::Device& device,
                                   std::span<const std::uint8_t> key, const CryptOptions& options) {
    const auto name = "zkv-trial-" + std::to_string(::getpid());
    ZKV_CHECK(library.activate(device, name, key));
    const auto mapped = options.devices / "mapper" / name;
    FileDescriptor held(::open(mapped.c_str(), O_RDONLY | O_CLOEXEC));
    const int failed = held.is_open() ? 0 : errno;
    ZKV_CHECK(library.deactivate(name, CryptLibrary::Closing::kOnceUnused));
    if (failed != 0) return Error::system(mapped.string(), failed);
    ZKV_TRY(auto path, kernels_path(held, options.devices));
    return TrialMapping(library, name, std::move(path), std::move(held));
  }

  /// The kernel would be late: its device must be free when the volume itself is opened.
  Result<> close() && {
    ZKV_CHECK(library_.deactivate(name_, CryptLibrary::Closing::kNotYet));
    held_ = FileDescriptor();
    return library_.deactivate(name_);
  }

  [[nodiscard]] std::string path() const { return path_; }

 private:
  TrialMapping(const CryptLibrary& library, std::string name, std::filesystem::path path, FileDescriptor held)
      : library_(library), name_(std::move(name)), path_(std::move(path)), held_(std::move(held)) {}

  const CryptLibrary& library_;
  std::string name_;
  std::filesystem::path path_;
  FileDescriptor held_;
};

Error wrong_content(const std::string& found, const std::string& wanted) {
  const std::string what = found.empty() ? "nothing that blkid knows" : found;
  return Error::wrong_key("with this key there is " + what + " on it" +
                          (wanted.empty() ? std::string() : ", not " + wanted) +
                          ": it is another key, or was made with another cipher=, size=, hash=, offset= or "
                          "skip=");
}

}  // namespace

Result<std::string> types_on(const std::string& device, const CryptOptions& options) {
  static constexpr int kNothingFound = 2;
  return run_tool(options.blkid, {"-p", "-o", "value", "-s", "TYPE", "-s", "PTTYPE", "--", device},
                  kNothingFound);
}

Result<> check_content(const CryptLibrary& library, CryptLibrary::Device device,
                       std::span<const std::uint8_t> key, const CryptOptions& options) {
  device.wishes.activation |= CRYPT_ACTIVATE_READONLY | CRYPT_ACTIVATE_PRIVATE | CRYPT_ACTIVATE_SHARED;
  ZKV_TRY(auto mapping, TrialMapping::open(library, device, key, options));
  ZKV_TRY(const auto found, types_on(mapping.path(), options));
  ZKV_CHECK(std::move(mapping).close());
  std::istringstream types(found);
  std::string first;
  for (std::string type; std::getline(types, type);) {
    if (first.empty()) first = type;
    if (type == device.wishes.content) return {};
  }
  if (first.empty() || !device.wishes.content.empty()) return wrong_content(first, device.wishes.content);
  return {};
}

}  // namespace zkv::unlock
