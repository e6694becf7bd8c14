// What the tests of the core share: TEST(name) { CHECK(...); } in any file here is run by main.cpp.

#ifndef OPENKE_TESTS_CHECK_H
#define OPENKE_TESTS_CHECK_H

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <functional>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace check {

struct Test {
  std::string name;
  std::function<void()> run;
};

inline std::vector<Test>& tests() {
  static std::vector<Test> all;
  return all;
}

struct Registered {
  Registered(const char* name, void (*run)()) { tests().push_back({name, run}); }
};

[[noreturn]] inline void failed(const char* file, int line, const std::string& what) {
  throw std::logic_error(std::string(file) + ":" + std::to_string(line) + ": " + what);
}

// The text of the Error that f throws; another exception passes, none is a failure.
template <class Error, class F>
std::string thrown(F f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  throw std::logic_error("nothing was thrown");
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A new folder, gone with this object.
class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              ("openke-test-" + std::to_string(std::random_device{}()))) {
    std::filesystem::create_directory(path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).u8string(); }

  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return path(name);
  }

 private:
  std::filesystem::path path_;
};

}  // namespace check

#define TEST(name)                                               \
  static void name();                                            \
  static const check::Registered name##_registered(#name, name); \
  static void name()

#define CHECK(...)                                                                  \
  do {                                                                              \
    if (!(__VA_ARGS__)) check::failed(__FILE__, __LINE__, "not so: " #__VA_ARGS__); \
  } while (false)

// A text that should have a part; shows both.
#define CHECK_CONTAINS(text, part)                                                       \
  do {                                                                                   \
    const std::string found = (text);                                                    \
    if (!check::contains(found, part)) {                                                 \
      check::failed(__FILE__, __LINE__, "'" + std::string(part) + "' not in: " + found); \
    }                                                                                    \
  } while (false)

#endif  // OPENKE_TESTS_CHECK_H
