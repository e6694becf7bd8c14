#!/bin/sh
# Fuzzes the core's C ABI under the address and undefined-behaviour sanitizers: each harness for an
# equal part of the time, from its corpus, by libFuzzer where the compiler has it, else by main.cpp.
# Usage: tests/base/fuzz/run.sh [MINUTES]; CXX=g++ chooses the compiler, SEED=N the random numbers.
# An input that fails is kept in fuzz-findings/; the harness run with that file alone repeats it.
set -eu
cd "$(dirname "$0")/../../.."
minutes=${1:-4}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
seed=${SEED:-$(date +%s)}
if [ -z "${CXX:-}" ]; then
  if command -v clang++ >/dev/null; then CXX=clang++; else CXX=c++; fi
fi
[ -w /dev/shm ] && export TMPDIR=/dev/shm # harnesses write small files, thousands a second
export CXX build
common="-std=c++17 -O1 -g -fno-omit-frame-pointer -fno-sanitize-recover=all -fopenmp-simd \
  -ffp-contract=off -Wall -Wextra -Wno-unknown-pragmas -Wno-pass-failed -DOPENKE_BUILD -Ibase"
driver=tests/base/fuzz/main.cpp
export flags="$common -fsanitize=address,undefined"
echo 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char*, unsigned long) { return 0; }' \
  >"$build/probe.cpp"
if $CXX -fsanitize=fuzzer "$build/probe.cpp" -o "$build/probe" 2>/dev/null; then
  driver=
  flags="$common -fsanitize=address,undefined,fuzzer-no-link"
fi
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# What computes scores, losses and optimiser steps reads no file and no foreign number.
# shellcheck disable=SC2016
printf '%s\n' base/*.cpp | grep -vE '/(kernels|losses|optimizer)' |
  xargs -P "$jobs" -I{} sh -c '$CXX $flags -c "$1" -o "$build/$(basename "$1").o"' sh {}
echo "fuzzing by $CXX, ${driver:-libFuzzer}, seed $seed"
harnesses="reader constraint sampler ranker"
for name in $harnesses; do
  # shellcheck disable=SC2086
  $CXX $flags ${driver:--fsanitize=fuzzer} "tests/base/fuzz/$name.cpp" \
    "$build"/*.o -pthread -o "$build/$name" 2>"$build/said" || { cat "$build/said" >&2; exit 1; }
done
seconds=$(awk "BEGIN { print int($minutes * 15 + 0.999) }") # of each of four
failed=0
for name in $harnesses; do
  mkdir -p "$build/found/$name" fuzz-findings
  "$build/$name" -max_total_time="$seconds" -seed="$seed" -timeout=60 -max_len=4096 -verbosity=0 \
    -print_final_stats=1 -artifact_prefix="fuzz-findings/$name-" "$build/found/$name" \
    "tests/base/fuzz/corpus/$name" >"$build/said" 2>&1 || failed=1
  if [ $failed = 1 ]; then
    cat "$build/said" >&2
    echo "$name: a finding; its input is in fuzz-findings/" >&2
    exit 1
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/said")
  echo "$name: ${runs:-0} inputs in $seconds s, no finding"
done
rmdir fuzz-findings 2>/dev/null || true
