#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the fuzzers and runs one: fuzz.sh pipeline|capture|x509|chains|patterns|server_memory|session_lines|config [SECONDS [libFuzzer options]].
# What it learns stays in build-fuzz/corpus-*, what it finds in build-fuzz/found-*.
set -eu
cd "$(dirname "$0")/../.."
fuzzer=$1 seconds=${2:-300}
[ $# -gt 2 ] && shift 2 || shift $#
build=${BUILD:-build-fuzz}
[ -d "$build" ] || CC=clang meson setup "$build" -Dfuzz=true -Dtests=disabled \
	--buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
	-Dc_args=-fsanitize=fuzzer-no-link >/dev/null
ninja -C "$build" --quiet
mkdir -p "$build/corpus-$fuzzer"
python3 tests/fuzz/seeds.py "$fuzzer" "$build/seeds-$fuzzer"
[ "$fuzzer" != x509 ] || "$build/tests/fuzz/fuzz-x509-seeds" "$build/seeds-x509"
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
exec nice "$build/tests/fuzz/fuzz-$fuzzer" -max_total_time="$seconds" -max_len=16384 -timeout=5 \
	-rss_limit_mb=1024 -dict=tests/fuzz/mail.dict -artifact_prefix="$build/found-$fuzzer-" \
	-print_final_stats=1 "$@" "$build/corpus-$fuzzer" "$build/seeds-$fuzzer"
