// Does what UndefinedBehaviorSanitizer traps at.
#include <cstdlib>
#include <limits>

int main(int argc, char** /*argv*/) {
  int most = std::numeric_limits<int>::max();
  most += argc;
  return most == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
