# SPDX-License-Identifier: MIT
# The headers compile alone and without a warning, with one set of MinGW headers; so do the sources of the library.
#
#   headers.sh system | DIRECTORY    DIRECTORY holds the headers of another MinGW release

. "$(dirname "$0")/common.sh"

set -- "$1"
strict='-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Werror -fsyntax-only'
own=
if [ "$1" != system ]; then
    # The compiler's own headers first, then the other release's; the installed ones are out of the way.
    own="-nostdinc -isystem $("$CC" -print-file-name=include) -isystem $1"
fi

version=$(printf '#include <windows.h>\n__MINGW64_VERSION_MAJOR\n' | "$CC" $own -E -P -x c - | tail -n 1)
case $1 in
system) [ "$version" -ge 10 ] ;;
*trixie) [ "$version" -eq 12 ] ;;
*) [ "$version" -ge 13 ] ;;
esac || fail "unexpected MinGW headers $version"
count=0

compile_c() {
    count=$((count + 1))
    "$CC" $own $strict -std=c11 -Wstrict-prototypes -Wmissing-prototypes "$@" || fail "C: $(cat "$work"/*.c) $*"
}

compile_cxx() {
    for standard in 11 17; do
        count=$((count + 1))
        "$CXX" $own $strict -std=c++$standard "$@" || fail "C++$standard: $(cat "$work"/*.cpp) $*"
    done
}

# Each way to include the public header. -iquote keeps <processsnapshot.h> for the system's own.
check_public() {
    printf '%s\n' "$@" "typedef PSS_THREAD_ENTRY entry;" >"$work/t.c"
    cp "$work/t.c" "$work/t.cpp"
    compile_c -iquote "$SOURCE/include" "$work/t.c"
    compile_c -iquote "$SOURCE/include" -DPSS_STATIC "$work/t.c"
    compile_cxx -iquote "$SOURCE/include" "$work/t.cpp"
}

for header in pss.h processsnapshot.h ProcessSnapshot.h; do
    check_public "#include \"$header\""
done
check_public '#include <windows.h>' '#include "processsnapshot.h"' '#include "ProcessSnapshot.h"' '#include "pss.h"'
if [ "$version" -ge 12 ]; then
    check_public '#include <windows.h>' '#include <processsnapshot.h>' '#include "pss.h"'
    check_public '#include "pss.h"' '#include <processsnapshot.h>'
fi

# Each internal header alone and twice; with other headers than the build's own, also each source.
if [ "$1" = system ]; then
    find "$SOURCE/src" -name '*.h' | sort >"$work/list"
else
    find "$SOURCE/src" -name '*.c' | sort >"$work/list"
fi
[ -s "$work/list" ] || fail 'found no source'
while read -r file; do
    printf '#include "%s"\n' "$file" >"$work/t.c"
    [ "$1" != system ] || printf '#include "%s"\ntypedef int not_empty;\n' "$file" >>"$work/t.c"
    compile_c -I "$SOURCE/src" -I "$SOURCE/include" -DPSS_STATIC -DWIN32_LEAN_AND_MEAN= "$work/t.c"
done <"$work/list"
printf '%s compilations with MinGW headers %s\n' "$count" "$version"
