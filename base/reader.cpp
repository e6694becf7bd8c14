#include "reader.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <functional>
#include <string_view>
#include <utility>

#include "error.h"

namespace openke {
namespace {

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
  if (name.find('\0') != std::string_view::npos) {
    lines.fail("a name with a NUL character", "names without");
  }
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
