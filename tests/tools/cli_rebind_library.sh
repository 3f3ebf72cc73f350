# SPDX-License-Identifier: MIT
# The pss.dll beside a program: which one serves, and what is said of others.
. "$(dirname "$0")/rebind.bash"

# expect_refusal MESSAGE: the program is not rebound with the pss.dll that lies there, and nothing changes.
expect_refusal()
{
    local sum
    sum=$(cksum "$at"/*)
    run rebind "Z:$at/dropin_static.exe"
    expect_status 1
    expect_err "$1"
    check 'no file changed' test "$(cksum "$at"/*)" = "$sum"
}

# Another library, half a library, and no library at all.
fresh dropin_static.exe
cp "$programs/$own/dropin_dll.dll" "$at/pss.dll"
expect_refusal "the pss.dll beside it is another library, or an old one, without the Pss functions; use 'pss run'"
for bytes in 700 4096 $(($(stat -c %s "$bin/pss.dll") / 2)); do
    head -c "$bytes" "$bin/pss.dll" >"$at/pss.dll"
    expect_refusal 'the pss.dll beside it is cut short; remove it'
done
: >"$at/pss.dll"
expect_refusal 'the pss.dll beside it is no DLL'
sed 's/PssWalkMarkerTell/PssWalkMarkerXyz/' "$bin/pss.dll" >"$at/pss.dll"
expect_refusal 'without the Pss functions'
rm "$at/pss.dll"
mkdir "$at/pss.dll"
run rebind "Z:$at/dropin_static.exe"
expect_status 1
expect_err 'pss.dll: cannot be read'
check 'is unchanged' cmp -s "$at/dropin_static.exe" "$programs/$own/dropin_static.exe"

# One that is being written is said to be that.
fresh dropin_static.exe
cp "$bin/pss.dll" "$at"
printf '"%s" rebind dropin_static.exe >>pss.dll\r\n' "$(windows_path "$bin/pss.exe")" >"$scratch/open.bat"
run_at "$at" cmd.exe /c "$(windows_path "$scratch/open.bat")"
expect_status 1
expect_err 'pss.dll: cannot be read: another program has it open; close that one and try again'
check 'is unchanged' cmp -s "$at/dropin_static.exe" "$programs/$own/dropin_static.exe"

# A program with a pss.dll of its own, which is none of ours.
fresh dropin_static.exe
sed -i 's/msvcrt\.dll/pss.dll\x00\x00\x00/' "$at/dropin_static.exe"
expect_refusal "with a library of its own that is named pss.dll, of which a program can have one only; use 'pss run'"
sed -i 's/Pss\([A-Z][a-z]*[SM]\)/Xss\1/g' "$at/dropin_static.exe"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_out 'nothing to do: imports no Pss function'
expect_out 'note: the pss.dll that it imports from is another library'

# One that was built for ours was not rebound, and can be told from one that was.
fresh dropin_static.exe
run rebind "Z:$at/dropin_static.exe"
expect_status 0
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_out 'nothing to do: already rebound'
if [ -e "$bin/hello_link.exe" ]; then
    cp "$bin/hello_link.exe" "$at"
    run rebind "Z:$at/hello_link.exe"
    expect_status 0
    expect_out 'nothing to do: takes the Pss functions from pss.dll already'
fi

# What programs of a tree may load from other directories finds pss.dll beside them.
tree=$scratch/tree
mkdir -p "$tree/bin" "$tree/lib" "$tree/other"
cp "$programs/$own/dropin_lookup.exe" "$tree/bin"
cp "$programs/$own/dropin_dll.dll" "$tree/lib"
cp "$programs/$other/dropin_lookup.exe" "$tree/other"
run rebind "Z:$tree"
check 'no library yet' test -z "$(find "$tree" -name pss.dll)"
run rebind --recursive --dry-run "Z:$tree"
check 'no library yet' test -z "$(find "$tree" -name pss.dll)"
run rebind --recursive "Z:$tree"
expect_status 0
expect_out 'bin.dropin_lookup.exe: pss.dll was put beside it'
check 'beside the program' cmp -s "$tree/bin/pss.dll" "$bin/pss.dll"
check 'beside the DLL' cmp -s "$tree/lib/pss.dll" "$bin/pss.dll"
check 'not beside that of the other machine' test ! -e "$tree/other/pss.dll"
rm "$tree/bin/pss.dll"
run rebind --recursive "Z:$tree"
expect_out '^4 files: 0 rebound, 1 rebound before'
check 'again' cmp -s "$tree/bin/pss.dll" "$bin/pss.dll"
echo text >"$tree/bin/pss.dll"
run rebind --recursive "Z:$tree"
expect_status 1
expect_out ', 1 failed$'
check 'it stays' test "$(cat "$tree/bin/pss.dll")" = text

finish
