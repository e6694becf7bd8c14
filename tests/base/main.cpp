#include <exception>
#include <iostream>

#include "check.h"

int main() {
  int failures = 0;
  for (const check::Test& test : check::tests()) {
    try {
      test.run();
    } catch (const std::exception& error) {
      ++failures;
      std::cerr << "FAILED " << test.name << ": " << error.what() << "\n";
    }
  }
  std::cout << check::tests().size() << " tests of the core, " << failures << " failed\n";
  return failures == 0 ? 0 : 1;
}
