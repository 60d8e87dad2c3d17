#!/bin/sh
# SPDX-License-Identifier: MIT
# usage: tests/fuzz/run.sh [RUNS [LIBFUZZER-OPTION ...]]
#
# Runs the ONNX importer under libFuzzer (clang) with the address and undefined-behaviour sanitizers: RUNS
# executions (100000), at most 512 MiB, at most 10 seconds for one input.  Of the numbers that a file asks to make
# (files of published shapes fill all weights so) it allows 128 MiB here instead of 1 GiB, so that the limit on
# memory finds everything else.  New inputs are kept in FUZZ_DIR
# (build-fuzz beside the sources), a failing one is written there as crash-…, oom-… or timeout-….
# Small ones worth keeping belong into tests/fuzz/corpus, which ./test runs.
set -eu
root=$(CDPATH= cd -- "$(dirname -- "$0")/../.." && pwd)
dir=${FUZZ_DIR:-$root/build-fuzz}
runs=${1:-100000}
[ $# -gt 0 ] && shift
mkdir -p "$dir/found" "$dir/objects"

flags="-g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
  -std=gnu11 -D_GNU_SOURCE -DG_DISABLE_CAST_CHECKS -DPJ_ONNX_MAX_MADE=33554432 -I$root/engine $(pkg-config --cflags glib-2.0 gio-2.0)"
cd "$root"
sources="engine/base/*.c engine/graph/*.c engine/ops/*.c engine/io/file.c engine/io/onnx/*.c engine/compute/lower*.c
  engine/compute/chains.c engine/compute/recompute.c engine/compute/program.c engine/compute/params.c tests/fuzz/fuzz-onnx.c"
for source in $sources; do
  object=$dir/objects/$(echo "$source" | tr / -).o
  # Headers are few and everything depends on them: an object is good if nothing at all is newer.
  [ -f "$object" ] && [ -z "$(find engine tests/fuzz -name '*.[ch]' -newer "$object" -print -quit)" ] && continue
  echo "$source $object"
done >"$dir/todo"
xargs -r -P "$(nproc)" -L 1 sh -c 'clang '"$(echo $flags)"' -c "$0" -o "$1"' <"$dir/todo"
clang -fsanitize=fuzzer,address,undefined "$dir"/objects/*.o $(pkg-config --libs glib-2.0 gio-2.0) -lm -lz -lpthread -o "$dir/fuzz-onnx"

cd "$dir"
exec ./fuzz-onnx -runs="$runs" -rss_limit_mb=512 -malloc_limit_mb=512 -timeout=10 -max_len=65536 -print_final_stats=1 "$@" \
  found "$root/tests/fuzz/corpus" "$root/tests/fixtures/onnx"
