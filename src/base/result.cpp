// The one maker of errors that needs the system's own texts.
#include "base/result.h"

#include <system_error>

namespace zkv {

Error Error::system(std::string message, int error_number) {
  return io(std::move(message) + ": " + std::generic_category().message(error_number));
}

}  // namespace zkv
