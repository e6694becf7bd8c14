#include "reader.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string_view>
#include <utility>

#include "error.h"

namespace openke {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

std::string_view trimmed(std::string_view line) {
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  while (!line.empty() && is_blank(line.front())) line.remove_prefix(1);
  return line;
}

// The text in quotes, short and on one line, to show in a message.
std::string quoted(std::string_view found) {
  constexpr std::size_t kShown = 60;
  std::string out = "'";
  for (const char c : found.substr(0, kShown)) {
    out += static_cast<unsigned char>(c) < ' ' || c == '\x7f' ? '?' : c;
  }
  return out + (found.size() > kShown ? "...'" : "'");
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
  std::ifstream file(place, std::ios::binary | std::ios::ate);
  const std::streamoff size = file ? static_cast<std::streamoff>(file.tellg()) : -1;
  if (size < 0) throw IoError(text(path, ": cannot be opened for reading"));
  std::string content(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(content.data(), size);
  if (!file)
    throw IoError(text(path, ": reading stopped after ", file.gcount(), " of ", size, " bytes"));
  return content;
}

// The lines of a file, in order, without blanks around them.
class Lines {
 public:
  explicit Lines(const std::string& path) : path_(path), content_(read_file(path)) {
    std::string_view rest = content_;
    if (rest.substr(0, 3) == "\xef\xbb\xbf") rest.remove_prefix(3);
    while (!rest.empty() && (is_blank(rest.back()) || rest.back() == '\n')) rest.remove_suffix(1);
    rest_ = rest;
    more_ = !rest.empty();
  }

  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  bool next(std::string_view& line) {
    if (!more_) return false;
    const std::size_t end = rest_.find('\n');
    more_ = end != std::string_view::npos;
    line = trimmed(rest_.substr(0, end));
    if (more_) rest_.remove_prefix(end + 1);
    ++number_;
    return true;
  }

  // Lines not read yet.
  int64_t left() const {
    return more_ ? 1 + static_cast<int64_t>(std::count(rest_.begin(), rest_.end(), '\n')) : 0;
  }

  int64_t number() const { return number_; }

  [[noreturn]] void fail(const std::string& found, const std::string& expected) const {
    fail_at(number_, found, expected);
  }

  [[noreturn]] void fail_at(int64_t number, const std::string& found,
                            const std::string& expected) const {
    throw InvalidInput(text(path_, ":", number, ": found ", found, ", expected ", expected));
  }

  // Complains about the row count, or about an empty line among the rows that explains it.
  [[noreturn]] void fail_count(int64_t count, int64_t rows) {
    std::string_view line;
    while (next(line)) {
      if (line.empty()) fail("an empty line", text("one of ", count, " rows"));
    }
    fail_at(1, text("a count of ", count),
            text(rows, ": the file has ", rows, " rows after its first line"));
  }

 private:
  std::string path_;
  std::string content_;
  std::string_view rest_;
  int64_t number_ = 0;
  bool more_ = false;
};

enum class Number { kFine, kNotANumber, kNegative, kTooLarge };

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

int64_t read_count(Lines& lines, const std::string& what) {
  std::string_view line;
  if (!lines.next(line)) {
    lines.fail_at(1, "an empty file", text("the number of ", what));
  }
  int64_t count = 0;
  switch (parse(line, count)) {
    case Number::kFine:
      return count;
    case Number::kTooLarge:
      lines.fail(quoted(line), text("at most ", kMaxCount, " ", what));
    default:
      lines.fail(quoted(line), text("the number of ", what));
  }
}

// An id of a vocabulary; `what` it is shows in the message.
int32_t read_id(const Lines& lines, std::string_view field, const std::string& what,
                const Vocabulary& vocabulary) {
  int64_t id = -1;
  switch (parse(field, id)) {
    case Number::kNotANumber:
      lines.fail(text(what, " ", quoted(field)), "a whole number: " + vocabulary.range());
    case Number::kNegative:
    case Number::kTooLarge:
      id = -1;
      break;
    case Number::kFine:
      break;
  }
  if (id < 0 || id >= vocabulary.count) {
    lines.fail(text(what, " ", field.size() > 20 ? quoted(field) : std::string(field)),
               vocabulary.range());
  }
  return static_cast<int32_t>(id);
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

bool continues(std::string_view bytes, std::size_t at, std::size_t length, unsigned char low,
               unsigned char high) {
  if (at + length > bytes.size()) return false;
  for (std::size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at + i]);
    if (byte < (i == 1 ? low : 0x80) || byte > (i == 1 ? high : 0xbf)) return false;
  }
  return true;
}

// Well-formed by table 3-7 of the Unicode standard, which is what Python decodes.
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

// Names by id, and the line of each, while a vocabulary is read.
struct Rows {
  std::vector<std::string_view> names;
  std::vector<int64_t> lines;
};

void read_name(const Lines& lines, std::string_view line, const Vocabulary& vocabulary,
               Rows& rows) {
  const std::string expected = "a name and an id";
  if (line.empty()) lines.fail("an empty line", expected);
  std::size_t gap = line.find_last_of('\t');
  if (gap == std::string_view::npos) gap = line.find_last_of(' ');
  if (gap == std::string_view::npos) lines.fail(quoted(line), expected);
  const std::string_view name = trimmed(line.substr(0, gap));
  if (!is_utf8(name)) lines.fail("a name that is not UTF-8", "a file encoded as UTF-8");
  const int32_t id = read_id(lines, trimmed(line.substr(gap + 1)), "id", vocabulary);
  const auto at = static_cast<std::size_t>(id);
  if (rows.lines[at] != 0) {
    lines.fail(text("id ", id, " again"),
               text("each id once: it is on line ", rows.lines[at], " already"));
  }
  rows.names[at] = name;
  rows.lines[at] = lines.number();
}

// Equal names have equal hashes: only names whose hash is met again are compared.
void check_distinct(const Lines& lines, const Rows& rows) {
  std::vector<std::pair<std::size_t, int64_t>> order;  // hash, id; met by line
  order.reserve(rows.names.size());
  for (std::size_t id = 0; id < rows.names.size(); ++id) {
    order.emplace_back(std::hash<std::string_view>{}(rows.names[id]), static_cast<int64_t>(id));
  }
  std::sort(order.begin(), order.end());
  for (std::size_t i = 1; i < order.size(); ++i) {
    for (std::size_t j = i; j-- > 0 && order[j].first == order[i].first;) {
      const auto a = static_cast<std::size_t>(order[i].second);
      const auto b = static_cast<std::size_t>(order[j].second);
      if (rows.names[a] != rows.names[b]) continue;
      const auto [first, second] = std::minmax(rows.lines[a], rows.lines[b]);
      lines.fail_at(second, text("the name ", quoted(rows.names[a]), " again"),
                    text("each name once: it is on line ", first, " already"));
    }
  }
}

void keep_names(const Rows& rows, Vocabulary& vocabulary) {
  vocabulary.named = true;
  vocabulary.offsets.reserve(rows.names.size() + 1);
  std::size_t total = 0;
  for (const std::string_view name : rows.names) total += name.size();
  vocabulary.names.reserve(total);
  vocabulary.offsets.push_back(0);
  for (const std::string_view name : rows.names) {
    vocabulary.names.append(name);
    vocabulary.offsets.push_back(static_cast<int64_t>(vocabulary.names.size()));
  }
}

// Three ids below 10^18 and nothing else; anything odd is left to explain_triple.
bool scan_triple(std::string_view line, std::array<int64_t, 3>& ids) {
  const char* at = line.data();
  const char* const end = at + line.size();
  for (int64_t& id : ids) {
    while (at != end && is_blank(*at)) ++at;
    const char* const start = at;
    id = 0;
    for (; at != end && *at >= '0' && *at <= '9'; ++at) {
      if (at - start >= 18) return false;
      id = id * 10 + (*at - '0');
    }
    if (at == start || (at != end && !is_blank(*at))) return false;
  }
  return at == end;
}

// The message for a line that is not a triple; or the triple, when it was only written oddly.
Triple explain_triple(const Lines& lines, std::string_view line, const Vocabulary& entities,
                      const Vocabulary& relations) {
  const std::vector<std::string_view> fields = split(line);
  if (fields.empty()) lines.fail("an empty line", "3 fields: head, tail and relation");
  if (fields.size() != 3) {
    lines.fail(
        text(fields.size(), fields.size() == 1 ? " field (" : " fields (", quoted(line), ")"),
        "3 fields: head, tail and relation");
  }
  const int32_t head = read_id(lines, fields[0], "head", entities);
  const int32_t tail = read_id(lines, fields[1], "tail", entities);
  return {head, read_id(lines, fields[2], "relation", relations), tail};
}

}  // namespace

