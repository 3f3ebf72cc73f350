# SPDX-License-Identifier: MIT
# MSVC's ABI: an object of clang with that target links with lld-link against pss.lib, and the program imports pss.dll
# and runs. On x64 the static library links, too; on x86 it wants helpers of gcc that MSVC does not have.

. "$(dirname "$0")/common.sh"

lld=$(command -v lld-link) || {
    echo 'skipped: lld-link is not installed (package lld)'
    exit 77
}
clang=$(command -v clang) || {
    echo 'skipped: clang is not installed (package clang)'
    exit 77
}
headers=
for directory in /usr/include/wine/wine /usr/include/wine /usr/local/include/wine /opt/wine*/include/wine; do
    [ -n "$headers" ] || [ ! -e "$directory/windows/windows.h" ] || headers=$directory
done
[ -n "$headers" ] || {
    echo "skipped: Wine's headers are not installed (package libwine-dev)"
    exit 77
}
[ -e "$BUILD/exports/pss.lib" ] || {
    echo 'skipped: pss.lib was not built, llvm-dlltool is not installed (package llvm)'
    exit 77
}
processor=x86_64 flags=
[ "$ARCH" = x64 ] || processor=i686 flags=/safeseh:no
mingw_library() {
    "$CC" -print-file-name="$1"
}

# compile_object FILE [OPTION...]: MinGW's headers know gcc's ABI only; Wine's know this one, too.
compile_object() {
    object=$1
    shift
    "$clang" --target=$processor-pc-windows-msvc -std=c11 -O1 -w -ffreestanding -isystem "$headers/msvcrt" \
        -isystem "$headers/windows" -I "$SOURCE/include" "$@" -c "$here/msvc/main.c" -o "$object" ||
        fail 'clang does not compile the program'
}

link_program() {
    "$lld" /nologo /nodefaultlib /subsystem:console /entry:start $flags "$@" || fail "lld-link does not link: $*"
}

# Exit status 42 is the program's word that all went well.
check_runs() {
    status=0
    "$RUN" "$1" || status=$?
    [ $status -eq 42 ] || fail "$1 ends with $status"
}

compile_object "$work/dynamic.obj"
cp "$BIN/pss.dll" "$work/"
link_program "/out:$work/dynamic.exe" "$work/dynamic.obj" "$BUILD/exports/pss.lib" \
    "$(mingw_library libkernel32.a)"
list_imports "$work/dynamic.exe" | grep ' Pss' | sort >"$work/names"
printf 'pss.dll %s\n' PssCaptureSnapshot PssFreeSnapshot PssQuerySnapshot | diff -u - "$work/names" ||
    fail 'the Pss names come from elsewhere'
check_runs "$work/dynamic.exe"

# Every name is there, with the decoration that callers on x86 use.
sed -n 's/^ *\(Pss[A-Za-z]*[@0-9]*\)$/\1/p' "$SOURCE/exports/pss$([ "$ARCH" = x64 ] || echo -i686).def" |
    sed "s/^/$([ "$ARCH" = x64 ] || echo _)/" | sort >"$work/expected"
[ -s "$work/expected" ] || fail 'found no names in the definition file'
"$NM" "$BUILD/exports/pss.lib" 2>&1 | sed -n 's/.* T \([^.]\)/\1/p' | sort | diff -u "$work/expected" - ||
    fail 'pss.lib lacks names'

[ "$ARCH" = x64 ] || exit 0
compile_object "$work/static.obj" -DPSS_STATIC
link_program "/out:$work/static.exe" "$work/static.obj" "$BUILD/exports/libpss.a" \
    "$(mingw_library libntdll.a)" "$(mingw_library libkernel32.a)" "$(mingw_library libmsvcrt.a)"
! list_imports "$work/static.exe" | grep ' Pss' || fail 'the static program imports Pss names, see above'
check_runs "$work/static.exe"
