#include <string>

#include "check.h"
#include "error.h"
#include "reader.h"

using check::Folder;
using check::thrown;
using openke::InvalidInput;
using openke::read_vocabulary;
using openke::Triple;
using openke::Vocabulary;

namespace {

std::string name_of(const Vocabulary& vocabulary, int64_t id) {
  const auto at = static_cast<std::size_t>(id);
  const int64_t begin = vocabulary.offsets[at];
  return vocabulary.names.substr(static_cast<std::size_t>(begin),
                                 static_cast<std::size_t>(vocabulary.offsets[at + 1] - begin));
}

Vocabulary ids(const char* what, int64_t count) {
  Vocabulary vocabulary;
  vocabulary.what = what;
  vocabulary.source = std::string(what) + ".txt";
  vocabulary.count = count;
  return vocabulary;
}

std::string vocabulary_error(const std::string& content) {
  const Folder folder;
  const std::string path = folder.write("names.txt", content);
  return thrown<InvalidInput>([&] { read_vocabulary(path, "entities"); });
}

std::vector<Triple> triples(const std::string& content) {
  const Folder folder;
  return openke::read_triples(folder.write("train.txt", content), ids("entities", 10),
                              ids("relations", 3));
}

std::string triples_error(const std::string& content) {
  return thrown<InvalidInput>([&] { triples(content); });
}

std::string admitted_error(const std::string& content) {
  const Folder folder;
  const std::string path = folder.write("type_constrain.txt", content);
  return thrown<InvalidInput>(
      [&] { openke::read_admitted(path, ids("entities", 5), ids("relations", 2)); });
}

}  // namespace

TEST(names_are_kept_by_id) {
  const Folder folder;
  const Vocabulary names =
      read_vocabulary(folder.write("e.txt", "3\nb\t1\na c\t0\nlast one 2\n"), "entities");
  CHECK(names.count == 3 && names.named && names.source == "e.txt");
  CHECK(name_of(names, 0) == "a c" && name_of(names, 1) == "b" && name_of(names, 2) == "last one");
}

TEST(marks_blanks_and_line_ends_are_accepted) {
  const Folder folder;
  const std::string path =
      folder.write("e.txt", "\xef\xbb\xbf 2 \r\n  a b \t 1\t\r\n\xc3\xa9\t0 \r\n \r\n\n");
  const Vocabulary names = read_vocabulary(path, "entities");
  CHECK(names.count == 2 && name_of(names, 0) == "\xc3\xa9" && name_of(names, 1) == "a b");
  const std::vector<Triple> rows = triples(
      "\xef\xbb\xbf"
      "2\r\n 1\t2 0 \r\n00000000000000000000007  8\t1\r\n\r\n");
  CHECK(rows.size() == 2 && rows[0].head == 1 && rows[0].tail == 2 && rows[0].relation == 0);
  CHECK(rows[1].head == 7 && rows[1].tail == 8 && rows[1].relation == 1);
  CHECK(triples("0").empty());
}

TEST(a_count_alone_is_a_vocabulary) {
  const Folder folder;
  const Vocabulary names = read_vocabulary(folder.write("e.txt", "12\n"), "entities");
  CHECK(names.count == 12 && !names.named);
}

TEST(a_count_alone_is_held_against_the_ids_in_use) {
  const Folder folder;
  const auto counted = [&](const std::string& content) {
    return read_vocabulary(folder.write("e.txt", content), "entities");
  };
  CHECK_CONTAINS(thrown<InvalidInput>([&] { openke::check_count(counted("2000000000\n"), 59); }),
                 folder.path("e.txt") +
                     ":1: found a count of 2000000000 entities without names, expected "
                     "about 60: the largest id in the triples is 59; write the right "
                     "count, or list the names");
  CHECK_CONTAINS(thrown<InvalidInput>([&] { openke::check_count(counted("10000001"), 9999); }),
                 "expected about 10000:");
  openke::check_count(counted("10000000"), 0);
  openke::check_count(counted("10000001"), 10000);
  openke::check_count(ids("entities", 2000000000), 59);  // not of a file
  Vocabulary named = counted("2000000000");
  named.named = true;
  openke::check_count(named, 59);
}

