// What a certificate says of itself, for whoever looks whether it will do.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.h"
#include "base/time.h"

namespace zkv::gateway::http {

struct CertificateFacts {
  Time expires;
  bool is_self_signed = false;
  bool covers_name = false;  ///< whether it is good for the name that was asked about
};

/// Of the first certificate in a PEM file; `name` is a host name or an IP address. Errors: kNotFound,
/// kInvalid, kIo.
Result<CertificateFacts> read_certificate(const std::filesystem::path& file, const std::string& name);

}  // namespace zkv::gateway::http
