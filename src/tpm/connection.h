// One connection to a TPM, and the handles of what is loaded in it.
#pragma once

#include <memory>
#include <string>

#include "tpm/tss_error.h"
#include "tpm/tss_library.h"

namespace zkv::tpm {

/// Frees what tpm2-tss allocated.
struct TssFree {
  void operator()(void* memory) const;
};
template <class T>
using TssOwned = std::unique_ptr<T, TssFree>;

class Connection {
 public:
  /// `device` as Tpm::open() takes it. Errors: kUnsupported, kNotFound (no TPM there), kDenied (may not be
  /// opened), kUnavailable (in use, or not answering), kInvalid.
  static Result<Connection> open(const std::string& device);

  [[nodiscard]] const TssLibrary& tss() const { return *tss_; }
  [[nodiscard]] ESYS_CONTEXT* context() const { return context_.get(); }

  /// Calls until it is done, or fails by more than a passing state of the TPM, for some seconds at most.
  template <class Call>
  Result<> command(const std::string& doing, Call call) const {
    for (unsigned tries = 0;; ++tries) {
      const TSS2_RC code = call();
      if (code == TSS2_RC_SUCCESS) return {};
      if (!is_passing(code) || !wait_before_try(tries)) return error_of(code, doing);
    }
  }

 private:
  struct CloseTransport {
    const TssLibrary* tss;
    void operator()(TSS2_TCTI_CONTEXT* transport) const { tss->close_transport(&transport); }
  };
  struct CloseContext {
    const TssLibrary* tss;
    void operator()(ESYS_CONTEXT* context) const { tss->finalize(&context); }
  };
  using Transport = std::unique_ptr<TSS2_TCTI_CONTEXT, CloseTransport>;
  using Context = std::unique_ptr<ESYS_CONTEXT, CloseContext>;

  Connection(const TssLibrary* tss, Transport transport, Context context)
      : tss_(tss), transport_(std::move(transport)), context_(std::move(context)) {}
  static bool wait_before_try(unsigned tries);

  const TssLibrary* tss_;
  Transport transport_;  ///< outlives the context
  Context context_;
};

/// Something loaded in the TPM, which is flushed when this goes. The connection outlives it.
class Handle {
 public:
  Handle(const Connection& connection, ESYS_TR handle) : connection_(&connection), handle_(handle) {}
  Handle(Handle&& other) noexcept
      : connection_(other.connection_), handle_(std::exchange(other.handle_, ESYS_TR_NONE)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(connection_, other.connection_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (handle_ != ESYS_TR_NONE) connection_->tss().flush(connection_->context(), handle_);
  }

  [[nodiscard]] ESYS_TR get() const { return handle_; }

 private:
  const Connection* connection_;
  ESYS_TR handle_;
};

}  // namespace zkv::tpm
