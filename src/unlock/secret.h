// Secrets: what is no volume, and has a key that others need. It is written to a file in memory, or only kept
// for those who ask zkv for it.
#pragma once

#include <memory>

#include "unlock/unlocker.h"

namespace zkv::unlock {

std::unique_ptr<Unlocker> make_secret_unlocker();

}  // namespace zkv::unlock
