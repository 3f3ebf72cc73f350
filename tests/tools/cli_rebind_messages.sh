# SPDX-License-Identifier: MIT
# What `pss rebind` says: of files in its way, of names that are too long, of what else a program needs; also in JSON.
. "$(dirname "$0")/rebind.bash"

original=$programs/$own/dropin_static.exe

# Files of the user's, which are nobody's to overwrite.
fresh dropin_static.exe
for suffix in new backup; do
    echo mine >"$at/dropin_static.exe.pss-$suffix"
    run rebind "Z:$at/dropin_static.exe"
    expect_status 1
    expect_err "dropin_static.exe.pss-$suffix: is in the way"
    check 'is unchanged' cmp -s "$at/dropin_static.exe" "$original"
    check 'is mine' test "$(cat "$at/dropin_static.exe.pss-$suffix")" = mine
    check 'nothing else is there' test "$(ls -A "$at")" = $'dropin_static.exe\ndropin_static.exe.pss-'$suffix
    rm "$at/dropin_static.exe.pss-$suffix"
done

# What an interrupted run leaves is in nobody's way.
run rebind "Z:$at/dropin_static.exe" --output "Z:$scratch/form.exe"
head -c 5000 "$scratch/form.exe" >"$at/dropin_static.exe.pss-new"
ln "$at/dropin_static.exe" "$at/dropin_static.exe.pss-backup"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
check 'the original' cmp -s "$at/dropin_static.exe.pss-backup" "$original"
check 'the new form' cmp -s "$at/dropin_static.exe" "$scratch/form.exe"
check 'nothing else is there' test "$(ls -A "$at")" = $'dropin_static.exe\ndropin_static.exe.pss-backup\npss.dll'
cp "$original" "$at/dropin_static.exe"
ln -f "$at/dropin_static.exe" "$at/dropin_static.exe.pss-backup"
run rebind --restore "Z:$at/dropin_static.exe"
expect_status 0
check 'the original alone' test "$(ls -A "$at")" = $'dropin_static.exe\npss.dll'

# An older backup is replaced, and that is said.
cp "$programs/$own/dropin_apiset.exe" "$at/dropin_static.exe.pss-backup"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_out 'pss-backup: note: the original of an earlier version is replaced'
check 'the newer original' cmp -s "$at/dropin_static.exe.pss-backup" "$original"

# Two files of one name do not go to one place.
mkdir "$scratch/a" "$scratch/b"
cp "$original" "$scratch/a/Program.exe"
cp "$programs/$own/dropin_apiset.exe" "$scratch/b/program.exe"
for option in --dry-run --no-copy; do
    run rebind $option "Z:$scratch/a/Program.exe" "Z:$scratch/b/program.exe" --output "Z:$scratch/both"
    expect_status 1
    expect_out '1 (to be )?rebound, .*1 failed'
    expect_err 'b.program.exe: another file of that name went to --output'
done
check 'the first one is there' test "$(ls "$scratch/both")" = Program.exe
check 'it is the first one' cmp -s "$scratch/both/Program.exe" "$scratch/form.exe"

# A directory tells what changed or failed; the rest is told by --verbose.
fresh dropin_static.exe
cp "$programs/$own/dropin_lookup.exe" "$at"
echo text >"$at/text.dll"
run rebind "Z:$at"
expect_status 0
expect_out 'dropin_static.exe: rebound'
expect_no_out 'dropin_lookup|text.dll'
run rebind "Z:$at" --verbose
expect_out 'dropin_lookup.exe: nothing to do'
expect_out 'dropin_static.exe: nothing to do: already rebound'
expect_out 'text.dll: skipped: not a PE file'

