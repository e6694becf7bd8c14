// The C ABI of the core: opaque handles, int32 status codes, trailing out arguments.
//
// Every function returns an openke_status. On anything but OPENKE_OK the outputs are untouched and
// openke_last_error() describes, in UTF-8 and for this thread, what was wrong and where.
// Ids are int64. Triples in memory are rows (head, relation, tail); files hold head tail relation.
// Handles are immutable once made and may be shared by threads. `threads` 0 means all processors.

#ifndef OPENKE_C_API_H
#define OPENKE_C_API_H

#include <stdint.h>

#if defined(_WIN32)
#if defined(OPENKE_BUILD)
#define OPENKE_API __declspec(dllexport)
#else
#define OPENKE_API __declspec(dllimport)
#endif
#else
#define OPENKE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define OPENKE_ABI_VERSION 2

typedef int32_t openke_status;
enum {
  OPENKE_OK = 0,
  OPENKE_INVALID = 1,    // bad value or malformed file: ValueError
  OPENKE_NOT_FOUND = 2,  // a file is not there: FileNotFoundError
  OPENKE_IO = 3,         // reading failed: OSError
  OPENKE_NO_MEMORY = 4,  // MemoryError
  OPENKE_INTERNAL = 5    // a bug in the core: RuntimeError
};

enum { OPENKE_TRAIN = 0, OPENKE_VALID = 1, OPENKE_TEST = 2 };
// Sets of splits are bit masks: 1 << split.

// A slot of a triple. As a query it is what is asked for, from the two others:
//   HEAD from (tail, relation), RELATION from (head, tail), TAIL from (head, relation).
enum { OPENKE_HEAD = 0, OPENKE_RELATION = 1, OPENKE_TAIL = 2, OPENKE_MIXED = 3 };

OPENKE_API const char* openke_last_error(void);
OPENKE_API openke_status openke_abi_version(int32_t* out);

// ---- triple store ---------------------------------------------------------------------------

typedef struct openke_store openke_store;

typedef struct {
  int64_t entities;
  int64_t relations;
  int64_t rows[3];     // rows of each split as given
  int64_t triples[3];  // distinct triples of each split
} openke_counts;

// Paths are UTF-8. valid and test may be NULL (an empty split).
OPENKE_API openke_status openke_store_open(const char* entity2id, const char* relation2id,
                                           const char* train2id, const char* valid2id,
                                           const char* test2id, openke_store** out);
// Each split: n rows of (head, relation, tail); a NULL pointer with n = 0 is an empty split.
OPENKE_API openke_status openke_store_from_triples(int64_t entities, int64_t relations,
                                                   const int64_t* train, int64_t n_train,
                                                   const int64_t* valid, int64_t n_valid,
                                                   const int64_t* test, int64_t n_test,
                                                   openke_store** out);
// A new store whose valid split is a random part of the train split of this one: at most
// floor(fraction * triples) triples, such that each of their entities and relations still occurs
// in the remaining train split. The test split stays; the old valid split is dropped.
OPENKE_API openke_status openke_store_hold_out(const openke_store* store, double fraction,
                                               uint64_t seed, openke_store** out);
OPENKE_API openke_status openke_store_free(openke_store* store);

OPENKE_API openke_status openke_store_counts(const openke_store* store, openke_counts* out);
// Distinct triples of a split in the order of their first row: int64[triples][3].
OPENKE_API openke_status openke_store_triples(const openke_store* store, int32_t split,
                                              int64_t* out);
// How many rows each distinct triple of the split had: int64[triples].
OPENKE_API openke_status openke_store_multiplicity(const openke_store* store, int32_t split,
                                                   int64_t* out);
// Names (kind: OPENKE_HEAD for entities, OPENKE_RELATION for relations) as one UTF-8 blob of
// *bytes bytes and count + 1 offsets, owned by the store; both NULL where the file held only a
// count.
OPENKE_API openke_status openke_store_names(const openke_store* store, int32_t kind,
                                            const char** blob, const int64_t** offsets);
// Train split: mean tails per (head, relation) and mean heads per (relation, tail),
// double[relations]; 0 for a relation without train triples.
OPENKE_API openke_status openke_store_relation_statistics(const openke_store* store,
                                                          double* tails_per_head,
                                                          double* heads_per_tail);
// Sorted answers to one query known in the splits of the mask. Two calls: with out = NULL only
// *count is written.
OPENKE_API openke_status openke_store_known(const openke_store* store, int32_t slot, int64_t first,
                                            int64_t second, int32_t split_mask, int64_t* out,
                                            int64_t* count);

// ---- sampler --------------------------------------------------------------------------------

typedef struct openke_sampler openke_sampler;

