# SPDX-License-Identifier: MIT
# What `pss rebind` cannot do it says, and no file changes.
. "$(dirname "$0")/rebind.bash"

# expect_refusal NAME MESSAGE: the file $at/NAME is named, refused and unchanged; in a directory it is passed over or
# counted as a failure.
expect_refusal()
{
    local sum
    sum=$(cksum "$at"/*)
    run rebind "Z:$at/$1"
    expect_status 1
    expect_err "^pss: .*$1.*$2"
    expect_out '1 failed$'
    check 'no file changed' test "$(cksum "$at"/*)" = "$sum"
}

fresh dropin_static.exe
mv "$at/dropin_static.exe" "$at/program.exe"
size=$(stat -c %s "$at/program.exe")
header=$(od -An -tu4 -j60 -N4 "$at/program.exe")

# put OFFSET BYTES: overwrites bytes of a new copy of the program; they are written as printf does.
put()
{
    cp "$programs/$own/dropin_static.exe" "$at/program.exe"
    printf "$2" | dd of="$at/program.exe" bs=1 seek="$1" conv=notrunc status=none
}

for length in 0 1; do
    head -c "$length" "$programs/$own/dropin_static.exe" >"$at/program.exe"
    expect_refusal program.exe 'not a PE file'
done
for length in 2 63 64 $header $((header + 4)) $((header + 200)) $((header + 400)) 1024 $((size / 2)); do
    head -c "$length" "$programs/$own/dropin_static.exe" >"$at/program.exe"
    expect_refusal program.exe 'truncated'
done
put 0 '\x7fELF'
expect_refusal program.exe 'not a PE file'
put "$header" NE
expect_refusal program.exe 'a 16-bit program'
put $((header + 4)) '\x64\xaa'
expect_refusal program.exe 'for a processor that is not supported'
put $((header + 24)) '\x00\x01'
expect_refusal program.exe 'malformed: the headers'
put $((header + 24 + 96 + (pointer_size == 8 ? 16 : 0) + 8)) '\xf0\xff\xff\xff'
expect_refusal program.exe 'malformed: the imports'
put $((header + 24 + 36)) '\x01'
expect_refusal program.exe 'of an unusual layout'

# The same in a directory: damage is a failure, other kinds of files are not.
head -c 1024 "$programs/$own/dropin_static.exe" >"$at/program.exe"
echo text >"$at/text.exe"
echo text >"$at/text.txt"
run rebind "Z:$at" --verbose
expect_status 1
expect_out 'text.exe: skipped: not a PE file'
expect_out '^2 files: 0 rebound, 0 rebound before, 0 with nothing to do, 1 skipped, 1 failed'
rm "$at/program.exe"
run rebind "Z:$at"
expect_status 0

run rebind "Z:$at/no-such-file.exe"
expect_status 1
expect_err 'Z:.*no-such-file.exe: cannot be read: there is no such file \(error 2\)$'

# A pss.dll that is there already is kept: another one for the same programs with a warning.
fresh dropin_static.exe
cp "$bin/pss.dll" "$at"
echo more >>"$at/pss.dll"
sum=$(cksum <"$at/pss.dll")
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_err 'another pss\.dll, which was kept'
check 'pss.dll is kept' test "$(cksum <"$at/pss.dll")" = "$sum"
run_at "$at" dropin_static.exe
expect_works

# One that the program cannot load is a reason to leave it alone, and so is none at all.
fresh dropin_static.exe
cp "$bin/$other/pss.dll" "$at"
expect_refusal dropin_static.exe 'the pss\.dll beside it is not a (32|64)-bit one'
fresh dropin_static.exe "$other"
mkdir "$scratch/alone"
cp "$bin/pss.exe" "$scratch/alone"
run_at "$at" "$scratch/alone/pss.exe" rebind dropin_static.exe
expect_status 1
expect_err 'no (32|64)-bit pss\.dll came with pss\.exe'
expect_unchanged dropin_static.exe "$other"

# A file that somebody holds open cannot be replaced, and stays with all that was beside it.
fresh dropin_static.exe
printf '"%s" rebind dropin_static.exe <dropin_static.exe\r\n' "$(windows_path "$bin/pss.exe")" >"$scratch/locked.bat"
run_at "$at" cmd.exe /c "$(windows_path "$scratch/locked.bat")"
expect_status 1
expect_err 'dropin_static.exe: cannot be replaced: (another program has it open|access is denied).* \(error (32|5)\)$'
expect_unchanged dropin_static.exe

finish
