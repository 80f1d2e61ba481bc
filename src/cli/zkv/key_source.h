// How `mount` and `agent` come to the repository's key: from the command line, or from a person at a gateway.
#pragma once

#include <functional>

#include "commands.h"
#include "fetch_options.h"
#include "host/stop_on_signal.h"
#include "key_input.h"
#include "open_volumes.h"

namespace zkv::cli {

struct KeySourceOptions {
  GatewayOptions gateway{.addresses = {}, .timeout = 300, .ca_file = {}};
  KeyOptions key;
  bool is_drill = false;  ///< a gateway is asked as by `zkv drill`, which ends no boot's request
};

/// Adds [URI...] and all options that say where the key comes from.
void add_key_source_options(CLI::App& command, KeySourceOptions& options);

/// What is to be done with the key once it is there.
using UseKey = std::function<ExitCode(Opening opening, const host::StopOnSignal& signals)>;

/// Gets the key and hands it to `use`, whose exit code it returns. Where there is none to be had it says why,
/// and returns the exit code of that.
ExitCode with_repository_key(Session& session, const KeySourceOptions& options, const UseKey& use);

}  // namespace zkv::cli
