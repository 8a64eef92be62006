#!/bin/bash
# demo.sh [BUILD] - what `make run` does once all is built: start postern with
# demo.conf as an ordinary user, send a message to it, and show its way.  Stays
# until Ctrl-C; with ONCE=1 ends after the demonstration.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${1:-build} port=2525 log=run/postern.log

fail() {
	echo "run: $*" >&2
	exit 1
}

# A reply of one or more lines on descriptor 3, shown; its code must be $1.
hear() {
	local line
	while IFS= read -r -t 20 line <&3; do
		echo "    S: ${line%$'\r'}"
		last=${line%$'\r'}
		[ "${line:3:1}" = - ] || break
	done
	[ "${last:0:3}" = "$1" ] || fail "expected $1"
}

say() {
	echo "    C: $1"
	printf '%s\r\n' "$1" >&3
	hear "$2"
}

stop() {
	trap '' INT TERM
	kill -TERM "$pid" 2>/dev/null
	wait "$pid"
	status=$?
	[ $status = 0 ] || { tail -n 20 "$log" >&2; fail "ended with $status"; }
	echo "Stopped; what was still queued waits below $PWD/run."
}

# Nobody cannot enter a home that is closed to others, as root's is: there all
# that is needed is copied to where he can.
go_where_nobody_can() {
	local programs
	programs=$(realpath "$build")
	"${as_user[@]}" test -x "$programs/postern" -a \
	    -r "$PWD/conf/examples/demo.conf" && return
	away=$(mktemp -d "${TMPDIR:-/tmp}/postern-run.XXXXXX") &&
	    mkdir -p "$away/build" "$away/conf/examples" "$away/run" &&
	    chmod 755 "$away" && cp conf/examples/demo.conf \
	    "$away/conf/examples" && find "$programs/" -maxdepth 1 -type f \
	    -name 'postern*' -perm /0100 -exec cp {} "$away/build/" \; &&
	    chmod -R a+rX "$away" && cd "$away" ||
	    fail "nobody cannot reach $PWD, and it cannot be copied"
	build=build
	"${as_user[@]}" test -x "$PWD/$build/postern" ||
	    fail "nobody cannot reach $PWD either: run me as a user"
	echo "Others cannot reach where you are: postern runs in $away."
}

mkdir -p run || fail "cannot make ./run"

# The demonstration needs no right of root's, and takes none: as root it runs
# in a user namespace, as user 1000 there, or else as nobody.
as_user=()
if [ "$(id -u)" = 0 ]; then
	as_user=(unshare --user --map-user=1000 --map-group=1000)
	if ! "${as_user[@]}" true 2>/dev/null; then
		as_user=(setpriv --reuid=65534 --regid=65534 --clear-groups)
		go_where_nobody_can
		chown -R 65534:65534 run
	fi
	echo "You are root: postern runs without root's rights all the same."
fi

if (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null; then
	fail "port $port of 127.0.0.1 is in use; end what uses it, or change" \
	    "the port in conf/examples/demo.conf and conf/examples/demo.sh"
fi

: >"$log" || fail "cannot write $log"
"${as_user[@]}" "$build/postern" -f conf/examples/demo.conf 2>>"$log" &
pid=$!
trap 'stop; exit 0' INT TERM
for _ in {1..200}; do
	grep -q "\[$pid\]: event=ready" "$log" && break
	kill -0 "$pid" 2>/dev/null || { cat "$log" >&2; fail "did not start"; }
	sleep 0.1
done
grep -q "\[$pid\]: event=ready" "$log" || { cat "$log" >&2; stop; exit 1; }

echo "postern takes mail on 127.0.0.1:$port.  Its processes:"
ps -o pid=,args= --pid "$pid" --ppid "$pid" | sed 's/^/    /'
echo
echo "A message to demo@example.org, over SMTP:"
exec 3<>/dev/tcp/127.0.0.1/$port || fail "cannot connect"
hear 220
say "EHLO client.example.org" 250
say "MAIL FROM:<you@example.org>" 250
say "RCPT TO:<demo@example.org>" 250
say "DATA" 354
printf '%s\r\n' "From: <you@example.org>" "To: <demo@example.org>" \
    "Subject: A message goes all the way" "" \
    "Taken by the edge, kept by the queue, delivered by the relay." >&3
say "." 250
id=${last##* }
say "QUIT" 221
exec 3>&-

for _ in {1..200}; do
	grep -q "event=removed.* id=$id" "$log" && break
	sleep 0.1
done
echo
echo "What the log says of it (grep $id $log):"
grep "id=$id" "$log" | sed 's/^/    /'
file=$(grep -rlF "$id" run/mail 2>/dev/null | head -n 1)
[ -n "$file" ] || { tail -n 20 "$log" >&2; stop; fail "was not delivered"; }
echo
echo "And the delivered file, $file:"
sed 's/^/    /' "$file"
tool=("$build/posternctl" -f conf/examples/demo.conf)
echo
echo "How it is (${tool[*]} status):"
"${as_user[@]}" "${tool[@]}" status >run/status || { stop; fail "no answer"; }
sed 's/^/    /' run/status
echo
if [ "${ONCE:-}" = 1 ]; then
	stop
	exit 0
fi
cat <<END
It stays up until Ctrl-C.  Things to try in another terminal:
    tail -f $log
    ${tool[*]} --help
    ${tool[*]} queue list
    printf 'Subject: hi\n\nhello\n' | curl -s --mail-from you@example.org \\
        --mail-rcpt bob@example.org -T - smtp://127.0.0.1:$port
    swaks --server 127.0.0.1:$port --to bob@example.org
    kill -9 \$(pgrep -f 'postern: queue')      (it is back at once, and so is
                                               what it had acknowledged)
    kill -HUP $pid                             (after changing demo.conf)
    man -l man/postern.conf.5    and    man -l man/posternctl.8
END
while kill -0 "$pid" 2>/dev/null; do
	wait "$pid"
done
fail "postern has ended: see $log"
