// The ABI's last error and version; its other functions stand beside what they call: *_api.cpp.

#include "c_api.h"

#include <cstdint>

#include "error.h"

const char* openke_last_error(void) { return openke::last_error().c_str(); }

openke_status openke_abi_version(int32_t* out) {
  return openke::guarded([&] {
    openke::require_pointer(out, "out");
    *out = OPENKE_ABI_VERSION;
  });
}
