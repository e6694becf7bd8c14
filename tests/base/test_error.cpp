#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "check.h"
#include "error.h"

namespace {

using openke::text;

TEST(messages_are_their_parts) {
  CHECK(text() == "");
  CHECK(text("a", ':', std::string("b"), std::string_view("cd").substr(1)) == "a:bd");
  CHECK(text(int64_t{0}, " ", std::numeric_limits<int64_t>::min()) == "0 -9223372036854775808");
  CHECK(text(std::numeric_limits<uint64_t>::max()) == "18446744073709551615");
}

TEST(messages_show_numbers_with_six_digits) {
  CHECK(text(2.5, " ", 0.1f, " ", 1.0, " ", -0.0) == "2.5 0.1 1 -0");
  CHECK(text(1.0 / 3, " ", 1e-5, " ", 1234567.0) == "0.333333 1e-05 1.23457e+06");
  CHECK(text(std::numeric_limits<double>::lowest()) == "-1.79769e+308");
  CHECK(text(std::nan(""), " ", -HUGE_VAL) == "nan -inf");
}

}  // namespace
