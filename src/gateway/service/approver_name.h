// What an approver may be called: people read it where they decide whom to trust.
#pragma once

#include <string>

namespace zkv::gateway {

/// 1 to 64 bytes of UTF-8 that show as they are: no control, direction or invisible character, no colon,
/// slash or quotation mark, no blank at an end.
bool is_approver_name(const std::string& name);

/// Two names that differ in case alone have the same.
std::string folded_name(const std::string& name);

}  // namespace zkv::gateway
