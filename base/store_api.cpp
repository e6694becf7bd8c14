// The ABI of the store: checks pointers and numbers, calls the core.

#include <algorithm>
#include <array>
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

namespace {

using openke::Answers;
using openke::check_mask;
using openke::guarded;
using openke::InvalidInput;
using openke::require;
using openke::require_pointer;
using openke::Split;
using openke::store_of;
using openke::text;
using openke::Triple;
using openke::TripleStore;
using openke::Vocabulary;

const Split& split_of(const openke_store* handle, int32_t split) {
  require(split >= OPENKE_TRAIN && split <= OPENKE_TEST, "split is ", split,
          "; expected 0 (train), 1 (valid) or 2 (test)");
  return store_of(handle).split(split);
}

Vocabulary unnamed(const char* what, int64_t count) {
  require(count > 0 && count <= openke::kMaxCount, "the number of ", what, " is ", count,
          "; expected 1 to ", openke::kMaxCount);
  Vocabulary vocabulary;
  vocabulary.what = what;
  vocabulary.count = count;
  return vocabulary;
}

int32_t checked(const char* split, int64_t row, const char* part, int64_t id,
                const Vocabulary& vocabulary) {
  if (id < 0 || id >= vocabulary.count) {
    throw InvalidInput(
        text(split, " row ", row, ": found ", part, " ", id, ", expected ", vocabulary.range()));
  }
  return static_cast<int32_t>(id);
}

std::vector<Triple> copied(const char* split, const int64_t* rows, int64_t n,
                           const Vocabulary& entities, const Vocabulary& relations) {
  require(n >= 0, "the number of ", split, " rows is ", n, "; expected 0 or more");
  if (n > 0) require_pointer(rows, split);
  std::vector<Triple> triples;
  triples.reserve(static_cast<std::size_t>(n));
  for (int64_t i = 0; i < n; ++i, rows += 3) {
    triples.push_back({checked(split, i, "head", rows[0], entities),
                       checked(split, i, "relation", rows[1], relations),
                       checked(split, i, "tail", rows[2], entities)});
  }
  return triples;
}

}  // namespace

openke_status openke_store_open(const char* entity2id, const char* relation2id,
                                const char* train2id, const char* valid2id, const char* test2id,
                                openke_store** out) {
  return guarded([&] {
    require_pointer(entity2id, "entity2id");
    require_pointer(relation2id, "relation2id");
    require_pointer(train2id, "train2id");
    require_pointer(out, "out");
    Vocabulary entities = openke::read_vocabulary(entity2id, "entities");
    Vocabulary relations = openke::read_vocabulary(relation2id, "relations");
    std::array<std::vector<Triple>, openke::kSplits> rows;
    const std::array<const char*, openke::kSplits> paths{train2id, valid2id, test2id};
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (paths[i] != nullptr) rows[i] = openke::read_triples(paths[i], entities, relations);
    }
    require(!rows[OPENKE_TRAIN].empty(), train2id, ":1: found 0 triples, expected at least 1");
    auto handle = std::make_unique<openke_store>();
    handle->store =
        TripleStore::from_rows(std::move(entities), std::move(relations), std::move(rows));
    *out = handle.release();
  });
}

openke_status openke_store_from_triples(int64_t entities, int64_t relations, const int64_t* train,
                                        int64_t n_train, const int64_t* valid, int64_t n_valid,
                                        const int64_t* test, int64_t n_test, openke_store** out) {
  return guarded([&] {
    require_pointer(out, "out");
    Vocabulary entity_ids = unnamed("entities", entities);
    Vocabulary relation_ids = unnamed("relations", relations);
    std::array<std::vector<Triple>, openke::kSplits> rows{
        copied("train", train, n_train, entity_ids, relation_ids),
        copied("valid", valid, n_valid, entity_ids, relation_ids),
        copied("test", test, n_test, entity_ids, relation_ids)};
    auto handle = std::make_unique<openke_store>();
    handle->store =
        TripleStore::from_rows(std::move(entity_ids), std::move(relation_ids), std::move(rows));
    *out = handle.release();
  });
}

openke_status openke_store_hold_out(const openke_store* store, double fraction, uint64_t seed,
                                    openke_store** out) {
  return guarded([&] {
    require_pointer(out, "out");
    auto handle = std::make_unique<openke_store>();
    handle->store = store_of(store).hold_out(fraction, seed);
    *out = handle.release();
  });
}

openke_status openke_store_free(openke_store* store) {
  return guarded([&] { const std::unique_ptr<openke_store> owner(store); });
}

openke_status openke_store_counts(const openke_store* store, openke_counts* out) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    require_pointer(out, "out");
    out->entities = triples.entities().count;
    out->relations = triples.relations().count;
    for (int split = 0; split < openke::kSplits; ++split) {
      out->rows[split] = triples.split(split).rows;
      out->triples[split] = triples.split(split).size();
    }
  });
}

openke_status openke_store_triples(const openke_store* store, int32_t split, int64_t* out) {
  return guarded([&] {
    const Split& chosen = split_of(store, split);
    if (chosen.size() > 0) require_pointer(out, "out");
    for (const Triple& triple : chosen.triples) {
      *out++ = triple.head;
      *out++ = triple.relation;
      *out++ = triple.tail;
    }
  });
}

openke_status openke_store_multiplicity(const openke_store* store, int32_t split, int64_t* out) {
  return guarded([&] {
    const Split& chosen = split_of(store, split);
    if (chosen.size() > 0) require_pointer(out, "out");
    std::copy(chosen.multiplicity.begin(), chosen.multiplicity.end(), out);
  });
}

openke_status openke_store_names(const openke_store* store, int32_t kind, const char** blob,
                                 const int64_t** offsets) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    require(kind == OPENKE_HEAD || kind == OPENKE_RELATION, "kind is ", kind,
            "; expected 0 (entities) or 1 (relations)");
    require_pointer(blob, "blob");
    require_pointer(offsets, "offsets");
    const Vocabulary& ids = kind == OPENKE_HEAD ? triples.entities() : triples.relations();
    *blob = ids.named ? ids.names.data() : nullptr;
    *offsets = ids.named ? ids.offsets.data() : nullptr;
  });
}

openke_status openke_store_relation_statistics(const openke_store* store, double* tails_per_head,
                                               double* heads_per_tail) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    require_pointer(tails_per_head, "tails_per_head");
    require_pointer(heads_per_tail, "heads_per_tail");
    triples.relation_statistics(tails_per_head, heads_per_tail);
  });
}

openke_status openke_store_known(const openke_store* store, int32_t slot, int64_t first,
                                 int64_t second, int32_t split_mask, int64_t* out, int64_t* count) {
  return guarded([&] {
    const TripleStore& triples = store_of(store);
    const openke::Domains ids = openke::domains(triples, slot);
    openke::check_id("first", first, *ids.first);
    openke::check_id("second", second, *ids.second);
    check_mask(split_mask);
    require_pointer(count, "count");
    const Answers known = triples.answers(slot).find(first, second);
    std::vector<int64_t> found;
    for (int64_t i = 0; i < known.count; ++i) {
      if ((known.splits[i] & split_mask) != 0) found.push_back(known.ids[i]);
    }
    std::sort(found.begin(), found.end());  // the index has those of train first
    if (out != nullptr) std::copy(found.begin(), found.end(), out);
    *count = static_cast<int64_t>(found.size());
  });
}
