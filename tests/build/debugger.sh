# SPDX-License-Identifier: MIT
# A debugger that is not ours opens the minidump of a clone, and finds the target's program and known bytes in it.

. "$(dirname "$0")/common.sh"

lldb=$(command -v lldb) || {
    echo 'skipped: lldb is not installed (package lldb)'
    exit 77
}

PSS_EXPECT='1 test(s) run.' "$RUN" "$BIN/api_clone_dump.exe" --only '*modules_and_memory' \
    --keep-dump "Z:$work/clone.dmp" | tr -d '\r' >"$work/facts"
if grep -q SKIPPED "$work/facts"; then
    cat "$work/facts"
    echo 'skipped: dbghelp.dll cannot write a dump here'
    exit 77
fi
[ -s "$work/clone.dmp" ] || {
    cat "$work/facts"
    fail 'no dump was written'
}
set -- $(sed -n 's/^module //p' "$work/facts")
[ $# -eq 2 ] || fail 'the test does not tell the module'
base=$1 name=$2
set -- $(sed -n 's/^memory //p' "$work/facts")
[ $# -eq 17 ] || fail 'the test does not tell the bytes'
address=$1
shift
bytes=$*

# What it says about itself when it lacks Python goes to its error output.
"$lldb" --no-lldbinit --batch --one-line "target create --core $work/clone.dmp" --one-line 'image list' \
    --one-line "memory read --size 1 --count 16 --format x $address" >"$work/said" 2>"$work/errors" </dev/null || {
    cat "$work/errors"
    fail 'the debugger ended with an error'
}
cat "$work/said"

# A line "[  0]  ...  0x0000000140000000 Z:\...\pss-test-target.exe"
awk -v base="${base#0x}" -v name="$name" '
    /^\[ *[0-9]+\]/ {
        address = $0
        sub(/.*0x0*/, "", address)
        sub(/ .*/, "", address)
        file = $0
        sub(/ *$/, "", file)
        sub(/.*[\\\/]/, "", file)
        if (address == base && tolower(file) == tolower(name)) found = 1
    }
    END { exit !found }' "$work/said" || fail "the debugger lists no $name at $base"

# Lines "0x014b0000: 0x3e 0xb3 ..."
read_bytes=$(awk '/^0x[0-9a-f]+: 0x/ { for (i = 2; i <= 9; i++) printf "%s%s", (n++ ? " " : ""), $i }' "$work/said")
[ "$read_bytes" = "$bytes" ] || fail "the debugger reads $read_bytes instead of $bytes at $address"
