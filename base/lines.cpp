#include "lines.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>

#include "error.h"

namespace openke {
namespace {

std::FILE* open_file(const std::filesystem::path& place) {
#if defined(_WIN32)
  return _wfopen(place.c_str(), L"rb");
#else
  return std::fopen(place.c_str(), "rb");
#endif
}

std::string read_file(const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path place = fs::u8path(path);
  std::error_code code;
  const fs::file_status status = fs::status(place, code);
  if (status.type() == fs::file_type::not_found) {
    throw NotFound(text(path, ": found no such file"));
  }
  if (fs::is_directory(status)) throw IoError(text(path, ": found a directory, expected a file"));
  const std::uintmax_t size = fs::file_size(place, code);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(code ? nullptr : open_file(place),
                                                             std::fclose);
  if (!file) throw IoError(text(path, ": cannot be opened for reading"));
  std::string content(static_cast<std::size_t>(size), '\0');
  const std::size_t read = std::fread(content.data(), 1, content.size(), file.get());
  if (read < content.size()) {
    throw IoError(text(path, ": reading stopped after ", read, " of ", size, " bytes"));
  }
  return content;
}

bool continues(std::string_view bytes, std::size_t at, std::size_t length, unsigned char low,
               unsigned char high) {
  if (at + length > bytes.size()) return false;
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + i]);
    if (byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xbf)) return false;
  }
  return true;
}

}  // namespace

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

std::vector<std::string_view> split(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!(line = trimmed(line)).empty()) {
    const auto end = std::find_if(line.begin(), line.end(), is_blank);
    const auto length = static_cast<std::size_t>(end - line.begin());
    fields.push_back(line.substr(0, length));
    line.remove_prefix(length);
  }
  return fields;
}

std::string quoted(std::string_view found) {
  constexpr std::size_t kShown = 60;
  std::string out = "'";
  for (const char c : found.substr(0, kShown)) {
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  }
  return out + (found.size() > kShown ? "...'" : "'");
}

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const auto lead = static_cast<unsigned char>(bytes[at]);
    std::size_t length = 1;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (lead >= 0x80) {
      if (lead < 0xc2 || lead > 0xf4) return false;
      length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      if (lead == 0xe0) low = 0xa0;
      if (lead == 0xed) high = 0x9f;
      if (lead == 0xf0) low = 0x90;
      if (lead == 0xf4) high = 0x8f;
      if (!continues(bytes, at, length, low, high)) return false;
    }
    at += length;
  }
  return true;
}

Number parse(std::string_view field, int64_t& out) {
  const bool negative = !field.empty() && field.front() == '-';
  if (negative) field.remove_prefix(1);
  if (field.empty()) return Number::kNotANumber;
  int64_t value = 0;
  for (const char c : field) {
    if (c < '0' || c > '9') return Number::kNotANumber;
    // Stays above the limit once there, so that it never overflows.
    if (value <= kMaxCount) value = value * 10 + (c - '0');
  }
  if (negative) return Number::kNegative;
  if (value > kMaxCount) return Number::kTooLarge;
  out = value;
  return Number::kFine;
}

Lines::Lines(const std::string& path) : path_(path), content_(read_file(path)) {
  std::string_view rest = content_;
  if (rest.substr(0, 3) == "\xef\xbb\xbf") rest.remove_prefix(3);
  while (!rest.empty() && (is_blank(rest.back()) || rest.back() == '\n')) rest.remove_suffix(1);
  rest_ = rest;
  more_ = !rest.empty();
}

bool Lines::next(std::string_view& line) {
  if (!more_) return false;
  const std::size_t end = rest_.find('\n');
  more_ = end != std::string_view::npos;
  line = trimmed(rest_.substr(0, end));
  if (more_) rest_.remove_prefix(end + 1);
  ++number_;
  return true;
}

int64_t Lines::left() const {
  return more_ ? 1 + static_cast<int64_t>(std::count(rest_.begin(), rest_.end(), '\n')) : 0;
}

void Lines::fail(const std::string& found, const std::string& expected) const {
  fail_at(number_, found, expected);
}

void Lines::fail_at(int64_t number, const std::string& found, const std::string& expected) const {
  throw InvalidInput(text(path_, ":", number, ": found ", found, ", expected ", expected));
}

void Lines::fail_count(int64_t count, int64_t rows) {
  std::string_view line;
  while (next(line)) {
    if (line.empty()) fail("an empty line", text("one of ", count, " rows"));
  }
  fail_at(1, text("a count of ", count),
          text(rows, ": the file has ", rows, " rows after its first line"));
}

}  // namespace openke