# Names that are too long, and directories that are not there.
name=$(printf 'x%.0s' {1..300})
run rebind "Z:$scratch/$name.exe"
expect_status 1
expect_err 'x(\.\.\.|\.exe): cannot be read: its path is too long; move it to a directory with a shorter one'
path=Z:$scratch$(printf '/%.0s'"$(printf 'y%.0s' {1..200})" {1..160})
run rebind "$path.exe"
expect_status 1
expect_err 'its path is too long'
run rebind "Z:$scratch/nowhere/program.exe"
expect_status 1
expect_err 'program.exe: cannot be read: there is no such (file|directory) \(error [23]\)$'
expect_no_out 'unnamed|%1'

# A demand for a signature goes, and that is said.
fresh dropin_static.exe
header=$(od -An -tu4 -j60 -N4 "$original")
printf '\xe0' | dd of="$at/dropin_static.exe" bs=1 seek=$((header + 24 + 70)) conv=notrunc status=none
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_out 'rebound: .*; it no longer demands a signature \(/INTEGRITYCHECK\)'
run_at "$at" dropin_static.exe
expect_works

# A search that leaves the program's directory out is widened. The load configuration takes the slack of a section.
fresh dropin_static.exe
bits=$((pointer_size * 8)) sections=$((header + 24 + $(od -An -tu2 -j$((header + 20)) -N2 "$original")))
for ((i = 0; i < 8; i++)); do
    read -r memory rva size offset < <(od -An -tu4 -w16 -j$((sections + 40 * i + 8)) -N16 "$original")
    [ $((size - memory)) -ge 100 ] && break
done
command="a load configuration at $((rva + memory))" status=- out= err=
check 'there is room' test "$i" -lt 8
number()
{
    printf "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)))"
}
directory=$((header + 24 + 96 + (pointer_size == 8 ? 16 : 0) + 80))
flags=$((pointer_size == 8 ? 78 : 54))
{ number $((rva + memory)); number 96; } | dd of="$at/dropin_static.exe" bs=1 seek=$directory conv=notrunc status=none
number 96 | dd of="$at/dropin_static.exe" bs=1 seek=$((offset + memory)) conv=notrunc status=none
printf '\x00\x08' | dd of="$at/dropin_static.exe" bs=1 seek=$((offset + memory + flags)) conv=notrunc status=none
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_out '; its DLLs are looked for beside the program, too \(DependentLoadFlags\)'
check 'the flags' test "$(od -An -tx2 -j$((offset + memory + flags)) -N2 "$at/dropin_static.exe")" = ' 0a00'
run_at "$at" dropin_static.exe
expect_works

# What follows the sections moves, may hold DLLs, or is a bundle.
fresh dropin_lookup.exe
run rebind "Z:$at/dropin_lookup.exe"
expect_no_out 'note:'
echo archive >>"$at/dropin_lookup.exe"
run rebind "Z:$at/dropin_lookup.exe"
expect_status 0
expect_out "note: data follows its sections; if DLLs are unpacked from there .* 'pss run' reaches them"
echo text >"$at/text.dll"
run rebind "Z:$at"
expect_status 0
expect_no_out 'note:'
expect_out "^Some programs may unpack DLLs when they run; --verbose tells which"
fresh dropin_static.exe
echo archive >>"$at/dropin_static.exe"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
expect_out "note: the [0-9]+ bytes behind its sections moved back by [0-9]+; if it finds them by their offset"
check 'they are the last' test "$(tail -c 8 "$at/dropin_static.exe")" = archive
fresh dropin_static.exe
printf '\x00\x10\x00\x00\x00\x00\x00\x00\x8b\x12\x02\xb9\x6a\x61\x20\x38\x72\x7b\x93\x02\x14\xd7\xa0\x32' >>"$at/dropin_static.exe"
printf '\x13\xf5\xb9\xe6\xef\xae\x33\x18\xee\x3b\x2d\xce\x24\xb3\x6a\xae' >>"$at/dropin_static.exe"
run rebind "Z:$at/dropin_static.exe"
expect_status 1
expect_err "a .NET bundle in one file, whose parts are found by their offsets in it; use 'pss run'"

