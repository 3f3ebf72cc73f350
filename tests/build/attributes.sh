# SPDX-License-Identifier: MIT
# pss.dll has no time stamp and the version of the project; it and all that is shipped with it have the safety
# attributes of their architecture, no memory that is writable and executable, and no trap of the test builds.

. "$(dirname "$0")/common.sh"

expect() {
    grep -Eq "$1" "$work/dump" || fail "$program: no line has: $1"
}

# check_file FILE: what any loader may do with it to keep mistakes from being used.
check_file() {
    program=$1
    "$OBJDUMP" -p "$program" >"$work/dump"
    expect '^[[:space:]]*NX_COMPAT'
    expect '^[[:space:]]*DYNAMIC_BASE'
    # The addresses of the helper of the other machine are 64 bits wide.
    if grep -q 'pei-x86-64' "$work/dump"; then
        expect '^[[:space:]]*HIGH_ENTROPY_VA'
        expect '^ImageBase[[:space:]]+0*[1-9a-f][0-9a-f]{8,}$'
    fi
    "$OBJDUMP" -h "$program" | awk '/^ *[0-9]+ \./ { name = $2; size = $3; getline; print name, size, $0 }' >"$work/sections"
    # Without relocations it would lie where it always lies.
    grep -q '^\.reloc 0*[1-9a-f]' "$work/sections" || fail "$program: no relocations"
    grep CODE "$work/sections" >"$work/code" || fail "$program: no code"
    ! grep -v READONLY "$work/code" || fail "$program: code that can be written to, see above"
    if list_imports "$program" | grep -v -i -E '^(ntdll|kernel32|msvcrt|pss)\.dll '; then
        fail "$program: imports of other DLLs, see above"
    fi
}

count_traps() {
    "$OBJDUMP" -d "$1" | grep -c '[[:space:]]ud2' || :
}

shipped=
for file in pss.dll pss-shim.dll pss.exe pss-inject.exe; do
    [ ! -e "$BIN/$file" ] || shipped="$shipped $file"
done
for file in $shipped; do
    check_file "$BIN/$file"
done
# The compiler itself leaves one where it finds that a pointer would be NULL.
for file in pss.dll pss-shim.dll pss-inject.exe; do
    [ ! -e "$BIN/$file" ] || [ "$(count_traps "$BIN/$file")" -le 8 ] || fail "$file has the traps of a test build"
done
# A count that finds none where there are many would find none anywhere.
if [ -e "$BIN/trap/pss.dll" ]; then
    [ "$(count_traps "$BIN/trap/pss.dll")" -gt 100 ] || fail 'the test build of pss.dll has no traps'
fi
if [ -e "$BIN/pss.exe" ]; then
    "$OBJDUMP" -d "$BIN/pss.exe" >"$work/code"
    guarded=$(grep -c 'call.*<_*stack_chk_fail>' "$work/code" || :)
    # Names of functions are missing where the symbols lie in a file of their own.
    [ "$guarded" -gt 50 ] || ! grep -q '<_*main>:\|<_*wmain>:' "$work/code" ||
        fail "pss.exe: $guarded functions have a guard on their stack"
fi

# With a manifest that asks for nothing no write is led to a copy that only one user sees.
if [ -e "$BIN/pss.exe" ]; then
    "$OBJDUMP" -p "$BIN/pss.exe" >"$work/dump"
    program=pss.exe
    expect 'Entry: ID: 0x000018'
    expect 'Entry: ID: 0x000001'
    tr -d '\r\n' <"$BIN/pss.exe" >"$work/text"
    manifest=$(grep -ao '<?xml version="1.0".*</assembly>' "$work/text") || fail 'pss.exe has no manifest'
    case $manifest in
    *'<requestedExecutionLevel level="asInvoker" uiAccess="false"/>'*) ;;
    *) fail "pss.exe asks for something else: $manifest" ;;
    esac
fi

"$OBJDUMP" -p "$BIN/pss.dll" >"$work/dump"
program=pss.dll
expect '^Time/Date[[:space:]]+Thu Jan +1 00:00:00 1970'
expect '^MajorSubsystemVersion[[:space:]]+[45]$'

# The resource holds UTF-16; without its zero bytes the strings lie side by side.
tr -d '\000' <"$BIN/pss.dll" >"$work/text"
grep -aq 'VS_VERSION_INFO' "$work/text" || fail 'no version resource'
for key in FileVersion ProductVersion; do
    grep -aq "$key$VERSION" "$work/text" || fail "$key is not $VERSION"
done
printf 'checked:%s\n' "$shipped"
