#!/bin/sh
# SPDX-License-Identifier: MIT
# The long versions of what the tests sample, and the table of the README that tells what was done.
#
#   scripts/soak.sh                  everything, one part after the other: half a day
#   scripts/soak.sh PART...          some parts: x64 x86 native fuzz mutations coverage
#   scripts/soak.sh --table          the table of what was run last, part by part; where x64, x86 and native were never run
#                                    here, of the samples that scripts/test.sh took
#   scripts/soak.sh --write          puts that table into the README
#
# x64, x86 and native run the tests of a build of their own with -DPSS_SOAK=ON: every call is made to fail, not some; fuzz
# is an hour of scripts/fuzz.sh (FUZZ_MINUTES for another time). The exit status is not 0 when a part failed.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

soak=build/soak
mkdir -p "$soak"

configure() {
    case $1 in
    x64) set -- x64 "-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/mingw-x86_64.cmake" ;;
    x86) set -- x86 "-DCMAKE_TOOLCHAIN_FILE=$PWD/cmake/mingw-i686.cmake" ;;
    native) set -- native -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ ;;
    esac
    PSS_DEPS_DIR=${PSS_DEPS_DIR:-$PWD/build/deps} cmake -S . -B "$soak/$1" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DPSS_SOAK=ON "$2" ${3+"$3"} && cmake --build "$soak/$1" -j 2
}

# What is packaged and consumed does not get better by being repeated; but the release is made twice.
run_tests() {
    rm -f "$soak/$1/results.xml"
    configure "$1" && ctest --test-dir "$soak/$1" -j 2 -V -E '^(build_([^r]|r[^e])|consumer_|fuzz_)' --output-junit results.xml \
        --test-output-size-passed 1000000 --test-output-size-failed 1000000
}

# Every other one at the same time.
run_mutations() {
    last=$(cat tests/mutations/*.txt | grep -c '^what ')
    MUTATIONS_BUILD=$soak/mutations-even scripts/mutations.sh $(seq 2 2 "$last") >"$soak/even.log" 2>&1 &
    status=0
    MUTATIONS_BUILD=$soak/mutations-odd scripts/mutations.sh $(seq 1 2 "$last") || status=1
    wait $! || status=1
    cat "$soak/even.log"
    return "$status"
}

run_part() {
    case $1 in
    fuzz) scripts/fuzz.sh "${FUZZ_MINUTES:-60}" ;;
    mutations) run_mutations ;;
    coverage) scripts/coverage.sh ;;
    *) run_tests "$1" ;;
    esac
}

# What the tests of a part printed and came to: JUNIT.
sum_up_tests() {
    sum_up_tallies "$1"
    awk -f scripts/count-tests.awk "$1" | awk '{ printf "passed %d\nfailed %d\nskipped %d\n", $1, $2, $3 }'
}

sum_up_tallies() {
    sed -n 's/^\([0-9]*: \)\{0,1\}tally: \([a-z-]*\) \([0-9]*\).*$/\2 \3/p' "$1" |
        awk '{ sum[$1] += $2 } END { for (name in sum) printf "%s %.0f\n", name, sum[name] }' | sort
}

# Keeps "NAME VALUE" lines of a part: what it counted, and the outcome of its tests.
sum_up() {
    case $1 in
    x64 | x86 | native) sum_up_tests "$soak/$1/results.xml" ;;
    fuzz) sum_up_tallies "$soak/fuzz.log" ;;
    mutations)
        sed -n 's/^\([0-9]*\) mutations, \([0-9]*\) killed.*/\1 \2/p' "$soak/mutations.log" |
            awk '{ all += $1; killed += $2 } END { printf "mutations %d\nkilled %d\n", all, killed }'
        ;;
    coverage) sed -n 's/^branch coverage: .*(\([0-9]*\) of \([0-9]*\)).*/reached \1\nbranches \2/p' "$soak/coverage.log" ;;
    esac
    printf 'commit %s\ndate %s\n' "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" "$(date -u +%F)"
}

for_each_part() {
    failed=0
    for part in "$@"; do
        printf '== %s\n' "$part"
        status=0
        run_part "$part" >"$soak/$part.log" 2>&1 </dev/null || status=$?
        sum_up "$part" >"$soak/$part.result"
        cat "$soak/$part.result"
        [ "$status" -eq 0 ] || {
            printf '%s FAILED (%d), see %s\n' "$part" "$status" "$soak/$part.log"
            failed=1
        }
    done
    [ "$failed" -eq 0 ]
}

# The last run of scripts/test.sh: PART.
sample_of() {
    case $1 in
    x64 | x86) echo "build/mingw-$1/results.xml" ;;
    *) echo "build/$1/results.xml" ;;
    esac
}

table() {
    for part in x64 x86 native fuzz mutations coverage; do
        sample=$(sample_of "$part")
        if [ -e "$soak/$part.result" ]; then
            sed "s/^/$part /" "$soak/$part.result"
        elif [ -e "$sample" ]; then
            { sum_up_tests "$sample" && cat build/tested && echo 'extent sample'; } | sed "s/^/$part /"
        fi
    done | awk -f scripts/soak.awk
}

# Between its two marks the README has the table; everything else in it stays.
write() {
    table >"$soak/table.md"
    awk -v table="$soak/table.md" '
        /^<!-- soak -->$/ { print; while ((getline line < table) > 0) print line; inside = 1; found++; next }
        /^<!-- end of soak -->$/ { inside = 0 }
        !inside
        END { exit found != 1 }' README.md >"$soak/README.md"
    cat "$soak/README.md" >README.md
}

case ${1-} in
--table) table ;;
--write) write ;;
-*)
    sed -n '3,14s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
*)
    need_packages $packages_windows $packages_native $packages_linkers llvm
    [ $# -gt 0 ] || set -- x64 x86 native fuzz mutations coverage
    status=0
    for_each_part "$@" || status=1
    printf '\n'
    table
    exit "$status"
    ;;
esac