# What is missing besides: a function of a system DLL, a DLL, and the same of a DLL beside the program.
fresh dropin_static.exe
run rebind "Z:$at/dropin_static.exe"
expect_no_out 'missing'
for machine in "$own" "$other"; do
    fresh dropin_static.exe "$machine"
    sed -i 's/VirtualQuery\x00/VirtualQuerz\x00/' "$at/dropin_static.exe"
    run rebind "Z:$at/dropin_static.exe"
    expect_status 0
    expect_out 'dropin_static.exe: still missing here: KERNEL32.dll!VirtualQuerz; it starts under Wine, and ends when'
    check 'nothing else' test "$(grep -c 'still missing' <<<"$out")" -eq 1
done
fresh dropin_static.exe
cp "$at/dropin_static.exe" "$at/neighbour.dll"
sed -i 's/msvcrt\.dll/nothere.dl/' "$at/neighbour.dll"
sed -i 's/msvcrt\.dll/neighbour\x00/' "$at/dropin_static.exe"
run rebind "Z:$at/dropin_static.exe"
expect_out 'neighbour.dll: still missing here: nothere.dl; it will not start'

# Likewise of an API set, which only the loader knows: one that is there without the functions, and one that is not. A Pss
# function of kernel32 takes the place of one that every C runtime imports.
free='s/SetUnhandledExceptionFilter/PssFreeSnapshot\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00/'
fresh dropin_apiset.exe
sed -i "$free; s/processsnapshot-l1-1-0\.dll/file-l1-1-0.dll\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00/" \
    "$at/dropin_apiset.exe"
run rebind --dry-run "Z:$at/dropin_apiset.exe"
expect_out 'still missing here: api-ms-win-core-file-l1-1-0.dll!PssCaptureSnapshot; it starts under Wine'
fresh dropin_apiset.exe
sed -i "$free; s/processsnapshot-l1-1-0/processsnapshox-l1-1-0/" "$at/dropin_apiset.exe"
run rebind --dry-run "Z:$at/dropin_apiset.exe"
expect_out 'still missing here: api-ms-win-core-processsnapshox-l1-1-0.dll; it will not start'
check 'nothing else' test "$(grep -c 'still missing' <<<"$out")" -eq 1

# The same for machines.
json()
{
    "$cmake" "-DFILE=$scratch/document" -DMODE=GET "-DPATH=$1" -P "$(dirname "$0")/json.cmake"
}
fresh dropin_static.exe
sed -i 's/VirtualQuery\x00/VirtualQuerz\x00/' "$at/dropin_static.exe"
echo text >"$at/text.dll"
run rebind --json "Z:$at"
expect_status 0
printf '%s' "$out" >"$scratch/document"
for pair in 'summary;rebound=1' 'summary;skipped=1' 'summary;failed=0' 'files;0;result=rebound' \
    'files;0;missing;0;dll=KERNEL32.dll' 'files;0;missing;0;function=VirtualQuerz' 'files;1;result=skipped'; do
    check "${pair}" test "$(json "${pair%=*}")" = "${pair#*=}"
done
run rebind --json "Z:$at/nothing.exe"
expect_status 1
printf '%s' "$out" >"$scratch/document"
check 'failed' test "$(json 'files;0;result')" = failed
check 'why' grep -q 'there is no such file' <<<"$(json 'files;0;detail')"

# A name that a terminal would obey: U+202E, and U+009B in UTF-8.
fresh dropin_static.exe
odd=$(printf 'a\342\200\256b\302\233c.exe')
mv "$at/dropin_static.exe" "$at/$odd"
run rebind "Z:$at"
expect_status 0
expect_out 'a.b.c\.exe: rebound'
check 'nothing to obey' test -z "$(LC_ALL=C grep -P '\xe2\x80\xae|\xc2\x9b' <<<"$out$err")"
run rebind --json "Z:$at"
check 'all of the name' grep -q 'a\\u202Eb\\u009Bc\.exe' <<<"$out"
check 'nothing to obey in the document' test -z "$(LC_ALL=C grep -P '[^\n\r -~]' <<<"$out")"

finish
