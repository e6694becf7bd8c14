// The ABI of type constraints and the ranker: checks pointers and numbers, calls the core.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "c_api.h"
#include "error.h"
#include "handles.h"
#include "ranker.h"
#include "reader.h"
#include "triple_store.h"

struct openke_constraint {
  openke::TypeConstraint constraint;
};

namespace {

using openke::check_mask;
using openke::guarded;
using openke::require;
using openke::require_pointer;
using openke::store_of;
using openke::TripleStore;

}  // namespace

openke_status openke_constraint_from_store(const openke_store* store, int32_t split_mask,
                                           openke_constraint** out) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    check_mask(split_mask);
    require_pointer(out, "out");
    *out = std::make_unique<openke_constraint>(
               openke_constraint{openke::TypeConstraint::from_store(triples, split_mask)})
               .release();
  });
}

openke_status openke_constraint_read(const openke_store* store, const char* path,
                                     openke_constraint** out) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    require_pointer(path, "path");
    require_pointer(out, "out");
    openke::TypeConstraint constraint(
        openke::read_admitted(path, triples.entities(), triples.relations()),
        triples.entities().count);
    *out = std::make_unique<openke_constraint>(openke_constraint{std::move(constraint)}).release();
  });
}

openke_status openke_constraint_allowed(const openke_constraint* constraint, int32_t slot,
                                        int64_t relation, int64_t* out, int64_t* count) {
  return guarded([&] {
    require_pointer(constraint, "constraint");
    const openke::TypeConstraint& types = constraint->constraint;
    require(slot == OPENKE_HEAD || slot == OPENKE_TAIL, "slot is ", slot,
            "; expected 0 (head) or 2 (tail)");
    require(relation >= 0 && relation < types.relations(), "relation is ", relation,
            "; expected 0 to ", types.relations() - 1);
    require_pointer(count, "count");
    const std::vector<int32_t>& ids = types.allowed(slot, relation);
    if (out != nullptr) std::copy(ids.begin(), ids.end(), out);
    *count = static_cast<int64_t>(ids.size());
  });
}

openke_status openke_constraint_free(openke_constraint* constraint) {
  return guarded([&] { const std::unique_ptr<openke_constraint> owner(constraint); });
}

openke_status openke_rank(const openke_store* store, int32_t slot, int32_t split_mask,
                          const openke_constraint* constraint, const float* scores,
                          int64_t score_rows, const int64_t* row, const int64_t* first,
                          const int64_t* second, const int64_t* target, int64_t n, int32_t threads,
                          int64_t* greater, int64_t* equal) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    check_mask(split_mask);
    if (n > 0) {
      require_pointer(scores, "scores");
      require_pointer(row, "row");
      require_pointer(first, "first");
      require_pointer(second, "second");
      require_pointer(target, "target");
      require_pointer(greater, "greater");
      require_pointer(equal, "equal");
    }
    openke::rank(triples, constraint == nullptr ? nullptr : &constraint->constraint,
                 {slot, split_mask, scores, score_rows, row, first, second, target, n}, threads,
                 greater, equal);
  });
}
