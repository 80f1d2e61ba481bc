// A sealed memfd is as long as it ever gets from the start, with zeros where nothing was written yet.
#include "unlock/complaints.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace zkv::unlock {

namespace {

constexpr off_t kMostComplaints = 1 << 20;
constexpr std::size_t kComplaintsRead = 65'536;

}  // namespace

Result<Complaints> Complaints::make() {
  FileDescriptor fd(::memfd_create("complaints", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd.is_open() || ::ftruncate(fd.get(), kMostComplaints) != 0 ||
      ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_GROW) != 0) {
    return Error::system("making a file in memory", errno);
  }
  return Complaints(std::move(fd));
}

std::string Complaints::text() const {
  std::string text(kComplaintsRead, '\0');
  const ssize_t got = ::pread(fd_.get(), text.data(), text.size(), 0);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return text.substr(0, text.find('\0'));
}

}  // namespace zkv::unlock
