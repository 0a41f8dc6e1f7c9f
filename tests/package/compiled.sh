#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A C compiler that has compiled it before: an object that the build in $COMPILED has under the same name is copied, all
# else is cc's. What was optimised there is not optimised as a whole again. Used by package.py, as CC.
output='' previous=''
for word; do
	[ "$previous" != -o ] || output=$word
	previous=$word
done
case $output in
*.o)
	! cp "$COMPILED/$output" "$output" 2>/dev/null || exit 0
	;;
esac
for word; do
	shift
	case $word in
	-flto*) ;;
	*) set -- "$@" "$word" ;;
	esac
done
exec cc "$@"
