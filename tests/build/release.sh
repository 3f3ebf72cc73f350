# SPDX-License-Identifier: MIT
# The release: two source directories give the same bytes (in a soak), and what is in the archive serves both bitnesses.
#
#   release.sh make | use

. "$(dirname "$0")/common.sh"
. "$here/consume.sh"

archives=$BUILD/release

skip_without_packages() {
    . "$SOURCE/scripts/packages.sh"
    for package in $packages_release; do
        is_installed "$package" || {
            echo "skipped: the package $package is not installed"
            exit 77
        }
    done
}

# make_release DIRECTORY: copies the sources there and makes the release in it.
make_release() {
    mkdir -p "$1"
    find "$SOURCE" -mindepth 1 -maxdepth 1 ! -name 'build*' ! -name .git -exec cp -R {} "$1/" \;
    (cd / && SOURCE_DATE_EPOCH=1700000000 PSS_DEPS_DIR=$DEPS sh "$1/scripts/package.sh") </dev/null >"$work/log" 2>&1 || {
        cat "$work/log"
        fail "the release is not made in $1"
    }
}

# In a soak alone: it takes as long as the first one.
compare_with_another() {
    (umask 077 && make_release "$work/another place with a longer name")
    for name in "pss-$VERSION" "pss-$VERSION-debug"; do
        cmp "$work/a/build/$name.zip" "$work/another place with a longer name/build/$name.zip" || {
            diff -r "$work/a/build/package/stage" "$work/another place with a longer name/build/package/stage" || :
            fail "$name.zip differs"
        }
    done
}

if [ "$1" = make ]; then
    rm -rf "$archives"
    skip_without_packages
    make_release "$work/a"
    [ -z "${PSS_SOAK:-}" ] || compare_with_another
    mkdir "$archives"
    cp "$work/a/build/"*.zip "$archives/"
    exit 0
fi

[ -d "$archives" ] || {
    echo 'skipped: no release was made, see build_release'
    exit 77
}
cd "$work"
# The times in the archive have no zone; they are meant in this one.
TZ=UTC
export TZ
"$CMAKE" -E tar xf "$archives/pss-$VERSION.zip"
"$CMAKE" -E tar xf "$archives/pss-$VERSION-debug.zip"
tree=$work/pss-$VERSION
find pss-* -type f ! -newermt '2023-11-14 22:13:19 UTC' -o -type f -newermt '2023-11-14 22:13:21 UTC' >odd
[ ! -s odd ] || fail "another time than that of the sources: $(cat odd)"
# On Windows such files are one.
find pss-* -type f | tr '[:upper:]' '[:lower:]' | sort | uniq -d >twins
[ ! -s twins ] || fail "files whose names differ in case only: $(cat twins)"

cd "$tree"
sha256sum --check --strict --quiet SHA256SUMS || fail 'the checksums are wrong'
find . -type f ! -name SHA256SUMS | sed 's,^\./,,' | sort >"$work/files"
sed 's/^[^ ]*  //' SHA256SUMS | diff -u "$work/files" - || fail 'SHA256SUMS lists other files than there are'
for file in LICENSE README.md CHANGELOG.md pss.html man/man1/pss.1 include/pss.h include/processsnapshot.h; do
    [ -s "$file" ] || fail "$file is missing"
done

# A 32-bit pss.exe reaches 64-bit programs with its help.
[ -s bin/x64/pss-inject.exe ] || fail 'pss-inject.exe is missing'
for arch in x64 x86; do
    ARCH=$arch
    if [ $arch = x86 ]; then
        CC=$(command -v i686-w64-mingw32-gcc-win32 || command -v i686-w64-mingw32-gcc)
        TOOLCHAIN=$SOURCE/cmake/mingw-i686.cmake
    fi
    for file in bin/$arch/pss.exe bin/$arch/pss-shim.dll lib/$arch/pss.lib \
        bin/$arch/apiset/api-ms-win-core-processsnapshot-l1-1-0.dll; do
        [ -s "$file" ] || fail "$file is missing"
    done
    "$RUN" "bin/$arch/pss.exe" --version | tr -d '\r' | grep -qx "pss $VERSION" ||
        fail "pss.exe of $arch tells no version"
    for file in "bin/$arch"/*.dll "bin/$arch"/*.exe; do
        "$OBJDUMP" -h "$file" | grep -q ' \.gnu_debuglink ' || fail "$file does not name its symbols"
        "$OBJDUMP" -h "$work/pss-$VERSION-debug/$file.debug" | grep -q ' \.debug_info ' ||
            fail "$file.debug has no symbols"
    done
    for check in attributes exports imports apiset; do
        (BIN=$tree/bin/$arch && export BIN ARCH && sh "$here/$check.sh")
    done
    consume_package "$tree" "$tree/bin/$arch" "$tree/lib/$arch"
done

# Each finds the DLLs that a program of the other bitness needs.
for pair in 'x64 x86' 'x86 x64'; do
    set -- $pair
    "$RUN" "bin/$1/pss.exe" run "bin/$2/pss.exe" --version | tr -d '\r' | grep -qx "pss $VERSION" ||
        fail "pss run of $1 does not run a program of $2"
    mv "bin/$2/pss-shim.dll" shim
    status=0
    "$RUN" "bin/$1/pss.exe" run "bin/$2/pss.exe" --version >"$work/said" 2>&1 || status=$?
    [ $status -eq 125 ] || fail "pss run of $1 ends with $status where the DLL of $2 is missing"
    mv shim "bin/$2/pss-shim.dll"
done
finish_consuming
