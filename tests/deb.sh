#!/bin/bash
# deb.sh DIR [ROOT] - the packages of DIR in a Debian of their own: made by
# mmdebstrap, with a real systemd as the first process of namespaces, so no
# virtual machine is needed.  What is done there is debian/tests/steps.
# ROOT is where that Debian goes (a new directory; it is removed at the end).
# Before that they are built again, and must be the same to the byte; PREBUILT
# is where the programs are if they were packed and not built.
# As root, with a mirror of Debian in reach; takes three minutes or so.
set -u
cd "$(dirname "$0")/.." || exit 1
debs=$1
root=${2:-$(mktemp -d)}/root
again=$(mktemp -d)
holder='' status=1

say() { echo "deb: $*"; }

end() {
	[ -z "$holder" ] || kill -KILL "$first" 2>/dev/null
	wait 2>/dev/null
	rm -rf --one-file-system "${root%/root}" "$again"
	exit $status
}
trap end EXIT

# The first process: its own mounts, then systemd.
boot='r=$1
mount --make-rprivate / && mount --bind $r $r && cd $r &&
mount -t proc proc proc && mount -t tmpfs -o mode=755 tmpfs dev || exit 1
for n in null zero full random urandom tty; do
	touch dev/$n && mount --bind /dev/$n dev/$n
done
mkdir -p dev/pts dev/shm .old
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts dev/pts
ln -s pts/ptmx dev/ptmx; ln -s /proc/self/fd dev/fd
for t in dev/shm run tmp sys; do mount -t tmpfs -o mode=1777 tmpfs $t; done
chmod 755 run sys; mkdir -p sys/fs/cgroup
mount -t cgroup2 cgroup2 sys/fs/cgroup && mount -o bind,ro /proc/sys proc/sys
ip link set lo up; hostname mx1; pivot_root . .old || exit 1
exec chroot . /usr/bin/env -i container=other \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd \
    --system --unit=multi-user.target --log-target=null'

say "building them again in $again"
(umask 077 && TZ=Pacific/Auckland debian/make.sh "$again/by/others" \
    ${PREBUILT:-}) >/dev/null || exit
for made in "$debs"/*.deb "$debs"/*.tar.*; do
	[ ! -e "$made" ] || cmp "$made" "$again/by/others/${made##*/}" || exit
done
say "ok    built twice they are the same"

packages=systemd,systemd-sysv,dbus,iproute2,procps
say "$(du -cBK "$debs"/*.deb | sed -n '$s/K.*/ KiB of packages/p')"
needs=$(dpkg-deb -f "$debs"/postern_*.deb Depends | tr ',' '\n' |
    sed -E 's/[|(].*//; s/ //g' | grep -v '^systemd' | paste -sd,)
say "making a Debian in $root"
mkdir -p "$root" && chmod 755 "${root%/root}"
mmdebstrap -q --variant=minbase --include="$packages,$needs" bookworm "$root" \
    2>/dev/null || { say "mmdebstrap failed"; exit; }
rm -f "$root"/lib/systemd/system/{getty@,systemd-udevd}.service
mkdir "$root/debs" && cp "$debs"/postern_*.deb "$debs"/postern-mta_*.deb \
    "$root/debs"
unshare -m -p -u -i -n -C -f bash -c "$boot" boot "$root" >/dev/null 2>&1 &
holder=$!
for _ in {1..100}; do
	first=$(pgrep -P "$holder") &&
	    [ -S "/proc/$first/root/run/dbus/system_bus_socket" ] && break
	sleep .2
done
cp debian/tests/steps "$root/debs"
python3 tests/e2e/howto.py Upgrade >"$root/debs/upgrade"
nsenter -t "$first" -m -p -u -i -n -C -r -w -- env -i TERM=dumb HOME=/root \
    PATH=/usr/sbin:/usr/bin:/sbin:/bin /debs/steps /debs
status=$?
