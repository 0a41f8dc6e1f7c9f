#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages of configs/debian-packages that are missing. Usage: install-packages.sh
# [test]: with "test" also those that only the tests need.
set -eu
list=$(dirname "$0")/debian-packages
wanted=$(grep -v -e '^#' -e '^test:' "$list")
[ "${1:-}" != test ] || wanted="$wanted $(sed -n 's/^test: //p' "$list")"

missing=
for package in $wanted; do
	dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
		missing="$missing $package"
done
[ -n "$missing" ] || exit 0

root=
[ "$(id -u)" = 0 ] || root=sudo
export DEBIAN_FRONTEND=noninteractive
$root apt-get update -qq
# shellcheck disable=SC2086 # the names are words
$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
