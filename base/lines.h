// A text file by its lines, the fields of a line, and errors that say where in the file they are.

#ifndef OPENKE_LINES_H
#define OPENKE_LINES_H

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace openke {

// Ids and row numbers are held as int32.
constexpr int64_t kMaxCount = std::numeric_limits<int32_t>::max();

// Between the fields of a line: a space, a tab, or the carriage return of CRLF.
inline bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view line);

// What stands between blanks.
std::vector<std::string_view> split(std::string_view line);

// The text in quotes, short and on one line, to show in a message.
std::string quoted(std::string_view found);

// Well-formed by table 3-7 of the Unicode standard, which is what Python decodes.
bool is_utf8(std::string_view bytes);

// Whether a field is a whole number from 0 to kMaxCount, which goes to `out`.
enum class Number { kFine, kNotANumber, kNegative, kTooLarge };
Number parse(std::string_view field, int64_t& out);

// The lines of a file, in order, without blanks around them.
class Lines {
 public:
  // Reads the whole file. A byte order mark, and blank lines at the end, are no lines of it.
  explicit Lines(const std::string& path);

  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  bool next(std::string_view& line);

  // Lines not read yet.
  int64_t left() const;

  // Of the line read last, from 1.
  int64_t number() const { return number_; }

  // Throws InvalidInput about the line read last, or about another one.
  [[noreturn]] void fail(const std::string& found, const std::string& expected) const;
  [[noreturn]] void fail_at(int64_t number, const std::string& found,
                            const std::string& expected) const;

  // Complains about the row count, or about an empty line among the rows that explains it.
  [[noreturn]] void fail_count(int64_t count, int64_t rows);

 private:
  std::string path_;
  std::string content_;
  std::string_view rest_;
  int64_t number_ = 0;
  bool more_ = false;
};

}  // namespace openke

#endif  // OPENKE_LINES_H
