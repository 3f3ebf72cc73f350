#!/bin/sh
# SPDX-License-Identifier: MIT
# Proves that the tests notice mistakes: makes one after the other in a copy of the sources, and a test has to fail.
#
#   scripts/mutations.sh [NUMBER...]    all mutations, or those of these numbers
#   scripts/mutations.sh --check        whether each still applies to the sources; nothing is built
#
# The mutations stand in tests/mutations/*.txt, one paragraph each:
#
#   what  the mistake, in a sentence
#   in    FILE [FUNCTION]               where its text stands exactly once
#   -     the text, part of one line
#   +     what takes its place
#   test  PROGRAM [wine] [hangs]        what fails by it; under Wine; a time-out counts as well
#
# If that test passes, all others are run, too. The last line sums up; the exit status is 0 only when all were killed,
# and 77 when some could not be tried. Two runs at once want a directory each: MUTATIONS_BUILD=build/other.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

tab=$(printf '\t')

# Prints FILE, changed as the mutation says.
apply() {
    mutation_find=$3 mutation_with=$4 awk -v function_name="$2" -f tests/mutations/apply.awk "$1"
}

check() {
    list=$(awk -v wanted= -f tests/mutations/list.awk tests/mutations/*.txt) && [ -n "$list" ] || return 1
    printf '%s\n' "$list" | {
        stale=0
        while IFS=$tab read -r number kind program hangs file function what find with; do
            apply "$file" "$function" "$find" "$with" >/dev/null || {
                printf '%s: %s: the mutation no longer applies\n' "$file" "$what"
                stale=1
            }
        done
        exit "$stale"
    }
}

if [ "${1-}" = --check ]; then
    check
    exit
fi

need_packages cmake ninja-build $packages_native

work=$PWD/${MUTATIONS_BUILD:-build/mutations}
tree=$work/tree
limit=120 # seconds for one test of a mutation
total=0 killed=0 skipped=0
mkdir -p "$work"
# Files of the copy are newer than all objects, also those of a run that was broken off.
rm -rf "$tree" "$work/pipe"
mkdir "$tree"
mkfifo "$work/pipe"
cp -R CMakeLists.txt cmake include exports src tools tests examples bench docs scripts LICENSE "$tree"

give_up() {
    tail -n 40 "$work/log" >&2
    printf 'mutations: %s\n' "$1" >&2
    exit 1
}

finish() {
    [ ! -x "$work/x64/wine-run" ] || "$work/x64/wine-run" --end
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# Which of the mutations were asked for, each on a line.
awk -v wanted=" $* " -f tests/mutations/list.awk tests/mutations/*.txt >"$work/list" || exit 1
programs_of() {
    awk -F "$tab" -v kind="$1" '$2 == kind && !seen[$3]++ { print $3 }' "$work/list"
}

configure() {
    case $1 in
    native) set -- native -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ ;;
    wine) set -- x64 "-DCMAKE_TOOLCHAIN_FILE=$tree/cmake/mingw-x86_64.cmake" ;;
    esac
    directory=$work/$1
    shift
    PSS_DEPS_DIR=${PSS_DEPS_DIR:-$PWD/build/deps} cmake -S "$tree" -B "$directory" -G Ninja \
        -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPSS_WARNINGS_ARE_ERRORS=OFF "$@" >"$work/log" 2>&1 ||
        give_up "$directory could not be configured"
}

# Runs tests until the first one fails, and keeps what they print in the log; Wine's programs run to their end.
run() {
    seconds=$1 pattern=$2 status=0
    timeout -k 5 "$seconds" ctest --test-dir "$directory" -R "^($pattern)\$" -FA wine -j 2 -V --no-tests=error \
        >"$work/pipe" 2>&1 &
    runner=$!
    if [ $kind = native ]; then
        sed '/\[  FAILED  \]/q' <"$work/pipe" >"$work/log"
        ! grep -q '\[  FAILED  \]' "$work/log" || kill $runner 2>/dev/null || :
    else
        cat <"$work/pipe" >"$work/log"
    fi
    wait $runner || status=$?
}

# Builds programs and runs their tests; sets $outcome.
try() {
    outcome=unbuilt
    ninja -C "$directory" "$@" >"$work/log" 2>&1 || return 0
    run $((limit * $#)) "$(printf '%s|' "$@" | sed 's/|$//')"
    if grep -q '\[  FAILED  \]' "$work/log"; then
        outcome=failed
    elif [ "$status" -eq 124 ] || grep -q -e '\*\*\*Timeout' -e 'did not end in time' "$work/log"; then
        outcome=late
    elif grep -q -e '\*\*\*Not Run' -e '\*\*\*Skipped' -e 'server ended while' -e 'No tests were found' "$work/log"; then
        outcome=unrun
    elif [ "$status" -eq 0 ]; then
        outcome=passed
    else
        outcome=failed
    fi
}

# Sets $verdict to "killed by ..." or to what went wrong.
judge() {
    program=$1 hangs=$2
    verdict=
    try "$program"
    by=$program
    if [ "$outcome" = passed ] && [ "$kind" = native ]; then
        try $(cd tests/native && ls native_*.c | sed 's/\.c$//')
        by="$(sed -n 's/^.*\[  FAILED  \] \(test_[a-z_0-9]*\).*/\1/p' "$work/log"), and not by $program"
    fi
    case $outcome in
    failed) verdict="killed by $by" ;;
    late) [ "$hangs" = hangs ] && verdict="killed by $by" || verdict='NOT KILLED: a time-out' ;;
    passed) verdict='SURVIVED' ;;
    unbuilt) verdict='ERROR: it does not build' ;;
    unrun) verdict='ERROR: its test did not run' ;;
    esac
}

# Makes the mistake, and takes it back.
mutate() {
    number=$1 program=$2 hangs=$3 file=$4 function=$5 what=$6 find=$7 with=$8
    apply "$file" "$function" "$find" "$with" >"$work/mutant" || {
        verdict='ERROR: it no longer applies'
        return 0
    }
    cp "$work/mutant" "$tree/$file"
    judge "$program" "$hangs"
    cp "$file" "$tree/$file"
}

for kind in native wine; do
    programs=$(programs_of $kind)
    [ -n "$programs" ] || continue
    if [ $kind = wine ] && ! { command -v wine && command -v x86_64-w64-mingw32-gcc-win32; } >/dev/null; then
        skipped=$(grep -c "^[0-9]*${tab}wine" "$work/list")
        printf 'skipped: %d mutations need Wine and MinGW-w64\n' "$skipped"
        total=$((total + skipped))
        continue
    fi
    configure $kind
    try $programs
    [ "$outcome" = passed ] || give_up "the tests fail without a mutation: $outcome"
    while IFS=$tab read -r number its_kind program hangs file function what find with; do
        [ "$its_kind" = $kind ] || continue
        mutate "$number" "$program" "$hangs" "$file" "$function" "$what" "$find" "$with" </dev/null
        total=$((total + 1))
        case $verdict in
        killed*) killed=$((killed + 1)) ;;
        *) cp "$work/log" "$work/$number.log" ;;
        esac
        printf '%3d  %s: %s: %s\n' "$number" "$file" "$what" "$verdict"
    done <"$work/list"
done

if [ "$skipped" -eq 0 ]; then
    printf '%d mutations, %d killed\n' "$total" "$killed"
else
    printf '%d mutations, %d killed, %d skipped\n' "$total" "$killed" "$skipped"
fi
[ "$total" -eq $((killed + skipped)) ] && [ "$total" -gt 0 ] || exit 1
[ "$skipped" -eq 0 ] || exit 77
