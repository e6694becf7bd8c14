// The files of a data set in OpenKE's format, checked line by line.
//
// Every error names file and line: `train2id.txt:7: found X, expected Y`. Byte order marks, CRLF,
// blanks at line ends and blank lines at the end of a file are accepted. Paths are UTF-8.

#ifndef OPENKE_READER_H
#define OPENKE_READER_H

#include <cstdint>
#include <string>
#include <vector>

#include "lines.h"

namespace openke {

struct Triple {
  int32_t head, relation, tail;
};

// The ids 0 .. count - 1 of the entities or relations, with their names where they are known.
struct Vocabulary {
  std::string what;    // "entities" or "relations"
  std::string source;  // the file that defines the ids, or empty
  std::string path;    // the same with its folders
  int64_t count = 0;
  bool named = false;
  std::string names;             // all names, one after the other
  std::vector<int64_t> offsets;  // [count + 1] into names

  // "0 to 4 (train.txt has 5 entities)": what a message expects of an id.
  std::string range() const;
};

// A count, then one `name id` per line; or a count alone. A name may hold blanks: the id is what
// follows the last tab, or the last blank where there is no tab.
Vocabulary read_vocabulary(const std::string& path, const std::string& what);

// Complains about a file that holds a count alone, one so far above the largest id in use that
// tables of that size would take all memory.
void check_count(const Vocabulary& vocabulary, int64_t largest);

// A count, then one `head tail relation` per line.
std::vector<Triple> read_triples(const std::string& path, const Vocabulary& entities,
                                 const Vocabulary& relations);

// The entities each relation admits, sorted, by relation.
struct Admitted {
  std::vector<std::vector<int32_t>> heads, tails;
};

// OpenKE's type_constrain.txt: a count of relations, then for each of them two lines
// `relation n id … id`, first its heads, then its tails.
Admitted read_admitted(const std::string& path, const Vocabulary& entities,
                       const Vocabulary& relations);

}  // namespace openke

#endif  // OPENKE_READER_H
