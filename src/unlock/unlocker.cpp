// The words for what became of volumes and filesystems.
#include "unlock/unlocker.h"

namespace zkv::unlock {

std::string_view to_text(Happened happened) {
  switch (happened) {
    case Happened::kOpened:
      return "opened";
    case Happened::kAlreadyOpen:
      return "already-open";
    case Happened::kKeyFits:
      return "key-fits";
    case Happened::kUntried:
      return "untried";
    case Happened::kServed:
      return "served";
    case Happened::kClosed:
      return "closed";
    case Happened::kAlreadyClosed:
      return "already-closed";
    case Happened::kWrongKey:
      return "wrong-key";
    case Happened::kUnusableKey:
      return "unusable-key";
    case Happened::kMissing:
      return "missing";
    case Happened::kPoolMissing:
      return "pool-missing";
    case Happened::kNotAVolume:
      return "not-a-volume";
    case Happened::kInterrupted:
      return "interrupted";
    case Happened::kFailed:
      break;
  }
  return "failed";
}

bool is_success(Happened happened) {
  switch (happened) {
    case Happened::kOpened:
    case Happened::kAlreadyOpen:
    case Happened::kKeyFits:
    case Happened::kUntried:
    case Happened::kServed:
    case Happened::kClosed:
    case Happened::kAlreadyClosed:
      return true;
    default:
      return false;
  }
}

std::string_view to_text(MountHappened happened) {
  switch (happened) {
    case MountHappened::kMounted:
      return "mounted";
    case MountHappened::kAlreadyMounted:
      return "already-mounted";
    case MountHappened::kUnmounted:
      return "unmounted";
    case MountHappened::kSkipped:
      return "skipped";
    case MountHappened::kInterrupted:
      return "interrupted";
    case MountHappened::kFailed:
      break;
  }
  return "failed";
}

bool is_success(MountHappened happened) {
  return happened != MountHappened::kFailed && happened != MountHappened::kInterrupted;
}

}  // namespace zkv::unlock
