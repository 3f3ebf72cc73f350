# SPDX-License-Identifier: MIT
# `cmake --install` puts every file in its place, in two components; the tree may be moved; other projects use it.

. "$(dirname "$0")/common.sh"
. "$here/consume.sh"

# strip writes a time stamp; that of the epoch is none.
install_to() {
    destination=$1
    shift
    DESTDIR=$destination SOURCE_DATE_EPOCH=0 run_cmake --install "$BUILD" --prefix /opt/pss "$@"
}

list_files() {
    (cd "$1/opt/pss" && find . -type f | sed 's,^\./,,' | sort)
}

install_to "$work/all" --strip
install_to "$work/runtime" --component runtime
install_to "$work/development" --component development
{
    printf '%s\n' bin/apiset/api-ms-win-core-processsnapshot-l1-1-0.dll bin/pss.dll
    printf '%s\n' share/doc/pss/LICENSE share/man/man1/pss.1
    [ "$ARCH" = x86 ] || [ ! -e "$BIN/pss-inject.exe" ] || echo bin/pss-inject.exe
    for file in pss.exe pss-shim.dll x86/pss.dll x86/pss-shim.dll x64/pss.dll x64/pss-shim.dll \
        x64/pss-inject.exe; do
        [ ! -e "$BIN/$file" ] || echo "bin/$file"
    done
    [ ! -e "$BUILD/pss.html" ] || echo share/doc/pss/pss.html
} | sort >"$work/expected-runtime"
{
    printf '%s\n' include/ProcessSnapshot.h include/processsnapshot.h include/pss.h lib/libpss.a lib/libpss.dll.a
    printf 'lib/cmake/pss/%s\n' pss-config.cmake pss-config-version.cmake "pss-targets-$ARCH.cmake"
    echo lib/pkgconfig/pss.pc
    [ ! -e "$BUILD/exports/pss.lib" ] || echo lib/pss.lib
} | sort >"$work/expected-development"
sort "$work/expected-runtime" "$work/expected-development" >"$work/expected-all"
for part in runtime development all; do
    list_files "$work/$part" | diff -u "$work/expected-$part" - || fail "the installation of $part differs"
done

# Stripped, and otherwise what it was.
for file in pss.dll pss-shim.dll pss.exe; do
    [ -e "$BIN/$file" ] || continue
    "$OBJDUMP" -t "$work/all/opt/pss/bin/$file" | grep -q 'no symbols' || fail "$file has symbols"
done
list_imports "$work/all/opt/pss/bin/pss.dll" >"$work/stripped"
list_imports "$BIN/pss.dll" | diff -u - "$work/stripped" || fail 'stripping changes the imports of pss.dll'
(BIN=$work/all/opt/pss/bin && export BIN && sh "$here/attributes.sh" && sh "$here/exports.sh")

mv "$work/all/opt/pss" "$work/moved"
if grep -rnF -e "$work/all" -e /opt/pss -e "$SOURCE" "$work/moved/lib/cmake" "$work/moved/lib/pkgconfig"; then
    fail 'the tree names directories, see above'
fi
consume_package "$work/moved" "$work/moved/bin" "$work/moved/lib"
finish_consuming
