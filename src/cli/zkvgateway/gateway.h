// From settings to the parts of a running gateway.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "gateway/http/server.h"
#include "gateway/identity/identity.h"
#include "gateway/service/service.h"
#include "gateway/settings/settings.h"
#include "gateway/vault/embedded.h"

namespace zkv::cli {

/// This machine's name, or `otherwise` where the system does not tell it.
std::string host_name(const std::string& otherwise);
gateway::EmbeddedOptions embedded_options(const gateway::Settings& settings);
/// Store, vault and channels, and the service over them. Errors: as those, with their remedies.
Result<std::unique_ptr<gateway::Service>> start_service(const gateway::Settings& settings,
                                                        std::shared_ptr<const gateway::Identity> identity);
gateway::http::ServerOptions server_options(const gateway::Settings& settings,
                                            std::shared_ptr<const gateway::Identity> identity);

}  // namespace zkv::cli
