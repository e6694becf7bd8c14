// What can go wrong, as exceptions inside the core and as status codes at its border.

#ifndef OPENKE_ERROR_H
#define OPENKE_ERROR_H

#include <cstdio>
#include <exception>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>

#include "c_api.h"

namespace openke {

// A bad value or a malformed file: the caller can mend it.
struct InvalidInput : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A file that is not there.
struct NotFound : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// A file that is there and cannot be read.
struct IoError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Appends a part of a message. The core has no iostreams: these look up a locale at run time, and
// crash where the process holds a second copy of the C++ library whose locales they meet.
template <class Part>
void append(std::string& out, const Part& part) {
  static_assert(!std::is_enum_v<Part>, "an enumerator would be appended as a character");
  if constexpr (std::is_floating_point_v<Part>) {
    char digits[32] = "";  // %g writes 13 characters at most
    std::snprintf(digits, sizeof digits, "%g", static_cast<double>(part));
    for (char& c : digits) c = c == ',' ? '.' : c;  // whatever the locale of the process
    out += static_cast<const char*>(digits);
  } else if constexpr (std::is_integral_v<Part> && !std::is_same_v<Part, char>) {
    out += std::to_string(part);
  } else {
    out += part;
  }
}

// The parts, one after the other, as one text.
template <class... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (append(out, parts), ...);
  return out;
}

// Throws InvalidInput with the parts as its text unless the condition holds.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
  if (!condition) throw InvalidInput(text(parts...));
}

inline void require_pointer(const void* pointer, const char* name) {
  if (pointer == nullptr) throw InvalidInput(text(name, " is a null pointer"));
}

// The text of this thread's last failed call: the core's only state outside of handles.
inline std::string& last_error() {
  thread_local std::string last;
  return last;
}

inline openke_status fail(openke_status status, const char* message) noexcept {
  try {
    last_error() = message;
  } catch (...) {
    last_error().clear();  // no memory for the text: the status alone has to do
  }
  return status;
}

// Runs f at the border of the ABI: no exception passes, each becomes a status and a last error.
template <class F>
openke_status guarded(F f) noexcept {
  try {
    f();
    return OPENKE_OK;
  } catch (const InvalidInput& error) {
    return fail(OPENKE_INVALID, error.what());
  } catch (const NotFound& error) {
    return fail(OPENKE_NOT_FOUND, error.what());
  } catch (const IoError& error) {
    return fail(OPENKE_IO, error.what());
  } catch (const std::bad_alloc&) {
    return fail(OPENKE_NO_MEMORY, "not enough memory");
  } catch (const std::length_error&) {  // what a vector throws when asked for more than it can hold
    return fail(OPENKE_NO_MEMORY, "not enough memory");
  } catch (const std::exception& error) {
    return fail(OPENKE_INTERNAL, error.what());
  } catch (...) {
    return fail(OPENKE_INTERNAL, "unknown exception");
  }
}

}  // namespace openke

#endif  // OPENKE_ERROR_H
