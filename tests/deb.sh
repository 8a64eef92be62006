#!/bin/bash
# deb.sh DIR [ROOT] - the packages of DIR in a Debian of their own: made by
# mmdebstrap, with a real systemd as the first process of namespaces, so no
# virtual machine is needed.  Installs, mails, reloads, breaks and mends the
# configuration, restarts, upgrades with mail queued, removes and purges.
# ROOT is where that Debian goes (a new directory; it is removed at the end).
# As root, with a mirror of Debian in reach; takes two minutes or so.
set -u
cd "$(dirname "$0")/.." || exit 1
debs=$1
root=${2:-$(mktemp -d)}/root
passed=0 failed=0 holder=

say() { echo "deb: $*"; }

end() {
	[ -z "$holder" ] || kill -KILL "$first" 2>/dev/null
	wait 2>/dev/null
	rm -rf --one-file-system "${root%/root}"
	say "$passed passed, $failed failed"
	[ $failed = 0 ] && [ $passed -gt 0 ]
}

# within COMMAND - in the running system
within() {
	nsenter -t "$first" -m -p -u -i -n -C -r -w -- env -i TERM=dumb \
	    PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
	    DEBIAN_FRONTEND=noninteractive bash -c "$1" 2>&1
}

# expect CLAIM COMMAND [WORD] - it ends with 0, and says the word
expect() {
	local out status

	out=$(within "$2")
	status=$?
	if [ $status = 0 ] && [[ $out == *"${3:-}"* ]]; then
		passed=$((passed + 1))
		say "ok    $1"
	else
		failed=$((failed + 1))
		say "FAIL  $1 ($status): $out"
	fi
}

# until it is so, for at most 20 seconds
soon() { echo "for i in {1..100}; do $1 && exit 0; sleep .2; done; exit 1"; }

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

packages=systemd,systemd-sysv,dbus,iproute2,procps
say "$(du -cBK "$debs"/*.deb | sed -n '$s/K.*/ KiB of packages/p')"
needs=$(dpkg-deb -f "$debs"/postern_*.deb Depends | tr ',' '\n' |
    sed -E 's/[|(].*//; s/ //g' | grep -v '^systemd' | paste -sd,)
say "making a Debian in $root"
mkdir -p "$root" && chmod 755 "${root%/root}"
mmdebstrap -q --variant=minbase --include="$packages,$needs" bookworm "$root" \
    2>/dev/null || { say "mmdebstrap failed"; failed=1; end; exit; }
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

conf=/etc/postern/postern.conf
expect "systemd is the first process" "ps -p 1 -o comm=" systemd
expect "both packages install" "dpkg -i /debs/*.deb"
expect "the service is ready" "systemctl is-active postern" active
expect "it says how much is queued" "systemctl status postern" "queued, "
expect "every process has its whole sandbox" \
    "! journalctl -u postern | grep -E 'without:|event=trouble'"
# RestrictSUIDSGID=yes hides openat2(2) from it.
expect "a Maildir is written, and a reload takes its relay" \
    "install -d -o mail -g mail /var/mail/box &&
sed -i 's/^\trelay smarthost\$/	route to @box.example relay box\n&/' \
    $conf
echo 'relay box { type maildir; user mail; path \"/var/mail/box/{user}\" }' \
    >>$conf
systemctl reload postern && echo hello | sendmail ann@box.example &&
$(soon 'ls /var/mail/box/ann/new/* >/dev/null 2>&1')"
expect "root's mail is in the mailbox of whom its alias names" \
    "useradd ann && echo 'root: ann' >>/etc/aliases && newaliases &&
echo hello | sendmail root && ($(soon 'grep -q hello /var/mail/ann')) &&
    stat -c '%U %G %a' /var/mail/ann" "ann mail 600"
expect "a bad configuration is not taken" \
    "echo 'edge x { typ smtp }' >>$conf; ! systemctl reload postern"
expect "and named in the journal" "journalctl -p err -u postern" "typ"
expect "a start with it fails for good" \
    "! systemctl restart postern;
    systemctl show postern -p NRestarts -p ExecMainStatus | paste -sd' '" \
    "NRestarts=0 ExecMainStatus=78"
expect "mended, it starts" "sed -i '\$d' $conf && systemctl start postern"
expect "mail is kept" \
    "for i in {1..20}; do echo x | sendmail bob@there.example || exit 1; done
    mailq" \
    bob@there.example
expect "a process that was killed is started anew, its mail still there" \
    "old=\$(pgrep -f '^postern: queue') && kill -KILL \$old &&
    $(soon 'posternctl status | grep -q "20"')"
expect "a restart refuses no connection, one each 10 ms" \
    "(until [ -e /tmp/over ]; do (exec 3<>/dev/tcp/127.0.0.1/25) ||
	echo refused >>/tmp/refused; echo >>/tmp/tried; sleep .01; done) \
	2>/dev/null & sleep .5; systemctl restart postern; sleep .5; >/tmp/over
    wait; test ! -e /tmp/refused && echo tried \$(wc -l </tmp/tried)" tried
# The next version is this one by another name.
mkdir "$root/next"
for deb in "$root"/debs/*.deb; do
	dpkg-deb -R "$deb" "$root/next/tree"
	sed -i 's/^Version: .*/&+1/' "$root/next/tree/DEBIAN/control"
	name=$(basename "$deb")
	dpkg-deb -b "$root/next/tree" "$root/next/${name/_/_next_}" >/dev/null
	rm -r "$root/next/tree"
done
expect "an upgrade as postern-howto(7) has it keeps what is queued" \
    "cd /next && ($(python3 tests/e2e/howto.py "Upgrade" |
	sed 's/^apt install/apt-get -q -y install/')) >/dev/null 2>&1 &&
    dpkg-query -W postern | grep -q '+1\$' && systemctl is-active postern &&
    test \$(mailq | grep -c bob@there.example) = 20"
expect "instances run beside it" "mkdir -p /var/lib/postern@two
sed '/^include/d; s|/run/postern/|/run/postern@two/|
s|^	type lmdb|&; path /var/lib/postern@two/outbound|' \
    $conf >/etc/postern/two.conf
echo 'process { run_dir /run/postern@two }' >>/etc/postern/two.conf
systemctl start postern@two &&
posternctl -f /etc/postern/two.conf status" sendmail
expect "removed, it runs no more" "systemctl stop postern@two; \
    dpkg -r postern-mta postern >/dev/null && ! pgrep -x postern"
expect "purged, only mail and users are left" \
    "rm -f /etc/postern/two.conf; dpkg -P postern-mta postern >/dev/null 2>&1; \
    ! ls -d /etc/postern /lib/systemd/system/postern* 2>/dev/null && \
    ls /var/lib/postern" outbound
end
