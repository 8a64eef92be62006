#!/bin/bash
# bench.sh [BUILD] - how many messages a second postern takes (each 250 on
# disk) and relays to smtp-sink, and how many pass through a proxy (each 250 the
# sink's own), at 1, 20 and 100 sessions; and the same by DATA and by BDAT.
# The queue lies in $DIR, a fresh directory in build/ where nothing else is
# said: the numbers are those of its disk.
set -u
cd "$(dirname "$0")/.." || exit 1
build=$(realpath "${1:-build}") peers=$(realpath build/peers)
export LD_LIBRARY_PATH=$peers/usr/lib/postfix
dir=$(mktemp -d "${DIR:-build}/bench-XXXXXX") && dir=$(realpath "$dir")
port=12525 hop=12526 through=12527 count=${COUNT:-20000} size=${SIZE:-4096}
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait; rm -rf "$dir"' EXIT
as_user=() sink_user=()
if [ "$(id -u)" = 0 ]; then
	as_user=(unshare --user --map-user=1000 --map-group=1000)
	sink_user=(-u nobody)
fi

cat >"$dir/postern.conf" <<END
process { hostname mx.test.example; run_dir run }
edge in {
	type smtp
	listener { interface 127.0.0.1; port $port }
	queue main
}
edge through {
	type smtp
	listener { interface 127.0.0.1; port $through }
	relay behind
}
queue main { type lmdb; path run/queue; relay out }
relay out {
	type static; host 127.0.0.1; port $hop; concurrent_connections 20
}
relay behind {
	type static; host 127.0.0.1; port $hop; concurrent_connections 100
}
END

removed() { grep -c event=removed "$dir/log"; }
now() { date +%s.%N; }
rate() { awk "BEGIN { printf \"%.0f\", $1 / ($3 - $2) }"; }

"$peers/usr/sbin/smtp-sink" "${sink_user[@]}" 127.0.0.1:$hop 512 &
pids+=($!)
env -u LD_LIBRARY_PATH "${as_user[@]}" "$build/postern" \
    -f "$dir/postern.conf" 2>"$dir/log" &
pids+=($!)
until grep -q "\[$!\]: event=ready" "$dir/log"; do
	kill -0 $! || { cat "$dir/log"; exit 1; }
	sleep 0.1
done

# send SESSIONS MESSAGES PORT
send() {
	"$peers/usr/sbin/smtp-source" -d -s $1 -m $2 -l "$size" \
	    -f ann@here.example -t bob@there.example 127.0.0.1:$3 || exit 1
}

printf '%8s %8s %10s %10s %10s\n' sessions messages taken/s relayed/s passed/s
for sessions in 1 20 100; do
	n=$count
	[ $sessions = 1 ] && n=$((count / 10))
	before=$(removed) start=$(now)
	send $sessions $n $port
	taken=$(now)
	until [ "$(removed)" -ge $((before + n)) ]; do
		sleep 0.05
	done
	relayed=$(now)
	send $sessions $n $through
	printf '%8d %8d %10s %10s %10s\n' $sessions $n \
	    "$(rate $n "$start" "$taken")" "$(rate $n "$start" "$relayed")" \
	    "$(rate $n "$relayed" "$(now)")"
done
/usr/bin/python3 tests/bench/bdat.py $port $through $((count / 10)) "$size"
