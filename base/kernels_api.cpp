// The score kernels at the border of the ABI: every argument is checked here, once.

#include <cstdint>
#include <type_traits>

#include "c_api.h"
#include "checks.h"
#include "error.h"
#include "kernels.h"

namespace {

using openke::check_array;
using openke::check_product;
using openke::check_size;
using openke::require;

void check_compare(const openke_compare* compare) {
  openke::require_pointer(compare, "compare");
  const openke_compare& x = *compare;
  require(x.kind >= OPENKE_DOT && x.kind <= OPENKE_COMPLEX, "kind is ", x.kind,
          "; expected 0 (dot), 1 (L1), 2 (L2) or 3 (complex)");
  require(x.type == OPENKE_FLOAT32 || x.type == OPENKE_FLOAT64, "type is ", x.type,
          "; expected 0 (float32) or 1 (float64)");
  check_size(x.queries, "queries");
  check_size(x.candidates, "candidates");
  check_size(x.dim, "dim");
  require(
      x.kind != OPENKE_COMPLEX || x.dim % 2 == 0, "dim is ", x.dim,
      "; complex vectors hold real parts, then as many imaginary parts: expected an even number");
  check_product(x.queries, x.dim, "query values");
  check_product(x.candidates, x.dim, "table values");
  check_array(x.query, x.queries * x.dim, "query");
  check_array(x.table, x.candidates * x.dim, "table");
  const bool gated = x.gate != nullptr || x.modal != nullptr;
  if (gated) {
    require(x.gate != nullptr || x.queries == 0, "modal is given without gate; expected both");
    require(x.modal != nullptr || x.candidates * x.dim == 0,
            "gate is given without modal; expected both");
  }
}

void check_index(const int64_t* index, int64_t pairs, int64_t rows, const char* name) {
  check_array(index, pairs, name);
  for (int64_t i = 0; i < pairs; ++i) {
    require(index[i] >= 0 && index[i] < rows, name, "[", i, "] is ", index[i], "; expected 0 to ",
            rows - 1);
  }
}

openke::Pairs check_pairs(const openke_compare& compare, const int64_t* query_index,
                          const int64_t* candidate_index, int64_t pairs, int64_t vectors) {
  check_size(pairs, "pairs");
  require(vectors >= 1 && compare.queries % vectors == 0, "vectors is ", vectors, " with ",
          compare.queries, " query vectors; expected 1 or more that divide them");
  check_index(query_index, pairs, compare.queries / vectors, "query_index");
  check_index(candidate_index, pairs, compare.candidates, "candidate_index");
  return {query_index, candidate_index, pairs, vectors};
}

void check_gradient(const openke_compare& compare, const openke_compare_gradient* out) {
  openke::require_pointer(out, "out");
  require(compare.gate != nullptr || compare.modal != nullptr ||
              (out->gate == nullptr && out->modal == nullptr),
          "gradients of modal and gate are wanted, but the comparison has neither");
}

template <class Real>
openke::Comparison<Real> typed(const openke_compare& x) {
  return {x.kind,
          x.queries,
          x.candidates,
          x.dim,
          static_cast<const Real*>(x.query),
          static_cast<const Real*>(x.table),
          static_cast<const Real*>(x.modal),
          static_cast<const Real*>(x.gate)};
}

template <class Real>
openke::Gradient<Real> typed(const openke_compare_gradient& out) {
  return {static_cast<Real*>(out.query), static_cast<Real*>(out.table),
          static_cast<Real*>(out.modal), static_cast<Real*>(out.gate)};
}

// Calls f with a null pointer to the type of the call's reals.
template <class F>
void with_type(const openke_compare& compare, F f) {
  if (compare.type == OPENKE_FLOAT32) {
    f(static_cast<float*>(nullptr));
  } else {
    f(static_cast<double*>(nullptr));
  }
}

}  // namespace

openke_status openke_compare_pairs(const openke_compare* compare, const int64_t* query_index,
                                   const int64_t* candidate_index, int64_t pairs, int64_t vectors,
                                   int32_t threads, void* out) {
  return openke::guarded([&] {
    check_compare(compare);
    const openke::Pairs checked =
        check_pairs(*compare, query_index, candidate_index, pairs, vectors);
    check_array(out, pairs, "out");
    with_type(*compare, [&](auto* type) {
      using Real = std::remove_pointer_t<decltype(type)>;
      openke::compare_pairs(typed<Real>(*compare), checked, threads, static_cast<Real*>(out));
    });
  });
}

openke_status openke_compare_pairs_backward(const openke_compare* compare,
                                            const int64_t* query_index,
                                            const int64_t* candidate_index, int64_t pairs,
                                            int64_t vectors, const void* grad, int32_t threads,
                                            const openke_compare_gradient* out) {
  return openke::guarded([&] {
    check_compare(compare);
    const openke::Pairs checked =
        check_pairs(*compare, query_index, candidate_index, pairs, vectors);
    check_array(grad, pairs, "grad");
    check_gradient(*compare, out);
    with_type(*compare, [&](auto* type) {
      using Real = std::remove_pointer_t<decltype(type)>;
      openke::compare_pairs_backward(typed<Real>(*compare), checked, static_cast<const Real*>(grad),
                                     threads, typed<Real>(*out));
    });
  });
}

openke_status openke_compare_all(const openke_compare* compare, int32_t threads, void* out) {
  return openke::guarded([&] {
    check_compare(compare);
    check_product(compare->queries, compare->candidates, "scores");
    check_array(out, compare->queries * compare->candidates, "out");
    with_type(*compare, [&](auto* type) {
      using Real = std::remove_pointer_t<decltype(type)>;
      openke::compare_all(typed<Real>(*compare), threads, static_cast<Real*>(out));
    });
  });
}

openke_status openke_compare_all_backward(const openke_compare* compare, const void* grad,
                                          int32_t threads, const openke_compare_gradient* out) {
  return openke::guarded([&] {
    check_compare(compare);
    check_product(compare->queries, compare->candidates, "scores");
    check_array(grad, compare->queries * compare->candidates, "grad");
    check_gradient(*compare, out);
    with_type(*compare, [&](auto* type) {
      using Real = std::remove_pointer_t<decltype(type)>;
      openke::compare_all_backward(typed<Real>(*compare), static_cast<const Real*>(grad), threads,
                                   typed<Real>(*out));
    });
  });
}

openke_status openke_kernel_isa(const char** out) {
  return openke::guarded([&] {
    openke::require_pointer(out, "out");
    *out = openke::kernel_isa();
  });
}
