#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# On a fresh Debian 12: installs what mailtap needs, builds it, and runs it on the captures in pcaps/.
set -eu
cd "$(dirname "$0")/.."
sh configs/install-packages.sh
if [ ! -f build/build.ninja ] && ! said=$(meson setup build); then
	echo "$said" >&2
	exit 1
fi
ninja -C build --quiet mailtap
echo "build/mailtap -r pcaps/*.pcap*"
build/mailtap -r pcaps/*.pcap*
