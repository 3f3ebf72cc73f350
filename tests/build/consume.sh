# SPDX-License-Identifier: MIT
# Builds and runs programs that use pss.dll; sourced after common.sh. The check's own CC and TOOLCHAIN build them.

run_cmake() {
    "$CMAKE" "$@" >"$work/log" 2>&1 || {
        cat "$work/log"
        fail "cmake $* fails"
    }
}

# configure_consumer DIRECTORY HOW [OPTION...]: the consumer project, which may then be built.
configure_consumer() {
    directory=$1 how=$2
    shift 2
    run_cmake -S "$here/consumer" -B "$directory" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$TOOLCHAIN" -DHOW="$how" \
        -DCMAKE_BUILD_TYPE=Release "$@"
}

# check_dynamic FILE, check_static FILE: where its Pss* names come from, and that it captures itself.
check_dynamic() {
    list_imports "$1" | awk '$2 ~ /^Pss/' >"$work/pss"
    grep -q '^pss\.dll PssQuerySnapshot$' "$work/pss" || fail "$1 does not use pss.dll"
    if grep -v '^pss\.dll ' "$work/pss"; then
        fail "$1 takes Pss names from another DLL, see above"
    fi
    check_runs "$1"
}

check_static() {
    if list_imports "$1" | grep ' Pss'; then
        fail "$1 imports Pss names, see above"
    fi
    check_runs "$1"
}

# Wine gives status 0 to a program that was killed: what it says counts.
check_runs() {
    PSS_EXPECT='captured itself' "$RUN" "$1" >"$work/said" || fail "$1 ends with $?"
}

# consume_package PREFIX DLLS LIBRARIES: by find_package and by pkg-config from the tree in PREFIX, whose pss.dll and
# libraries of this architecture are in the other two directories.
consume_package() {
    configure_consumer "$work/found" find_package -DCMAKE_PREFIX_PATH="$1"
    run_cmake --build "$work/found"
    cmp "$2/pss.dll" "$work/found/pss.dll" || fail 'the package names another pss.dll'
    for language in c cpp; do
        check_dynamic "$work/found/dynamic_$language.exe"
        check_static "$work/found/static_$language.exe"
    done
    rm -rf "$work/found"

    pkgconf=$(command -v pkgconf || command -v pkg-config) || {
        pkgconf_skipped=yes
        return 0
    }
    PKG_CONFIG_LIBDIR=$3/pkgconfig
    export PKG_CONFIG_LIBDIR
    [ "$("$pkgconf" --modversion pss)" = "$VERSION" ] || fail 'pkg-config tells another version'
    mkdir "$work/flags"
    cp "$2/pss.dll" "$work/flags/"
    "$CC" $("$pkgconf" --cflags pss) "$here/consumer/main.c" -o "$work/flags/dynamic.exe" $("$pkgconf" --libs pss) ||
        fail 'the flags of pkg-config do not build'
    "$CC" $("$pkgconf" --static --cflags pss) "$here/consumer/main.c" -o "$work/flags/static.exe" -static \
        $("$pkgconf" --static --libs pss) || fail 'the static flags of pkg-config do not build'
    check_dynamic "$work/flags/dynamic.exe"
    check_static "$work/flags/static.exe"
    rm -rf "$work/flags"
}

# finish_consuming: a check without pkg-config is not a whole one.
pkgconf_skipped=
finish_consuming() {
    [ -z "$pkgconf_skipped" ] || {
        echo 'skipped: pkg-config is not installed (package pkgconf); everything else passed'
        exit 77
    }
}
