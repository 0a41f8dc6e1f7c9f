#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a fresh Debian 12: installs what mailtap and its tests need, builds it with gcc and clang without
# a warning, runs it on the captures in pcaps/, and runs all tests, on the release build and with the
# sanitizers. The last line says how many passed and failed.
set -u
cd "$(dirname "$0")/.." || exit 1
sh configs/install-packages.sh test || exit 1

# configure DIR, compiler, linker, options. A directory that is there may be from before the tests' packages were.
configure() {
	directory=$1 compiler=$2 linker=$3 again=
	shift 3
	[ ! -f "$directory/build.ninja" ] || again=--reconfigure
	said=$(CC=$compiler CC_LD=$linker meson setup $again "$directory" -Dtests=enabled -Dwerror=true "$@") || {
		echo "$said" >&2
		return 1
	}
}

# A sanitizer's report names lines; more of debugging information than these is only dear to make. lld links 150 tests
# with a sanitizer's library in a third of the time, but knows nothing of gcc's optimisation of a whole program.
configure build gcc bfd & release=$!
configure build-sanitize clang lld -Doptimization=2 -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true \
	-Dc_args=-gline-tables-only & sanitize=$!
configure build-threads gcc lld -Doptimization=1 -Db_sanitize=thread -Db_lundef=false \
	-Dc_args=-g1 & threads=$!
wait $release && wait $sanitize && wait $threads || exit 1

ninja -C build --quiet || exit 1
build/mailtap -r pcaps/*.pcap* || exit 1

# All tests of a build; what they say is kept until it can be said in one piece. Many tests mostly wait, so the
# next build is made meanwhile, and its tests begin when it is there.
suites() {
	directory=$1
	shift
	meson test -C "$directory" --no-rebuild --num-processes $(($(nproc) + 1)) "$@" >"$directory/said" 2>&1
}

suites build --timeout-multiplier 6 & release=$!
ninja -C build-sanitize --quiet || exit 1
# What was freed is kept for long enough to see who uses it, not so long that each test touches 256 MB.
export ASAN_OPTIONS=quarantine_size_mb=16 UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
suites build-sanitize --timeout-multiplier 12 --suite unit --suite sanitize & sanitize=$!
ninja -C build-threads --quiet mailtap tests-of-threads || exit 1
suites build-threads --timeout-multiplier 12 --suite threads & threads=$!
for build in "build $release" "build-sanitize $sanitize" "build-threads $threads"; do
	wait "${build#* }"
	cat "${build% *}/said"
done
python3 tests/lib/count.py build/meson-logs/testlog.json build-sanitize/meson-logs/testlog.json \
	build-threads/meson-logs/testlog.json
