// Ranks as counts: how many candidates score greater than the answer, and how many equal to it.

#ifndef OPENKE_RANKER_H
#define OPENKE_RANKER_H

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "reader.h"
#include "triple_store.h"

namespace openke {

// The entities that each relation admits as head and as tail.
class TypeConstraint {
 public:
  // Those seen with the relation in the splits of the mask.
  static TypeConstraint from_store(const TripleStore& store, int32_t split_mask);

  TypeConstraint(Admitted admitted, int64_t entities)
      : admitted_(std::move(admitted)), entities_(entities) {}

  const std::vector<int32_t>& allowed(int32_t slot, int64_t relation) const;
  int64_t relations() const { return static_cast<int64_t>(admitted_.heads.size()); }
  int64_t entities() const { return entities_; }

 private:
  Admitted admitted_;
  int64_t entities_;
};

// n queries about one slot, and the scores of all candidates for each; see openke_rank.
struct Queries {
  int32_t slot;
  int32_t split_mask;
  const float* scores;  // [score_rows][candidates]
  int64_t score_rows;
  const int64_t* row;     // [n]
  const int64_t* first;   // [n]
  const int64_t* second;  // [n]
  const int64_t* target;  // [n]
  int64_t n;
};

void rank(const TripleStore& store, const TypeConstraint* constraint, const Queries& queries,
          int threads, int64_t* greater, int64_t* equal);

// Throws unless value is an id of the vocabulary.
void check_id(const char* name, int64_t value, const Vocabulary& vocabulary);

// The vocabulary of the ids first and second of a query, and of its answers.
struct Domains {
  const Vocabulary* first;
  const Vocabulary* second;
  const Vocabulary* answer;
};
Domains domains(const TripleStore& store, int32_t slot);

}  // namespace openke

#endif  // OPENKE_RANKER_H