typedef struct {
  uint64_t seed;
  int64_t entity_negatives;    // per positive, or in the shared set
  int64_t relation_negatives;  // per positive; 0 when shared
  int32_t bernoulli;           // side of a mixed corruption by tph / (tph + hpt), else 1/2
  int32_t filtered;            // never draw a triple of the train split
  int32_t shared;              // one set of negatives for the whole batch
  int32_t one_slot;            // a mixed draw replaces the same slot in all negatives of a positive
} openke_sampler_options;

OPENKE_API openke_status openke_sampler_create(const openke_store* store,
                                               const openke_sampler_options* options,
                                               openke_sampler** out);
OPENKE_API openke_status openke_sampler_free(openke_sampler* sampler);

// The order in which an epoch visits the distinct train triples: a permutation, or as many draws
// with replacement. int64[triples of train]; a function of (seed, epoch) alone.
OPENKE_API openke_status openke_sampler_order(const openke_sampler* sampler, int64_t epoch,
                                              int32_t with_replacement, int64_t* out);
// Draws the batch of train rows rows[0..b), which are the positions first..first + b of the
// epoch's order. Output depends on (seed, epoch, position) alone, not on batch size or threads
// (a shared set: on (seed, epoch, first)). side: OPENKE_HEAD, OPENKE_TAIL or OPENKE_MIXED.
//   positive int64[b][3]
//   own negatives (k = entity_negatives + relation_negatives, entities first):
//     negative int64[b][k]  the id that replaces; slot uint8[b][k] the slot it replaces; mask NULL
//   shared negatives (k = entity_negatives):
//     negative int64[k]; slot uint8[b] one per positive; mask uint8[b][k] is 1 where the triple is
//     in the train split (all 0 when unfiltered)
OPENKE_API openke_status openke_sampler_draw(const openke_sampler* sampler, const int64_t* rows,
                                             int64_t b, int64_t epoch, int64_t first, int32_t side,
                                             int32_t threads, int64_t* positive, int64_t* negative,
                                             uint8_t* slot, uint8_t* mask);

// The distinct ids of ids[0..n), each in [0, bound), in increasing order, and the position of each
// of the n among them: distinct int64[min(n, bound)], of which *count are written; index int64[n].
OPENKE_API openke_status openke_distinct(const int64_t* ids, int64_t n, int64_t bound,
                                         int64_t* distinct, int64_t* index, int64_t* count);

// ---- optimisers and memory --------------------------------------------------------------------

// The gradient of n rows of a table [rows][dim]; all other rows have none.
typedef struct {
  int32_t type;  // OPENKE_FLOAT32 or OPENKE_FLOAT64, of every array of reals in the call
  int64_t rows;
  int64_t dim;
  int64_t n;
  const int64_t* ids;    // [n], increasing, each once
  const void* gradient;  // [n][dim]
} openke_row_gradient;

typedef struct {
  double lr;
  double beta1;
  double beta2;
  double epsilon;
  double weight_decay;
  int64_t step;  // from 1
  int32_t
      lazy;  // leave rows without gradient as they are; else Adam of the dense gradient, exactly
} openke_adam;

// One step of Adam: table, mean and square are [rows][dim].
OPENKE_API openke_status openke_adam_rows(const openke_row_gradient* gradient,
                                          const openke_adam* settings, int32_t threads, void* table,
                                          void* mean, void* square);
// One step of Adagrad: sum is [rows][dim] or, rowwise, [rows].
OPENKE_API openke_status openke_adagrad_rows(const openke_row_gradient* gradient, double rate,
                                             double epsilon, int32_t rowwise, int32_t threads,
                                             void* table, void* sum);

// Lets malloc keep freed arrays of up to 1 GiB for the next step instead of returning them to the
// system, for the whole process; *out is 1 where that is possible (glibc), else 0.
OPENKE_API openke_status openke_keep_memory(int32_t* out);

// ---- ranker ---------------------------------------------------------------------------------

// Which candidates a relation admits as head and as tail.
typedef struct openke_constraint openke_constraint;
OPENKE_API openke_status openke_constraint_from_store(const openke_store* store, int32_t split_mask,
                                                      openke_constraint** out);
OPENKE_API openke_status openke_constraint_read(const openke_store* store, const char* path,
                                                openke_constraint** out);
// Sorted entities that relation admits in slot (HEAD or TAIL); two calls as openke_store_known.
OPENKE_API openke_status openke_constraint_allowed(const openke_constraint* constraint,
                                                   int32_t slot, int64_t relation, int64_t* out,
                                                   int64_t* count);
OPENKE_API openke_status openke_constraint_free(openke_constraint* constraint);

