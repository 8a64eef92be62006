#!/bin/bash
# man.sh - the pages are clean mdoc, each program has one, and each page that
# one of them refers to exists.
set -u
cd "$(dirname "$0")/../.." || exit 1
bad=0
for page in man/*.[0-9]; do
	# .Xr is compared below: mandoc knows installed pages only.
	out=$(mandoc -Tlint -W style "$page" 2>&1 |
	    grep -vE 'manual not found|outdated mandoc')
	[ -z "$out" ] || { echo "$out"; bad=1; }
	# A .Ql that other macros follow in its line quotes all of them.
	out=$(mandoc -Tutf8 "$page" | col -b | tr -s ' \n' '  ' |
	    grep -oE "‘[^’]{0,60}‘|’’")
	[ -z "$out" ] || { echo "$page: quotes within quotes: $out"; bad=1; }
done
# Pages of other packages that ours refer to; sendmail(1) has three names.
OTHERS="bpf.2 cron.8 crypt.3 crypt.5 fail2ban-client.1 fcntl.2 glob.7 hosts.5
    io_uring.7 journalctl.1 jq.1 logrotate.8 mailq.1 newaliases.1
    nsswitch.conf.5 openssl-rehash.1 passwd.5 perf_event_open.2
    resolv.conf.5 sendmail.1 sysexits.3 systemctl.1 systemd.1
    systemd.exec.5 doveconf.1 swaks.1"
while read -r file line _ name section _; do
	others=" ${OTHERS//[$'\n']/ } "
	[ -f "man/$name.$section" ] || [[ $others == \
	    *" $name.$section "* ]] || {
		echo "$file:$line: there is no page $name($section)"
		bad=1
	}
done < <(grep -nE '^\.(Xr|It Xr|Fn Xr) ' man/*.[0-9] |
    sed -E 's/^([^:]*):([0-9]+):\.It /\1:\2:./; s/:/ /; s/:/ /')
for program in $(make -s programs); do
	ls "man/$program".[18] >/dev/null 2>&1 ||
	    { echo "man/$program.8 is missing"; bad=1; }
done
[ -f man/postern.conf.5 ] || { echo "man/postern.conf.5 is missing"; bad=1; }
exit $bad
