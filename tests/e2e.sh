#!/bin/bash
# e2e.sh [PYTEST ARGUMENT...] - the end-to-end tests against the programs in
# $POSTERN_BUILD (build), three at a time for each processor, but three storms
# in all, and those marked alone by themselves.  Tests marked root run as root,
# two for each processor, by sudo where we are not; where that fails they fail.
# Counts go to the file $COUNTS too.
set -u
cd "$(dirname "$0")/.." || exit 1
POSTERN_BUILD=$(realpath "${POSTERN_BUILD:-build}")
PATH=$PATH:/usr/sbin:/sbin
report=$(mktemp -d) && trap 'rm -rf "$report"' EXIT
ulimit -n "$(ulimit -Hn)"

# run NAME PREFIX... - one run of pytest; PREFIX is sudo or nothing
run() {
	local name=$1 marker=$2
	shift 2
	"$@" env PYTHONDONTWRITEBYTECODE=1 POSTERN_BUILD="$POSTERN_BUILD" \
	    POSTERN_SOAK="${POSTERN_SOAK:-}" PATH="$PATH" \
	    ${POSTERN_SEED:+POSTERN_SEED="$POSTERN_SEED"} \
	    ${POSTERN_STORE:+POSTERN_STORE="$POSTERN_STORE"} \
	    POSTERN_PEERS="$PWD/build/peers" bash -c 'cd tests/e2e &&
	    exec /usr/bin/python3 -m pytest "$@"' pytest -c pytest.ini \
	    -m "$marker" --junitxml="$report/$name.xml" "${args[@]}"
	local status=$?
	[ $status = 5 ] && return 0	# nothing was chosen
	return $status
}

marker=${MARKER:-}
args=("$@")
by=()
if [ "$(id -u)" != 0 ] && sudo -n true 2>/dev/null; then
	by=(sudo -n)
fi
ok=0
also=${marker:+ and $marker}
args=("$@" -n "${E2E_JOBS:-$(($(nproc) * 3))}")
run user "not root and not alone and not storm$also" || ok=1
args=("$@" -n 3)
run storm "not root and storm$also" || ok=1
args=("$@")
run alone "not root and alone$also" || ok=1
args=("$@" -n "${E2E_ROOT_JOBS:-$(($(nproc) * 2))}")
run root "root$also" "${by[@]}" || ok=1

count() {
	cat "$report"/*.xml | grep -o '<testsuite [^>]*' |
	    grep -o " $1=\"[0-9]*\"" | tr -dc '0-9\n' | awk '{ n += $1 }
	    END { print n + 0 }'
}
bad=$(($(count errors) + $(count failures) + $(count skipped)))
good=$(($(count tests) - bad))
if [ $ok != 0 ] && [ $bad = 0 ]; then
	bad=1
fi
echo "end-to-end: $good passed, $bad failed"
[ -z "${COUNTS:-}" ] || echo "$good $bad end-to-end" >>"$COUNTS"
[ $bad = 0 ]