std::string Vocabulary::range() const {
  return text("0 to ", count - 1, " (", source.empty() ? "there are " : source + " has ", count,
              " ", what, ")");
}

Vocabulary read_vocabulary(const std::string& path, const std::string& what) {
  Lines lines(path);
  Vocabulary vocabulary;
  vocabulary.what = what;
  vocabulary.path = path;
  vocabulary.source = std::filesystem::u8path(path).filename().u8string();
  vocabulary.count = read_count(lines, what);
  const int64_t rows = lines.left();
  if (vocabulary.count == 0) lines.fail_at(1, text("0 ", what), "at least 1");
  if (rows == 0) return vocabulary;
  if (rows != vocabulary.count) lines.fail_count(vocabulary.count, rows);
  Rows found;
  found.names.resize(static_cast<std::size_t>(rows));
  found.lines.resize(static_cast<std::size_t>(rows));
  std::string_view line;
  while (lines.next(line)) read_name(lines, line, vocabulary, found);
  check_distinct(lines, found);
  keep_names(found, vocabulary);
  return vocabulary;
}

void check_count(const Vocabulary& vocabulary, int64_t largest) {
  constexpr int64_t kSmall = 10000000;  // tables of so many rows fit any machine
  constexpr int64_t kTimes = 1000;
  if (vocabulary.path.empty() || vocabulary.named || vocabulary.count <= kSmall) return;
  if (vocabulary.count <= kTimes * (largest + 1)) return;
  throw InvalidInput(text(vocabulary.path, ":1: found a count of ", vocabulary.count, " ",
                          vocabulary.what, " without names, expected about ", largest + 1,
                          ": the largest id in the triples is ", largest,
                          "; write the right count, or list the names"));
}

