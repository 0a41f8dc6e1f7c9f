#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a fresh Debian 12: installs what mailtap and its tests need, builds it with gcc and clang without
# a warning, runs it on the captures in pcaps/, and runs all tests, on the release build and with the
# sanitizers. The last line says how many passed and failed.
set -u
cd "$(dirname "$0")/.." || exit 1
sh configs/install-packages.sh test || exit 1

# build DIR, compiler, targets (one word; empty: all), options. A directory that is there may be from before the
# tests' packages were.
build() {
	directory=$1 compiler=$2 targets=$3 again=
	shift 3
	[ ! -f "$directory/build.ninja" ] || again=--reconfigure
	said=$(CC=$compiler meson setup $again "$directory" -Dtests=enabled -Dwerror=true "$@") || {
		echo "$said" >&2
		exit 1
	}
	# shellcheck disable=SC2086 # several targets
	ninja -C "$directory" --quiet $targets || exit 1
}

build build gcc ''
build build-clang clang ''
build build-sanitize clang '' --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false \
	-Dfuzz=true
build build-threads gcc 'mailtap tests/unit/unit-ring tests/unit/unit-published' --buildtype=debugoptimized -Db_sanitize=thread \
	-Db_lundef=false

build/mailtap -r pcaps/*.pcap* || exit 1

export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
meson test -C build --no-rebuild --timeout-multiplier 4
meson test -C build-sanitize --no-rebuild --timeout-multiplier 8 --suite unit --suite sanitize
meson test -C build-threads --no-rebuild --timeout-multiplier 8 --suite threads
python3 tests/lib/count.py build/meson-logs/testlog.json build-sanitize/meson-logs/testlog.json \
	build-threads/meson-logs/testlog.json
