#!/bin/bash
# make.sh DIR [PREBUILT] - build the RPM packages in DIR, from the sources that
# git knows.  Where rpmbuild is not Fedora's, what they need to be built is
# looked for by the Makefile alone.
set -eu
cd "$(dirname "$0")/.."
dir=$(realpath -m "$1") prebuilt=${2:+$(realpath "$2")}
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
command -v rpmbuild >/dev/null || {
	echo "make rpm needs: rpmbuild (Debian: apt-get install rpm)" >&2
	exit 1
}

rm -rf "$dir"
mkdir -p "$dir/SOURCES"
git ls-files -z --cached --others --exclude-standard |
    tar -cz --null --owner=0 --group=0 --transform "s|^|postern-$version/|S" \
	-T - -f "$dir/SOURCES/postern-$version.tar.gz"
unset MAKEFLAGS MAKELEVEL MFLAGS BUILD SAN DESTDIR
rpmbuild -bb --define "_topdir $dir" --define "postern_version $version" \
    ${prebuilt:+--define "prebuilt $prebuilt"} \
    $(command -v dnf >/dev/null || echo --nodeps) rpm/postern.spec \
    >"$dir/log" 2>&1 || {
	tail -30 "$dir/log" >&2
	exit 1
}
rm -rf "$dir"/{BUILD,BUILDROOT,SOURCES,SPECS,SRPMS}
ls "$dir"/RPMS/*/*.rpm
