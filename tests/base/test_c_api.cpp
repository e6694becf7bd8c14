// The border: null pointers, numbers out of range, and the life of handles.

#include <memory>

#include "c_api.h"
#include "check.h"

namespace {

struct Free {
  void operator()(openke_store* store) const { openke_store_free(store); }
  void operator()(openke_sampler* sampler) const { openke_sampler_free(sampler); }
  void operator()(openke_constraint* constraint) const { openke_constraint_free(constraint); }
};
template <class Handle>
using Owner = std::unique_ptr<Handle, Free>;

const std::vector<int64_t> kTrain{0, 0, 1, 1, 0, 2, 2, 1, 0, 0, 0, 1};

Owner<openke_store> small_store() {
  openke_store* store = nullptr;
  CHECK(openke_store_from_triples(3, 2, kTrain.data(), 4, nullptr, 0, kTrain.data(), 1, &store) ==
        OPENKE_OK);
  return Owner<openke_store>(store);
}

Owner<openke_sampler> small_sampler(const openke_store* store, int32_t shared = 0) {
  const openke_sampler_options options{0, 2, 0, 0, 1, shared, 0};
  openke_sampler* sampler = nullptr;
  CHECK(openke_sampler_create(store, &options, &sampler) == OPENKE_OK);
  return Owner<openke_sampler>(sampler);
}

void check_invalid(openke_status status, const char* message) {
  CHECK(status == OPENKE_INVALID);
  CHECK_CONTAINS(openke_last_error(), message);
}

}  // namespace

TEST(the_version_is_that_of_the_header) {
  int32_t version = 0;
  CHECK(openke_abi_version(&version) == OPENKE_OK && version == OPENKE_ABI_VERSION);
  check_invalid(openke_abi_version(nullptr), "out is a null pointer");
}

TEST(counts_and_triples_cross_the_border) {
  const auto store = small_store();
  openke_counts counts;
  CHECK(openke_store_counts(store.get(), &counts) == OPENKE_OK);
  CHECK(counts.entities == 3 && counts.relations == 2 && counts.rows[0] == 4);
  CHECK(counts.triples[0] == 3 && counts.triples[1] == 0 && counts.triples[2] == 1);
  std::vector<int64_t> triples(9);
  CHECK(openke_store_triples(store.get(), OPENKE_TRAIN, triples.data()) == OPENKE_OK);
  CHECK(triples == std::vector<int64_t>(kTrain.begin(), kTrain.begin() + 9));
  std::vector<int64_t> multiplicity(3);
  CHECK(openke_store_multiplicity(store.get(), OPENKE_TRAIN, multiplicity.data()) == OPENKE_OK);
  CHECK(multiplicity == std::vector<int64_t>{2, 1, 1});
  CHECK(openke_store_triples(store.get(), OPENKE_VALID, nullptr) == OPENKE_OK);  // nothing to write
}

TEST(null_pointers_are_refused) {
  const auto store = small_store();
  const auto sampler = small_sampler(store.get());
  openke_store* made = nullptr;
  check_invalid(openke_store_open(nullptr, "r", "t", nullptr, nullptr, &made),
                "entity2id is a null");
  check_invalid(openke_store_open("e", nullptr, "t", nullptr, nullptr, &made), "relation2id is a");
  check_invalid(openke_store_open("e", "r", nullptr, nullptr, nullptr, &made),
                "train2id is a null");
  check_invalid(openke_store_open("e", "r", "t", nullptr, nullptr, nullptr),
                "out is a null pointer");
  check_invalid(openke_store_from_triples(3, 2, nullptr, 1, nullptr, 0, nullptr, 0, &made),
                "train is a null pointer");
  check_invalid(openke_store_counts(nullptr, nullptr), "store is a null pointer");
  check_invalid(openke_store_counts(store.get(), nullptr), "out is a null pointer");
  check_invalid(openke_store_triples(store.get(), 0, nullptr), "out is a null pointer");
  check_invalid(openke_store_multiplicity(store.get(), 0, nullptr), "out is a null pointer");
  check_invalid(openke_store_names(store.get(), 0, nullptr, nullptr), "blob is a null pointer");
  check_invalid(openke_store_relation_statistics(store.get(), nullptr, nullptr),
                "tails_per_head is");
  check_invalid(openke_store_known(store.get(), 0, 0, 0, 7, nullptr, nullptr), "count is a null");
  check_invalid(openke_store_hold_out(nullptr, 0.1, 0, &made), "store is a null pointer");
  openke_sampler* none = nullptr;
  check_invalid(openke_sampler_create(store.get(), nullptr, &none), "options is a null pointer");
  check_invalid(openke_sampler_order(sampler.get(), 0, 0, nullptr), "out is a null pointer");
  check_invalid(openke_sampler_order(nullptr, 0, 0, nullptr), "sampler is a null pointer");
  check_invalid(openke_sampler_draw(sampler.get(), nullptr, 1, 0, 0, 3, 1, nullptr, nullptr,
                                    nullptr, nullptr),
                "negative is a null pointer");
  const auto shared = small_sampler(store.get(), 1);
  std::vector<int64_t> ids(6);
  std::vector<uint8_t> bytes(2);
  check_invalid(openke_sampler_draw(shared.get(), ids.data(), 1, 0, 0, 3, 1, ids.data(), ids.data(),
                                    bytes.data(), nullptr),
                "mask is a null pointer");
  check_invalid(openke_rank(store.get(), 2, 7, nullptr, nullptr, 1, nullptr, nullptr, nullptr,
                            nullptr, 1, 1, nullptr, nullptr),
                "scores is a null pointer");
  openke_constraint* types = nullptr;
  check_invalid(openke_constraint_read(store.get(), nullptr, &types), "path is a null pointer");
  check_invalid(openke_constraint_allowed(nullptr, 0, 0, nullptr, nullptr), "constraint is a null");
  CHECK(openke_store_free(nullptr) == OPENKE_OK && openke_sampler_free(nullptr) == OPENKE_OK);
  CHECK(openke_constraint_free(nullptr) == OPENKE_OK && made == nullptr && none == nullptr);
}

