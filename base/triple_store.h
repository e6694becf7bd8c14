// An immutable set of triples in three splits, with the known answers to every query.

#ifndef OPENKE_TRIPLE_STORE_H
#define OPENKE_TRIPLE_STORE_H

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "reader.h"

namespace openke {

constexpr int kSplits = 3;

// Distinct triples in the order of their first row, and how many rows each had.
struct Split {
  std::vector<Triple> triples;
  std::vector<int32_t> multiplicity;
  int64_t rows = 0;

  int64_t size() const { return static_cast<int64_t>(triples.size()); }
};

// The answers to one query: first those in the train split, sorted, then the others, sorted.
struct Answers {
  const int32_t* ids = nullptr;
  const uint8_t* splits = nullptr;  // bit 1 << split for each split that has the triple
  int64_t count = 0;
  int64_t train = 0;

  bool in_train(int32_t id) const;
};

// (first, second) -> answers, where slot says which part of a triple is the answer: compressed rows
// by first id, in each the second ids in order, each with its answers.
class AnswerIndex {
 public:
  AnswerIndex(const std::array<Split, kSplits>& splits, int32_t slot, int64_t first_count);

  Answers find(int64_t first, int64_t second) const;

  // Most train answers any query has.
  int64_t most_train() const { return most_train_; }

  // Calls f(second, train answers) for every query that has answers.
  template <class F>
  void for_each(F f) const {
    for (std::size_t i = 0; i < second_.size(); ++i) f(second_[i], train_[i]);
  }

 private:
  template <class Key>
  void build(const std::array<Split, kSplits>& splits, int64_t first_count, Key key);

  std::vector<int64_t> queries_;  // [first_count + 1] into second_
  std::vector<int32_t> second_;   // [queries]
  std::vector<int64_t> begin_;    // [queries + 1] into answers_
  std::vector<int32_t> train_;    // [queries] train answers
  std::vector<int32_t> answers_;
  std::vector<uint8_t> splits_;
  int64_t most_train_ = 0;
};

class TripleStore {
 public:
  using Names = std::shared_ptr<const Vocabulary>;
  TripleStore(Names entities, Names relations, std::array<Split, kSplits> splits);

  // From rows whose ids are in range.
  static std::shared_ptr<const TripleStore> from_rows(
      Vocabulary entities, Vocabulary relations, std::array<std::vector<Triple>, kSplits> rows);

  TripleStore(const TripleStore&) = delete;
  TripleStore& operator=(const TripleStore&) = delete;

  // The store whose valid split is a random part of this one's train split (see c_api.h).
  std::shared_ptr<const TripleStore> hold_out(double fraction, uint64_t seed) const;

  const Vocabulary& entities() const { return *entities_; }
  const Vocabulary& relations() const { return *relations_; }
  const Split& split(int index) const { return splits_[static_cast<std::size_t>(index)]; }

  // (tail, relation) -> heads, (head, tail) -> relations, (head, relation) -> tails by slot of the
  // answer. Relations are indexed when first asked for: few uses need them.
  const AnswerIndex& answers(int32_t slot) const;

  // Mean number of tails per (head, relation) and heads per (relation, tail) in train.
  void relation_statistics(double* tails_per_head, double* heads_per_tail) const;

 private:
  Names entities_;
  Names relations_;
  std::array<Split, kSplits> splits_;
  AnswerIndex heads_;
  AnswerIndex tails_;
  mutable std::once_flag relations_once_;
  mutable std::unique_ptr<const AnswerIndex> relation_index_;
};

}  // namespace openke

#endif  // OPENKE_TRIPLE_STORE_H
