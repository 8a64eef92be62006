#!/bin/bash
# make.sh DIR [PREBUILT] - build the packages in DIR, from a copy of the sources
# that git knows (or of all there is, in an unpacked archive).  What they are
# made of does not tell whose copy it was: modes and times are the same for all.
set -eu
umask 022
cd "$(dirname "$0")/.."
dir=$1 prebuilt=${2:-}
version=$(dpkg-parsechangelog -S Version)
copy=$dir/postern-$version
command -v dh >/dev/null || {
	echo "make deb needs: apt-get install debhelper" >&2
	exit 1
}
export SOURCE_DATE_EPOCH
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog -S Timestamp)
# What is newer than the programs that are packed is made anew, by its time.
same=--mtime=@$SOURCE_DATE_EPOCH
[ -z "$prebuilt" ] || same=

rm -rf "$dir"
mkdir -p "$copy"
if [ -e .git ]; then
	git ls-files -z --cached --others --exclude-standard
else
	find . -path ./build -prune -o -type f -print0
fi | tar -c --null -T - --mode=go=u,go-w $same | tar -x -C "$copy"

export DEB_BUILD_OPTIONS
DEB_BUILD_OPTIONS="${DEB_BUILD_OPTIONS:+$DEB_BUILD_OPTIONS }parallel=$(nproc)"
what=
if [ -n "$prebuilt" ]; then
	export PREBUILT=$prebuilt
	DEB_BUILD_OPTIONS="$DEB_BUILD_OPTIONS noautodbgsym"
	what=-b
fi
unset MAKEFLAGS MAKELEVEL MFLAGS BUILD SAN DESTDIR
(cd "$copy" && dpkg-buildpackage -us -uc -d $what) >"$dir/log" 2>&1 || {
	tail -30 "$dir/log" >&2
	exit 1
}
rm -rf "$copy"
ls "$dir"/*.deb