// For each of n queries, how many candidates score greater than and how many equal to the target,
// the target itself left out, and so every candidate that is a known answer in a split of the mask
// (0: raw ranks) or that the constraint (may be NULL; not for RELATION) does not admit.
// scores float32[score_rows][candidates]; query i is (first[i], second[i]) as in
// openke_store_known, row[i] its row of scores and target[i] its answer. A NaN score among the
// row's candidates is OPENKE_INVALID.
OPENKE_API openke_status openke_rank(const openke_store* store, int32_t slot, int32_t split_mask,
                                     const openke_constraint* constraint, const float* scores,
                                     int64_t score_rows, const int64_t* row, const int64_t* first,
                                     const int64_t* second, const int64_t* target, int64_t n,
                                     int32_t threads, int64_t* greater, int64_t* equal);

// ---- score kernels --------------------------------------------------------------------------

// Similarity of a query vector q and a candidate vector c of d reals, higher is closer:
//   DOT q.c   L1 -sum|q - c|   L2 -sqrt(sum (q - c)^2)
//   COMPLEX -sum_k |q_k - c_k| over d / 2 complex coordinates (real parts first, then imaginary)
// With a gate, c = gate[q] * table[c] + (1 - gate[q]) * modal[c], never written out.
enum { OPENKE_DOT = 0, OPENKE_L1 = 1, OPENKE_L2 = 2, OPENKE_COMPLEX = 3 };
enum { OPENKE_FLOAT32 = 0, OPENKE_FLOAT64 = 1 };

typedef struct {
  int32_t kind;
  int32_t type;        // of every array of reals in the call
  int64_t queries;     // q
  int64_t candidates;  // u
  int64_t dim;         // d
  const void* query;   // [q][d]
  const void* table;   // [u][d]
  const void* modal;   // [u][d] or NULL
  const void* gate;    // [q] or NULL, together with modal
} openke_compare;

typedef struct {
  void* query;  // [q][d]; each of these is overwritten, or NULL where not wanted
  void* table;  // [u][d]
  void* modal;  // [u][d]
  void* gate;   // [q]
} openke_compare_gradient;

// out[p]: query query_index[i] against candidate candidate_index[i]. With several vectors, the rows
// of query and gate are [vectors][queries / vectors], an index is one of the queries / vectors, and
// a score is the sum of the similarities of its query's vectors.
OPENKE_API openke_status openke_compare_pairs(const openke_compare* compare,
                                              const int64_t* query_index,
                                              const int64_t* candidate_index, int64_t pairs,
                                              int64_t vectors, int32_t threads, void* out);
OPENKE_API openke_status openke_compare_pairs_backward(const openke_compare* compare,
                                                       const int64_t* query_index,
                                                       const int64_t* candidate_index,
                                                       int64_t pairs, int64_t vectors,
                                                       const void* grad, int32_t threads,
                                                       const openke_compare_gradient* out);
// out[q][u]: every query against every candidate.
OPENKE_API openke_status openke_compare_all(const openke_compare* compare, int32_t threads,
                                            void* out);
OPENKE_API openke_status openke_compare_all_backward(const openke_compare* compare,
                                                     const void* grad, int32_t threads,
                                                     const openke_compare_gradient* out);
// ---- loss kernels ---------------------------------------------------------------------------

// Rows of logits and, for each, its true columns. The type of the other arrays of reals in a call
// is that of the logits, float32 where these are bfloat16.
enum { OPENKE_BFLOAT16 = 2 };

typedef struct {
  int32_t type;
  int64_t rows;
  int64_t columns;         // 1 or more
  const void* values;      // [rows][columns]
  const int64_t* offsets;  // [rows + 1]: row i has targets[offsets[i]..offsets[i + 1]), each once;
                           // NULL: row i has targets[i]
  const int64_t* targets;  // [positives]
  int64_t positives;
  double smoothing;  // of the labels, 0 to 1: (1 - smoothing) label + smoothing / columns
} openke_logits;

// loss[rows]: cross entropy of the row's softmax against labels of 1 / (number of its targets) at
// its targets. normaliser[rows][2] is what the gradient needs.
OPENKE_API openke_status openke_softmax_cross_entropy(const openke_logits* logits, int32_t threads,
                                                      void* loss, void* normaliser);
// out[rows][columns], in the type of the logits: the gradient of sum_i grad[i] loss[i].
OPENKE_API openke_status openke_softmax_cross_entropy_backward(const openke_logits* logits,
                                                               const void* normaliser,
                                                               const void* grad, int32_t threads,
                                                               void* out);
// loss[rows]: the row's mean cross entropy of sigmoids against labels of 1 at its targets, else 0.
OPENKE_API openke_status openke_binary_cross_entropy(const openke_logits* logits, int32_t threads,
                                                     void* loss);
OPENKE_API openke_status openke_binary_cross_entropy_backward(const openke_logits* logits,
                                                              const void* grad, int32_t threads,
                                                              void* out);
// Name of the instruction set the kernels chose at run time ("avx512", "avx2", "neon", "plain").
OPENKE_API openke_status openke_kernel_isa(const char** out);

#ifdef __cplusplus
}
#endif
#endif  // OPENKE_C_API_H
