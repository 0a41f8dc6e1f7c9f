#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs a configuration file: install-config.sh FILE DIRECTORY, called by `meson install`. One that is there
# already is its owner's, and stays; where the new one is another, it comes beside it, as FILE.new.
set -eu
case $2 in
/*) directory=${DESTDIR:-}$2 ;;
*) directory=$MESON_INSTALL_DESTDIR_PREFIX/$2 ;;
esac
place=$directory/${1##*/}
if [ -e "$place" ]; then
	! cmp -s "$1" "$place" || exit 0
	place=$place.new
fi
mkdir -p "$directory"
cp "$1" "$place"
chmod 644 "$place"
echo "Installing $1 as $place"
