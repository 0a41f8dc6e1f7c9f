#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of configs/debian-packages that are missing. Usage: install-packages.sh
# [test]: with "test" also those that only the tests need.
set -eu
list=$(dirname "$0")/debian-packages
wanted=$(grep -v -e '^#' -e '^test:' "$list")
options=
if [ "${1:-}" = test ]; then
	wanted="$wanted $(sed -n 's/^test: //p' "$list")"
	# A machine for tests can be made again: not every file needs to be on the disk before the next one is unpacked.
	options="-o Dpkg::Options::=--force-unsafe-io"
fi

missing=
for package in $wanted; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	root=
elif command -v sudo >/dev/null; then
	root=sudo
else
	echo "Some packages are missing, and only root may install them:" >&2
	echo "    apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

# What apt says is worth reading only if it fails.
echo "Installing$missing"
said=$(mktemp)
trap 'rm -f "$said"' EXIT
# shellcheck disable=SC2086 # the names are words
if ! { $root apt-get update -qq &&
	$root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends $options $missing; } >"$said" 2>&1; then
	cat "$said" >&2
	exit 1
fi
