// Stands in for libFuzzer where a compiler has none: inputs of a corpus, mutated at random.
//
// It takes libFuzzer's options that run.sh gives: -max_total_time=SECONDS -seed=N
// -artifact_prefix=FOLDER/, and folders or files of inputs. It learns nothing from coverage.

#include <chrono>
#include <csignal>
#include <cstring>
#include <random>

#include "input.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size);
extern "C" void __sanitizer_set_death_callback(void (*callback)());

namespace {

using Bytes = std::vector<uint8_t>;

Bytes current;
std::string kept = "crash-input";

void keep() {
  std::FILE* file = std::fopen(kept.c_str(), "wb");
  if (file == nullptr) return;
  std::fwrite(current.data(), 1, current.size(), file);
  std::fclose(file);
  std::fprintf(stderr, "the input is in %s\n", kept.c_str());
}

void on_abort(int) {
  keep();
  std::_Exit(77);
}

Bytes read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return Bytes(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

class Mutator {
 public:
  Mutator(std::vector<Bytes> corpus, uint64_t seed) : corpus_(std::move(corpus)), random_(seed) {}

  Bytes operator()() {
    Bytes made = corpus_[below(corpus_.size())];
    for (std::size_t times = 1 + below(6); times > 0; --times) once(made);
    if (made.size() > 4096) made.resize(4096);
    return made;
  }

 private:
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(random_()) % n; }
  std::size_t place(const Bytes& in) { return below(in.size() + 1); }
  static Bytes::iterator at(Bytes& in, std::size_t place) {
    return in.begin() + static_cast<std::ptrdiff_t>(place);
  }

  void insert(Bytes& into, const uint8_t* from, std::size_t size) {
    into.insert(at(into, place(into)), from, from + size);
  }

  void once(Bytes& made) {
    static const char* const kWords[] = {"-1",   "2147483647", "2147483648", "9223372036854775808",
                                         "\n",   "\t",         "%%\n",       "\xef\xbb\xbf",
                                         "\r\n", "0",          " "};
    switch (below(6)) {
      case 0:
        if (!made.empty()) made[below(made.size())] ^= static_cast<uint8_t>(1U << below(8));
        break;
      case 1:
        if (!made.empty()) made[below(made.size())] = static_cast<uint8_t>(random_());
        break;
      case 2: {
        const char* word = kWords[below(sizeof kWords / sizeof *kWords)];
        insert(made, reinterpret_cast<const uint8_t*>(word), std::strlen(word));
        break;
      }
      case 3: {
        const std::size_t from = place(made);
        made.erase(at(made, from), at(made, from + below(made.size() - from + 1)));
        break;
      }
      case 4: {
        const Bytes& other = corpus_[below(corpus_.size())];
        const std::size_t from = below(other.size() + 1);
        insert(made, other.data() + from, below(other.size() - from + 1));
        break;
      }
      default: {
        const auto drawn = static_cast<uint8_t>(random_());
        insert(made, &drawn, 1);
      }
    }
  }

  std::vector<Bytes> corpus_;
  std::mt19937_64 random_;
};

void run(Bytes input) {
  current = std::move(input);
  // A copy of its exact size, so that reading past its end is seen.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[current.size()]);
  std::copy(current.begin(), current.end(), copy.get());
  LLVMFuzzerTestOneInput(copy.get(), current.size());
}

}  // namespace

int main(int count, char** arguments) {
  double seconds = 0;
  uint64_t seed = 0;
  std::vector<Bytes> corpus{{}};
  for (int i = 1; i < count; ++i) {
    const std::string said = arguments[i];
    const std::string value = said.substr(said.find('=') + 1);
    if (said.rfind("-max_total_time=", 0) == 0) {
      seconds = std::stod(value);
    } else if (said.rfind("-seed=", 0) == 0) {
      seed = std::stoull(value);
    } else if (said.rfind("-artifact_prefix=", 0) == 0) {
      kept = value + kept;
    } else if (said.rfind("-", 0) == 0) {
      continue;
    } else if (std::filesystem::is_directory(said)) {
      for (const auto& entry : std::filesystem::directory_iterator(said)) {
        corpus.push_back(read(entry.path()));
      }
    } else {
      corpus.push_back(read(said));
    }
  }
  __sanitizer_set_death_callback(keep);
  std::signal(SIGABRT, on_abort);
  for (const Bytes& input : corpus) run(input);
  Mutator mutated(corpus, seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  uint64_t runs = corpus.size();
  for (; std::chrono::steady_clock::now() < end; ++runs) run(mutated());
  std::fprintf(stderr, "stat::number_of_executed_units: %llu\n",
               static_cast<unsigned long long>(runs));
}