TEST(malformed_names_are_named_by_line) {
  CHECK_CONTAINS(vocabulary_error(""),
                 "names.txt:1: found an empty file, expected the number of entities");
  CHECK_CONTAINS(vocabulary_error("a\t0\n"),
                 "names.txt:1: found 'a?0', expected the number of entities");
  CHECK_CONTAINS(vocabulary_error("0\n"), "names.txt:1: found 0 entities, expected at least 1");
  CHECK_CONTAINS(vocabulary_error("-4\n"), "names.txt:1: found '-4', expected the number");
  CHECK_CONTAINS(vocabulary_error("2147483648\n"),
                 "names.txt:1: found '2147483648', expected at most 2147483647 entities");
  CHECK_CONTAINS(vocabulary_error("99999999999999999999999999\n"), "expected at most 2147483647");
  CHECK_CONTAINS(vocabulary_error("3\na\t0\nb\t1\n"),
                 "names.txt:1: found a count of 3, expected 2: the file has 2 rows");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\n\nb\t1\n"),
                 "names.txt:3: found an empty line, expected one of 2 rows");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\n\n\t\n x"), "names.txt:3: found an empty line");
  CHECK_CONTAINS(vocabulary_error("3\na\t0\n\nb\t1\n"),
                 "names.txt:3: found an empty line, expected a name and an id");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\nb\n"), "names.txt:3: found 'b', expected a name and");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\nb\tx\n"),
                 "names.txt:3: found id 'x', expected a whole number: 0 to 1 (names.txt has 2");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\nb\t2\n"), "names.txt:3: found id 2, expected 0 to 1");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\nb\t-1\n"), "names.txt:3: found id -1, expected 0 to 1");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\nb\t-\n"),
                 "names.txt:3: found id '-', expected a whole");
  CHECK_CONTAINS(vocabulary_error("2\na\t0\nb\t0\n"),
                 "names.txt:3: found id 0 again, expected each id once: it is on line 2 already");
  CHECK_CONTAINS(vocabulary_error("3\na\t0\nb\t1\na\t2\n"),
                 "names.txt:4: found the name 'a' again, expected each name once: it is on line 2");
  CHECK_CONTAINS(vocabulary_error("1\n" + std::string(500, 'x') + "\n"), "x...', expected a name");
}

TEST(names_have_no_nul) {
  CHECK_CONTAINS(vocabulary_error(std::string("1\na\0b\t0\n", 8)),
                 "names.txt:2: found a name with a NUL character, expected names without");
}

TEST(names_are_utf8) {
  for (const char* name : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
                           "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "caf\xe9", "\xe2\x82"}) {
    CHECK_CONTAINS(vocabulary_error(std::string("1\n") + name + "\t0\n"),
                   "names.txt:2: found a name that is not UTF-8, expected a file encoded as UTF-8");
  }
  const Folder folder;
  const std::string fine =
      "a\xc2\x80\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xf0\x90\x80\x80\xf4\x8f\xbf\xbf";
  CHECK(name_of(read_vocabulary(folder.write("e.txt", "1\n" + fine + " 0"), "entities"), 0) ==
        fine);
}

