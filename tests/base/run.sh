#!/bin/sh
# Compiles the core and its tests with sanitizers, in a temporary folder, and runs them.
# Usage: tests/base/run.sh [address,undefined | thread]
set -eu
cd "$(dirname "$0")/../.."
sanitizers=${1:-address,undefined}
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
export CXX="${CXX:-c++}" build
export flags="-std=c++17 -O1 -g -fno-omit-frame-pointer -fsanitize=$sanitizers \
  -fno-sanitize-recover=all -fopenmp-simd -ffp-contract=off -Wall -Wextra -Wno-unknown-pragmas \
  -DOPENKE_BUILD -Ibase"
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
# shellcheck disable=SC2016
printf '%s\n' base/*.cpp tests/base/*.cpp |
  xargs -P "$jobs" -I{} sh -c '$CXX $flags -c "$1" -o "$build/$(echo "$1" | tr / _).o"' sh {}
$CXX $flags "$build"/*.o -pthread -o "$build/tests"
"$build/tests"
