#!/bin/bash
# check.sh - all that a change must pass, with a line of figures and one count
# at the end: "N passed, N failed".  All of its output is in build/check.log.
set -u
cd "$(dirname "$0")/.." || exit 1
mkdir -p build
COUNTS=$(mktemp) && trap 'rm -f "$COUNTS"' EXIT
export COUNTS
export POSTERN_FIGURES=$PWD/build/figures	# what tests have measured
: >"$POSTERN_FIGURES"
unset MAKEFLAGS MAKELEVEL MFLAGS SAN BUILD CC
jobs=$(nproc)
LINKER=LDFLAGS=-fuse-ld=lld

# step NAME COMMAND... - counted as one test unless it counts for itself
step() {
	local name=$1 before status start=$SECONDS
	shift
	echo "== $name"
	before=$(wc -l <"$COUNTS")
	"$@"
	status=$?
	if [ "$(wc -l <"$COUNTS")" = "$before" ]; then
		echo "$((status == 0)) $((status != 0)) $name" >>"$COUNTS"
	fi
	[ $status = 0 ] || echo "== $name: FAILED"
	echo "== $name: $((SECONDS - start)) s"
	return $status
}

build() {
	make -s -j"$jobs" "$@" 2>&1 | grep -vE '^  (CC|LINK|FUZZ) '
	return "${PIPESTATUS[0]}"
}

unit() {
	local dir=$1
	tests/unit.sh "$dir"/unit/test_*
}

# The other builds, and a second of each fuzz target, use what the tests leave
# of the processors, for those wait more than they work.
others() {
	nice -n 19 make -s -j"$jobs" SAN=1 $LINKER unit-build \
	    >build/san.log 2>&1
	echo $? >build/san.status
	nice -n 19 make -s -j"$jobs" SAN=1 $LINKER fuzz-build \
	    >build/fuzz.log 2>&1
	echo $? >build/fuzz.status
	nice -n 19 make -s SAN=1 $LINKER fuzz SECONDS=1 >build/taste.log 2>&1
	echo $? >build/taste.status
	nice -n 19 make -s CC=clang BUILD=build/clang unseen \
	    >build/clang.log 2>&1
	echo $? >build/clang.status
}

# built NAME: how that build of others() ended
built() {
	until [ -f "build/$1.status" ]; do
		kill -0 "$builder" 2>/dev/null || break
		sleep 1
	done
	grep -vE '^  (CC|LINK|FUZZ) ' "build/$1.log"
	[ "$(cat "build/$1.status" 2>/dev/null)" = 0 ]
}

all() {
	rm -f build/{san,clang,fuzz,taste}.status
	if step "build with gcc" build CFLAGS=-g1 unit-build; then
		others &
		builder=$!
		step "lint" tests/lint.sh	# looks into objects, too
		step "unit tests" unit build
		step "end-to-end tests" tests/e2e.sh
	else
		others &
		builder=$!
		step "lint" tests/lint.sh
	fi
	if step "build with sanitizers" built san; then
		step "unit tests, sanitizers" unit build/san
		MARKER="not heavy and not alone and not storm" \
		    POSTERN_BUILD=build/san \
		    step "end-to-end tests, sanitizers" tests/e2e.sh
	fi
	step "what only the release has, with clang" built clang
	step "fuzz targets build" built fuzz
	step "fuzz targets, a taste" built taste
	wait "$builder"		# not for the tee, which waits for us
}

# Which tests failed in which step: of a long log its end is read.
names() {
	awk '/^== / && !/: (FAILED|[0-9]+ s)$/ { step = substr($0, 4) }
	    /^        \| *not ok / { sub(/.*not ok [0-9]+ (- )?/, "")
		why = why " " $0 }
	    /^  ok  / { why = "" }
	    /^  FAIL  / { sub(/^  FAIL  /, ""); sub(/:.*/, "")
		print "  failed: " $0 ":" why " (" step ")"; why = "" }
	    /^(FAILED|ERROR) [^ ]*\.py/ {
		print "  failed: " $2 " (" step ")" }' build/check.log
}

# What tests have measured, and how long each step took; one line.
figures() {
	{
		sort -u build/figures
		echo "$(ls man/*.[1-8] | wc -l) pages for which mandoc has" \
		    "$(grep -c '^mandoc: .*: \(STYLE\|WARNING\|ERROR\)' \
		    build/check.log) words"
		sed -n 's/^== \(.*\): \([0-9]* s\)$/\1 \2/p' build/check.log
	} | awk '{ line = line (NR > 1 ? ", " : "") $0 }
	    END { print "figures: " line }'
}

all > >(tee build/check.log) 2>&1
wait
passed=0 failed=0
while read -r good bad name; do
	passed=$((passed + good)) failed=$((failed + bad))
	[ "$bad" = 0 ] || echo "  $bad failed: $name"
done <"$COUNTS" > >(tee -a build/check.log)
wait
names >build/failed.log
tee -a build/check.log <build/failed.log
figures | tee -a build/check.log
echo "$passed passed, $failed failed" | tee -a build/check.log
[ $failed = 0 ] && [ $passed -gt 0 ]
