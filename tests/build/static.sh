# SPDX-License-Identifier: MIT
# A program gets its Pss names from the library it is linked with, libpss.a or the DLL's, whether or not it is compiled with
# PSS_STATIC, in C and C++; never from kernel32, whose import library has them all.

. "$(dirname "$0")/common.sh"
. "$here/consume.sh"

cp "$BIN/pss.dll" "$work/"

# build_program OUTPUT LANGUAGE [OPTION...]
build_program() {
    output=$1 language=$2
    shift 2
    compiler=$CC
    [ "$language" = c ] || compiler="$CXX -static-libstdc++"
    $compiler -I "$SOURCE/include" "$here/consumer/main.$language" -o "$output" -static-libgcc "$@" \
        -L "$BUILD/exports" -lpss -lntdll -lkernel32 || fail "$language with $* does not link"
}

for language in c cpp; do
    for define in '' -DPSS_STATIC; do
        build_program "$work/dynamic_$language$define.exe" $language $define
        check_dynamic "$work/dynamic_$language$define.exe"
        build_program "$work/static_$language$define.exe" $language $define -static
        check_static "$work/static_$language$define.exe"
    done
done

# Both forms of every name come out of one object: what takes one of them has the other one, too.
prefix=$([ "$ARCH" = x64 ] || echo _)
sed -n 's/^ *\(Pss[A-Za-z]*[@0-9]*\)$/\1/p' "$SOURCE/exports/pss$([ "$ARCH" = x64 ] || echo -i686).def" |
    sed "s/.*/$prefix& T\n__imp_$prefix& R/" | sort >"$work/expected"
[ "$(wc -l <"$work/expected")" -eq 26 ] || fail 'the definition file does not have thirteen names'
"$NM" --defined-only "$BUILD/exports/libpss.a" | awk '$3 ~ /^(__imp_)?_?Pss/ { print $3, $2 }' | sort |
    diff -u "$work/expected" - || fail 'libpss.a has other names'
! "$NM" "$BIN/pss.dll" | grep '__imp_.*Pss' || fail 'pss.dll has the names of its callers, see above'