TEST(malformed_triples_are_named_by_line) {
  const std::string fields = ", expected 3 fields: head, tail and relation";
  CHECK_CONTAINS(triples_error("1\n1 2\n"), "train.txt:2: found 2 fields ('1 2')" + fields);
  CHECK_CONTAINS(triples_error("1\n1 2 0 0\n"), "train.txt:2: found 4 fields ('1 2 0 0')" + fields);
  CHECK_CONTAINS(triples_error("2\n1 2 0\n1,2,0\n"),
                 "train.txt:3: found 1 field ('1,2,0')" + fields);
  CHECK_CONTAINS(triples_error("3\n1 2 0\n\n1 2 0"), "train.txt:3: found an empty line" + fields);
  CHECK_CONTAINS(
      triples_error("1\n1 b 0\n"),
      "train.txt:2: found tail 'b', expected a whole number: 0 to 9 (entities.txt has 10");
  CHECK_CONTAINS(triples_error("1\n1.0 2 0\n"), "train.txt:2: found head '1.0', expected a whole");
  CHECK_CONTAINS(triples_error("1\n10 2 0\n"),
                 "train.txt:2: found head 10, expected 0 to 9 (entities.txt has 10 entities)");
  CHECK_CONTAINS(triples_error("1\n1 -2 0\n"), "train.txt:2: found tail -2, expected 0 to 9");
  CHECK_CONTAINS(triples_error("1\n1 2 3\n"),
                 "train.txt:2: found relation 3, expected 0 to 2 (relations.txt has 3 relations)");
  CHECK_CONTAINS(triples_error("1\n1 2 4294967296\n"),
                 "found relation 4294967296, expected 0 to 2");
  CHECK_CONTAINS(triples_error("1\n1 99999999999999999999999 1\n"),
                 "found tail '99999999999999999999999', expected 0 to 9");
  CHECK_CONTAINS(triples_error("2\n1 2 0\n"), "train.txt:1: found a count of 2, expected 1: the");
  CHECK_CONTAINS(triples_error("1 2 0\n1 2 0\n"),
                 "train.txt:1: found '1 2 0', expected the number of");
}

TEST(files_that_cannot_be_read_are_named) {
  const Folder folder;
  CHECK_CONTAINS(thrown<openke::NotFound>([&] { read_vocabulary(folder.path("no"), "entities"); }),
                 folder.path("no") + ": found no such file");
  CHECK_CONTAINS(thrown<openke::IoError>([&] { read_vocabulary(folder.path(""), "entities"); }),
                 "found a directory, expected a file");
}

TEST(type_constraints_are_read) {
  const Folder folder;
  const openke::Admitted admitted =
      openke::read_admitted(folder.write("t.txt", "2\n1 3 4 0 4\n1\t0\n0\t1\t2\n0 2 3 1\n"),
                            ids("entities", 5), ids("relations", 2));
  CHECK(admitted.heads[1] == std::vector<int32_t>{0, 4} && admitted.tails[1].empty());
  CHECK(admitted.heads[0] == std::vector<int32_t>{2});
  CHECK(admitted.tails[0] == std::vector<int32_t>{1, 3});
}

TEST(malformed_type_constraints_are_named_by_line) {
  CHECK_CONTAINS(admitted_error("3\n"), "type_constrain.txt:1: found a count of 3, expected 2:");
  CHECK_CONTAINS(admitted_error("2\n0 0\n0 0\n1 0\n"),
                 "type_constrain.txt:1: found a count of 2 with 3 rows, expected 4 rows");
  CHECK_CONTAINS(admitted_error("2\n0 0\n1 0\n1 0\n0 0\n"),
                 ":3: found relation 1, expected the relation of the line before");
  CHECK_CONTAINS(admitted_error("2\n0 0\n0 0\n0 0\n0 0\n"),
                 ":4: found relation 0 again, expected each relation once: it is on line 3");
  CHECK_CONTAINS(admitted_error("2\n0 2 1\n0 0\n1 0\n1 0\n"),
                 ":2: found a count of '2', expected 1:");
  CHECK_CONTAINS(admitted_error("2\n0 x 1\n0 0\n1 0\n1 0\n"),
                 ":2: found a count of 'x', expected 1:");
  CHECK_CONTAINS(admitted_error("2\n0\n0 0\n1 0\n1 0\n"), ":2: found '0', expected a relation, a");
  CHECK_CONTAINS(admitted_error("2\n0 1 5\n0 0\n1 0\n1 0\n"),
                 ":2: found entity 5, expected 0 to 4");
  CHECK_CONTAINS(admitted_error("2\n0 0\n0 0\n2 0\n2 0\n"),
                 ":4: found relation 2, expected 0 to 1");
}
