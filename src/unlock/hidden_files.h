// What nobody sees any more once something is mounted over it.
#pragma once

#include <string>

namespace zkv::unlock {

/// What a person is told of a mount at `mountpoint` that hides files; empty where it hides nothing but
/// directories, as those in which others are mounted. To be asked before mounting.
std::string hidden_by_mounting(const std::string& mountpoint);

}  // namespace zkv::unlock
