# SPDX-License-Identifier: MIT
# Helpers of the consumers; sourced. Each script is called for each stage with a DIRECTORY: `build` fetches the toolchain
# and leaves the program there beside pss.dll, and in unaware/ the same program made for kernel32; `run` runs the one,
# `unaware` the other by `pss run`. A script defines a function for each, and ends with `do_stage`. The facts of the
# build come in the environment.

stage=$1 out=$2
. "$(dirname "$0")/../build/common.sh"

skip() {
    printf 'skipped: %s\n' "$*"
    exit 77
}

# Sets $toolchain to the directory of an item of cmake/deps.sh. $2 = the packages that it is made of.
get_toolchain() {
    toolchain=$(timeout 240 "$SOURCE/cmake/deps.sh" "$DEPS" "$1" 2>"$work/fetch") || {
        cat "$work/fetch"
        skip "these packages cannot be fetched, or not in time: $2"
    }
}

# A compiler that needs more than its packages, such as another system, does not even tell its version.
require_start() {
    "$@" >"$work/start" 2>&1 || {
        cat "$work/start"
        skip "this does not start here: $*"
    }
    head -n 1 "$work/start"
}

# The program asks pss.dll for the names, and not kernel32, whose import library has them, too.
check_imports() {
    list_imports "$out/$1" | awk '$2 ~ /^Pss/' >"$work/pss"
    grep -q '^pss\.dll PssCaptureSnapshot$' "$work/pss" || fail "$1 does not import from pss.dll"
    ! grep -v '^pss\.dll ' "$work/pss" || fail "$1 imports from the wrong DLL, see above"
}

# make_unaware SOURCE COPY: the same source, but asking kernel32, as a program does that never heard of pss.dll.
make_unaware() {
    mkdir -p "$out/unaware"
    cp -R "$1" "$2"
    find "$2" -type f -exec sed -i -e "s/\(['\"]\)pss\.dll\1/\1kernel32.dll\1/" -e '/^#\[link(name = "pss")\]$/d' {} +
    if diff -r "$1" "$2" >/dev/null; then
        fail "$1 does not name pss.dll"
    fi
}

check_unaware_imports() {
    list_imports "$out/unaware/$1" | tr A-Z a-z | grep -q '^kernel32\.dll psscapturesnapshot$' ||
        fail "unaware/$1 does not import from kernel32"
}

# check_run PATTERN PROGRAM [ARGUMENT...]: it ends well, and says one line that matches the pattern.
check_run() {
    pattern=$1
    shift
    "$RUN" "$@" >"$work/said" 2>"$work/errors" || {
        status=$?
        cat "$work/said" "$work/errors"
        fail "$* ends with $status"
    }
    tr -d '\r' <"$work/said" | tee "$work/line"
    [ "$(wc -l <"$work/line")" -eq 1 ] && grep -Eqx "$pattern" "$work/line" || fail "this is not: $pattern"
}

# check_unaware PATTERN PROGRAM [ARGUMENT...]: it does not work without help, and does by `pss run`.
check_unaware() {
    pattern=$1
    shift
    "$RUN" "$@" >"$work/plain" 2>&1 || : # Wine gives status 0 to some programs that were killed.
    if tr -d '\r' <"$work/plain" | grep -Eqx "$pattern"; then
        skip 'kernel32 of this Wine has the API'
    fi
    check_run "$pattern" "$BIN/pss.exe" run "$@"
}

do_stage() {
    case $stage in
    build)
        rm -rf "$out"
        mkdir -p "$out"
        cp "$BIN/pss.dll" "$out/"
        build
        : >"$out/built"
        ;;
    run | unaware)
        [ -e "$out/built" ] || skip 'the toolchain is missing: the log of the test that builds this has the packages'
        "$stage"
        ;;
    *) fail "no stage $stage" ;;
    esac
}
