#!/bin/sh
# SPDX-License-Identifier: MIT
# Fuzzes for a while, from the committed corpora: a line for each target, and how much of the sources it is for it reached.
# The exit status is not 0 when a target found something; what it found is in build/fuzz/artefacts.
#
#   scripts/fuzz.sh [MINUTES]     all targets share the time, two at once; an hour if it is not said
#   scripts/fuzz.sh --merge       keeps what the runs found, as little of it as reaches as much, in tests/native/corpus/found

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

targets='reader ship calls capture pe'
fuzz=$PWD/build/fuzz
corpus=$PWD/tests/native/corpus
most_files=190

seeds_of() {
    case $1 in
    ship) echo "$corpus/reader" ;;
    *) echo "$corpus/$1" ;;
    esac
}

# What a target is for.
sources_of() {
    case $1 in
    capture) echo src/capture src/clone src/base ;;
    pe) echo tools/pe ;;
    ship) echo src/api/duplicate.c src/api/foreign.c src/descriptor/reader.c ;;
    calls) echo src/api/adopt.c src/api/live.c src/api/marker.c src/api/query.c src/api/walk.c ;;
    *) echo src/descriptor/reader.c src/api/query.c src/api/walk.c ;;
    esac
}

# build DIRECTORY [OPTION...]
build() {
    directory=$1
    shift
    PSS_DEPS_DIR=${PSS_DEPS_DIR:-$PWD/build/deps} cmake -S . -B "$directory" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ "$@" &&
        cmake --build "$directory" -j 2 --target $(printf 'fuzz_%s ' $targets)
}

quietly() {
    "$@" >"$fuzz/build.log" 2>&1 </dev/null || {
        tail -n 40 "$fuzz/build.log" >&2
        exit 1
    }
}

# In a shell of its own: TARGET SECONDS.
fuzz_one='
    mkdir -p "$FUZZ/corpus/$1" "$FOUND/$1"
    status=0
    "$FUZZ/build/bin/fuzz_$1" -max_total_time="$2" -timeout=20 -rss_limit_mb=3000 -print_final_stats=1 -error_exitcode=1 \
        -artifact_prefix="$FUZZ/artefacts/$1-" "$FUZZ/corpus/$1" "$FOUND/$1" "$3" >"$FUZZ/$1.log" 2>&1 </dev/null || status=$?
    echo "$status" >"$FUZZ/$1.status"'

# The number behind the last occurrence of a name in the log of a target.
last_number() {
    sed -n "s/.*$2 *\([0-9][0-9]*\).*/\1/p" "$fuzz/$1.log" | tail -n 1
}

report() {
    total=0
    failed=0
    for target in $targets; do
        executions=$(last_number "$target" 'stat::number_of_executed_units:')
        edges=$(last_number "$target" ' cov:')
        total=$((total + ${executions:-0}))
        printf 'fuzz: %s %d executions, %d edges, %d new units' "$target" "${executions:-0}" "${edges:-0}" \
            "$(last_number "$target" 'stat::new_units_added:')"
        sed -n 's/^fuzz: \(.* blocks accepted\)$/, \1/p' "$fuzz/$target.log" | tr -d '\n'
        printf '\n'
        [ "$(cat "$fuzz/$target.status")" -eq 0 ] && [ "${executions:-0}" -gt 0 ] || {
            printf 'fuzz: %s FAILED, see %s\n' "$target" "$fuzz/$target.log"
            failed=1
        }
    done
}

# The branches that all units of a target reach in the sources it is for.
report_branches() {
    for target in $targets; do
        program=$fuzz/coverage/bin/fuzz_$target
        LLVM_PROFILE_FILE=$fuzz/$target.profraw "$program" -runs=0 "$fuzz/corpus/$target" "$corpus/found/$target" \
            "$(seeds_of "$target")" >"$fuzz/$target.replay" 2>&1 || continue
        llvm-profdata merge -sparse -o "$fuzz/$target.profdata" "$fuzz/$target.profraw"
        printf 'fuzz: %s reaches %s of the branches of %s\n' "$target" "$(llvm-cov report "$program" \
            -instr-profile "$fuzz/$target.profdata" -show-branch-summary $(sources_of "$target") |
            awk '$1 == "TOTAL" { print $NF }')" "$(sources_of "$target")"
    done
}

run() {
    minutes=$1
    set -- $targets
    seconds=$((minutes * 60 / (($# + 1) / 2)))
    export FUZZ="$fuzz" FOUND="$corpus/found"
    rm -rf "$fuzz/artefacts"
    mkdir -p "$fuzz/artefacts"
    for target in $targets; do
        printf '%s %s %s\n' "$target" "$seconds" "$(seeds_of "$target")"
    done | xargs -P 2 -L 1 sh -c "$fuzz_one" fuzz
    report
    [ "$failed" -eq 0 ] || ls "$fuzz/artefacts"
    flags='-fprofile-instr-generate -fcoverage-mapping'
    quietly build "$fuzz/coverage" -DCMAKE_C_FLAGS="$flags" -DCMAKE_EXE_LINKER_FLAGS="$flags"
    report_branches
    printf 'tally: fuzz-executions %d\n' "$total"
    [ "$failed" -eq 0 ]
}

# Counters would tell a loop of three from one of four: edges alone are worth a file.
merge() {
    for target in $targets; do
        rm -rf "$fuzz/merged"
        mkdir -p "$fuzz/merged" "$corpus/found/$target"
        "$fuzz/build/bin/fuzz_$target" -merge=1 -use_counters=0 "$fuzz/merged" "$(seeds_of "$target")" "$corpus/found/$target" \
            "$fuzz/corpus/$target" >"$fuzz/merge.log" 2>&1 </dev/null || {
            tail -n 20 "$fuzz/merge.log" >&2
            exit 1
        }
        for seed in "$(seeds_of "$target")"/*; do
            rm -f "$fuzz/merged/$(sha1sum <"$seed" | cut -d ' ' -f 1)"
        done
        rm -f "$corpus/found/$target"/*
        ls -Sr "$fuzz/merged" | head -n "$most_files" | while read -r unit; do
            cp "$fuzz/merged/$unit" "$corpus/found/$target/"
        done
        printf '%s: %s units\n' "$target" "$(ls "$corpus/found/$target" | wc -l)"
    done
}

need_packages cmake ninja-build $packages_native llvm
mkdir -p "$fuzz"
case ${1-60} in
--merge)
    quietly build "$fuzz/build"
    merge
    ;;
*[!0-9]*)
    sed -n '3,7s/^# \{0,1\}//p' "$0"
    exit 2
    ;;
*)
    quietly build "$fuzz/build"
    run "${1-60}"
    ;;
esac
