#!/bin/bash
# handshakes.sh BUILD - TLS handshakes a second of one edge: the key in the
# vault, beside the same edge with the key in the process (bench only), for
# RSA-2048 and P-256.  16 clients (openssl s_time) for $SECONDS_EACH seconds, in
# turns, ROUNDS times.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$(realpath "$1")
dir=$(mktemp -d "$build/handshakes-XXXXXX") || exit 1
each=${SECONDS_EACH:-6} rounds=${ROUNDS:-3} port=12565
master=
trap '[ -z "$master" ] || kill $master; wait; rm -rf "$dir"' EXIT
as_user=()
[ "$(id -u)" != 0 ] ||
    as_user=(unshare --user --map-user=1000 --map-group=1000)

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=bench.example \
    -keyout "$dir/rsa.key" -out "$dir/rsa.crt" 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \
    -subj /CN=bench.example -keyout "$dir/ec.key" -out "$dir/ec.crt" \
    2>/dev/null
for kind in rsa ec; do
	cat "$dir/$kind.crt" "$dir/$kind.key" >"$dir/$kind.pem"
done

# Programs lie beside postern: a directory of links for each of the two.
for way in vault here; do
	mkdir "$dir/$way"
	for program in "$build"/postern*; do
		[ -f "$program" ] && cp "$program" "$dir/$way/"
	done
done
cp "$build/bench/postern-edge" "$dir/here/postern-edge"

# start WAY KIND
start() {
	cat >"$dir/conf" <<END
process { hostname bench.example; run_dir run }
edge in {
	type smtp
	listener { interface 127.0.0.1; port $port }
	queue main; tls_immediately yes
	tls { certfile $2.pem; keyfile $2.key }
}
queue main { type lmdb; path run/queue; relay out }
relay out { type blackhole }
END
	rm -rf "$dir/run"
	"${as_user[@]}" "$dir/$1/postern" -f "$dir/conf" 2>"$dir/log" &
	master=$!
	until grep -q "\[$master\]: event=ready" "$dir/log"; do
		kill -0 $master || { cat "$dir/log"; exit 1; }
		sleep 0.1
	done
}

# run: handshakes a second, all clients together.
run() {
	local pids=() i
	for i in $(seq 16); do
		openssl s_time -connect 127.0.0.1:$port -new -time "$each" \
		    >"$dir/out.$i" 2>/dev/null &
		pids+=($!)
	done
	wait "${pids[@]}"
	sed -nE 's/^([0-9]+) connections in ([0-9]+) real seconds.*/\1 \2/p' \
	    "$dir"/out.* | awk '{ sum += $1 / $2 } END { printf "%.0f", sum }'
}

printf '%8s %10s %14s\n' key "key in" handshakes/s
for kind in rsa ec; do
	for round in $(seq "$rounds"); do
		for way in vault here; do
			start $way $kind
			printf '%8s %10s %14s\n' $kind $way "$(run)"
			kill $master; wait $master 2>/dev/null; master=
		done
	done
done