TEST(numbers_out_of_range_are_refused) {
  const auto store = small_store();
  openke_store* made = nullptr;
  const int64_t* rows = kTrain.data();
  check_invalid(openke_store_from_triples(0, 2, rows, 4, nullptr, 0, nullptr, 0, &made),
                "the number of entities is 0; expected 1 to 2147483647");
  check_invalid(openke_store_from_triples(3, 2147483648, rows, 4, nullptr, 0, nullptr, 0, &made),
                "the number of relations is 2147483648; expected 1 to");
  check_invalid(openke_store_from_triples(3, 2, rows, -1, nullptr, 0, nullptr, 0, &made),
                "the number of train rows is -1; expected 0 or more");
  check_invalid(openke_store_from_triples(3, 2, rows, 0, nullptr, 0, nullptr, 0, &made),
                "the train split has no triples; expected at least 1");
  check_invalid(openke_store_from_triples(2, 2, rows, 4, nullptr, 0, nullptr, 0, &made),
                "train row 1: found tail 2, expected 0 to 1 (there are 2 entities)");
  check_invalid(openke_store_triples(store.get(), 3, nullptr), "split is 3; expected 0 (train), 1");
  check_invalid(openke_store_names(store.get(), 2, nullptr, nullptr), "kind is 2; expected 0");
  int64_t count = 0;
  check_invalid(openke_store_known(store.get(), 3, 0, 0, 7, nullptr, &count),
                "slot is 3; expected");
  check_invalid(openke_store_known(store.get(), 2, 3, 0, 7, nullptr, &count),
                "first is 3; expected 0 to 2");
  check_invalid(openke_store_known(store.get(), 2, 0, 2, 7, nullptr, &count),
                "second is 2; expected 0 to 1");
  check_invalid(openke_store_known(store.get(), 2, 0, 0, 8, nullptr, &count),
                "split_mask is 8; expected");

  openke_sampler* sampler = nullptr;
  openke_sampler_options options{0, 4, 0, 0, 1, 0, 0};
  check_invalid(openke_sampler_create(store.get(), &options, &sampler),
                "entity_negatives is 4; expected at most 3, the number of entities");
  options = {0, 1, 3, 0, 1, 0, 0};
  check_invalid(openke_sampler_create(store.get(), &options, &sampler),
                "relation_negatives is 3; expected at most 2, the number of relations");
  options = {0, -1, 0, 0, 1, 0, 0};
  check_invalid(openke_sampler_create(store.get(), &options, &sampler), "entity_negatives is -1");
  options = {0, 1, 1, 0, 1, 1, 0};
  check_invalid(openke_sampler_create(store.get(), &options, &sampler),
                "relation_negatives is 1; expected 0, as shared negatives are entities");
}

