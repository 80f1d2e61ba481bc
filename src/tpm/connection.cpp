// Finding the device, opening it, and waiting for it.
#include "tpm/connection.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <string_view>
#include <thread>

#include "base/file.h"

namespace zkv::tpm {

namespace {

constexpr unsigned kTries = 8;
constexpr std::chrono::milliseconds kFirstWait{25};

struct Place {
  std::string transport;
  std::string where;
};

/// No name of a library, which tctildr would load, gets past this.
Result<Place> place_of(const std::string& device) {
  if (device.starts_with('/')) return Place{"device", device};
  for (const std::string_view transport : {"device", "swtpm", "mssim", "tabrmd"}) {
    if (device.starts_with(std::string(transport) + ":")) {
      return Place{std::string(transport), device.substr(transport.size() + 1)};
    }
  }
  return Error::invalid("'" + device + "' is not a TPM's device")
      .remedy("name a device, as /dev/tpmrm0, or swtpm:host=localhost,port=2321 for an emulated one");
}

/// What the system says of the device, before tpm2-tss hides it behind a code.
Result<> check_device(const std::string& path) {
  const FileDescriptor opened(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  if (opened.get() >= 0) return {};
  const int why = errno;
  if (why == ENOENT || why == ENODEV || why == ENXIO) {
    return Error::not_found("there is no TPM at " + path)
        .remedy(
            "switch the TPM on in the machine's firmware set-up; 'ls /dev/tpm*' shows what the system has");
  }
  if (why == EACCES || why == EPERM) {
    return Error::denied("the TPM at " + path + " may not be opened").remedy("say this as root");
  }
  if (why == EBUSY) {
    return Error::unavailable("the TPM at " + path + " is in use by another program")
        .remedy("use /dev/tpmrm0, which several may use at once");
  }
  return Error::system("opening the TPM at " + path, why);
}

}  // namespace

void TssFree::operator()(void* memory) const { tss_library().value()->free(memory); }

Result<Connection> Connection::open(const std::string& device) {
  ZKV_TRY(const auto place, place_of(device));
  if (place.transport == "device") ZKV_CHECK(check_device(place.where));
  ZKV_TRY(const auto* tss, tss_library());
  TSS2_TCTI_CONTEXT* transport = nullptr;
  if (tss->open_transport(place.transport.c_str(), place.where.c_str(), &transport) != TSS2_RC_SUCCESS) {
    return Error::unavailable("the TPM at " + device + " cannot be reached")
        .remedy("install libtss2-tcti-" + place.transport + "0; see whether something else uses it");
  }
  Transport owned(transport, CloseTransport{tss});
  ESYS_CONTEXT* context = nullptr;
  const TSS2_RC code = tss->initialize(&context, transport, nullptr);
  if (code != TSS2_RC_SUCCESS) return error_of(code, "its start");
  return Connection(tss, std::move(owned), Context(context, CloseContext{tss}));
}

bool Connection::wait_before_try(unsigned tries) {
  if (tries >= kTries) return false;
  std::this_thread::sleep_for(kFirstWait * (1U << tries));
  return true;
}

}  // namespace zkv::tpm