std::vector<Triple> read_triples(const std::string& path, const Vocabulary& entities,
                                 const Vocabulary& relations) {
  Lines lines(path);
  const int64_t count = read_count(lines, "triples");
  const int64_t rows = lines.left();
  if (rows != count) lines.fail_count(count, rows);
  std::vector<Triple> triples;
  triples.reserve(static_cast<std::size_t>(rows));
  std::string_view line;
  std::array<int64_t, 3> ids{};
  while (lines.next(line)) {
    if (scan_triple(line, ids) && ids[0] < entities.count && ids[1] < entities.count &&
        ids[2] < relations.count) {
      triples.push_back({static_cast<int32_t>(ids[0]), static_cast<int32_t>(ids[2]),
                         static_cast<int32_t>(ids[1])});
    } else {
      triples.push_back(explain_triple(lines, line, entities, relations));
    }
  }
  return triples;
}

Admitted read_admitted(const std::string& path, const Vocabulary& entities,
                       const Vocabulary& relations) {
  Lines lines(path);
  const int64_t count = read_count(lines, "relations");
  if (count != relations.count) {
    lines.fail(text("a count of ", count), text(relations.count, ": ", relations.range()));
  }
  const int64_t rows = lines.left();
  if (rows != 2 * count) {
    lines.fail_at(1, text("a count of ", count, " with ", rows, " rows"),
                  text(2 * count, " rows: heads and tails of each relation"));
  }
  const auto size = static_cast<std::size_t>(count);
  Admitted admitted{std::vector<std::vector<int32_t>>(size),
                    std::vector<std::vector<int32_t>>(size)};
  std::vector<int64_t> seen(size);
  std::string_view line;
  for (int64_t row = 0; lines.next(line); ++row) {
    const std::vector<std::string_view> fields = split(line);
    if (fields.size() < 2) lines.fail(quoted(line), "a relation, a count and entities");
    const auto relation =
        static_cast<std::size_t>(read_id(lines, fields[0], "relation", relations));
    const bool tails = row % 2 == 1;
    if (!tails && seen[relation] != 0) {
      lines.fail(text("relation ", relation, " again"),
                 text("each relation once: it is on line ", seen[relation], " already"));
    }
    if (tails && seen[relation] != lines.number() - 1) {
      lines.fail(text("relation ", relation),
                 "the relation of the line before: heads come first, then tails");
    }
    seen[relation] = lines.number();
    int64_t listed = -1;
    if (parse(fields[1], listed) != Number::kFine ||
        listed != static_cast<int64_t>(fields.size()) - 2) {
      lines.fail(text("a count of ", quoted(fields[1])),
                 text(fields.size() - 2, ": the line lists so many entities"));
    }
    std::vector<int32_t>& ids = (tails ? admitted.tails : admitted.heads)[relation];
    ids.reserve(fields.size() - 2);
    for (std::size_t i = 2; i < fields.size(); ++i) {
      ids.push_back(read_id(lines, fields[i], "entity", entities));
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  }
  return admitted;
}

}  // namespace openke