TEST(draws_out_of_range_are_refused) {
  const auto store = small_store();
  const auto sampler = small_sampler(store.get());
  std::vector<int64_t> out(12, -7);
  std::vector<uint8_t> slot(4, 9);
  const auto draw = [&](int64_t row, int64_t b, int64_t epoch, int64_t first, int32_t side,
                        int32_t threads) {
    return openke_sampler_draw(sampler.get(), &row, b, epoch, first, side, threads, out.data(),
                               out.data() + 6, slot.data(), nullptr);
  };
  check_invalid(draw(3, 1, 0, 0, 3, 1), "rows[0] is 3; expected 0 to 2, the train triples");
  check_invalid(draw(0, -1, 0, 0, 3, 1), "the batch size is -1; expected 0 or more");
  check_invalid(draw(0, 1, -1, 0, 3, 1), "epoch is -1; expected 0 or more");
  check_invalid(draw(0, 1, 0, -1, 3, 1), "first is -1; expected 0 to 9223372036854775806");
  check_invalid(draw(0, 1, 0, 0, 1, 1), "side is 1; expected 0 (head), 2 (tail) or 3 (mixed)");
  check_invalid(draw(0, 1, 0, 0, 3, -1), "threads is -1; expected 0 (all processors) or more");
  check_invalid(openke_sampler_order(sampler.get(), -1, 0, out.data()), "epoch is -1");
  CHECK(out == std::vector<int64_t>(12, -7) && slot == std::vector<uint8_t>(4, 9));
}

TEST(queries_out_of_range_are_refused) {
  const auto store = small_store();
  const std::vector<float> scores(3);
  int64_t greater = -7;
  int64_t equal = -7;
  const auto rank = [&](int32_t slot, int64_t row, int64_t first, int64_t second, int64_t target,
                        int64_t n) {
    return openke_rank(store.get(), slot, 7, nullptr, scores.data(), 1, &row, &first, &second,
                       &target, n, 1, &greater, &equal);
  };
  check_invalid(rank(3, 0, 0, 0, 0, 1), "slot is 3; expected 0 (head), 1 (relation) or 2 (tail)");
  check_invalid(rank(2, 1, 0, 0, 0, 1), "row[0] is 1; expected 0 to 0, the rows of scores");
  check_invalid(rank(2, 0, -1, 0, 0, 1), "first is -1; expected 0 to 2 (there are 3 entities)");
  check_invalid(rank(2, 0, 0, 2, 0, 1), "second is 2; expected 0 to 1 (there are 2 relations)");
  check_invalid(rank(2, 0, 0, 0, 3, 1), "target is 3; expected 0 to 2 (there are 3 entities)");
  check_invalid(rank(2, 0, 0, 0, 0, -1), "the number of queries is -1; expected 0 or more");
  CHECK(greater == -7 && equal == -7);
  CHECK(rank(2, 0, 0, 0, 0, 0) == OPENKE_OK);
  openke_constraint* made = nullptr;
  CHECK(openke_constraint_from_store(store.get(), 1, &made) == OPENKE_OK);
  const Owner<openke_constraint> types(made);
  int64_t count = 0;
  check_invalid(openke_constraint_allowed(types.get(), 1, 0, nullptr, &count),
                "slot is 1; expected 0");
  check_invalid(openke_constraint_allowed(types.get(), 0, 2, nullptr, &count),
                "relation is 2; expected 0 to 1");
  CHECK(openke_constraint_allowed(types.get(), 0, 0, nullptr, &count) == OPENKE_OK && count == 2);
}

TEST(files_are_opened_through_the_border) {
  const check::Folder folder;
  const std::string entities = folder.write("entity2id.txt", "2\na\t0\nb\t1\n");
  const std::string relations = folder.write("relation2id.txt", "1\n");
  const std::string train = folder.write("train2id.txt", "1\n0 1 0\n");
  const std::string empty = folder.write("empty.txt", "0\n");
  openke_store* made = nullptr;
  CHECK(openke_store_open(entities.c_str(), relations.c_str(), train.c_str(), nullptr, nullptr,
                          &made) == OPENKE_OK);
  const Owner<openke_store> store(made);
  const char* blob = nullptr;
  const int64_t* offsets = nullptr;
  CHECK(openke_store_names(store.get(), OPENKE_HEAD, &blob, &offsets) == OPENKE_OK);
  CHECK(std::string(blob, 2) == "ab" && offsets[2] == 2);
  CHECK(openke_store_names(store.get(), OPENKE_RELATION, &blob, &offsets) == OPENKE_OK);
  CHECK(blob == nullptr && offsets == nullptr);
  check_invalid(openke_store_open(entities.c_str(), relations.c_str(), empty.c_str(), nullptr,
                                  nullptr, &made),
                "empty.txt:1: found 0 triples, expected at least 1");
  CHECK(openke_store_open(entities.c_str(), relations.c_str(), folder.path("no").c_str(), nullptr,
                          nullptr, &made) == OPENKE_NOT_FOUND);
  CHECK(openke_store_open(entities.c_str(), relations.c_str(), folder.path("").c_str(), nullptr,
                          nullptr, &made) == OPENKE_IO);
}
