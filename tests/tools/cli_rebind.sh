# SPDX-License-Identifier: MIT
# The options of `pss rebind`: where files go, what is kept, and what is looked at.
. "$(dirname "$0")/rebind.bash"

# A dry run tells what it would do.
fresh dropin_static.exe
run rebind --dry-run "Z:$at/dropin_static.exe"
expect_status 0
expect_out 'dropin_static.exe: would be rebound: 6 imports from pss\.dll$'
expect_out '^1 file: 1 to be rebound,'
expect_unchanged dropin_static.exe

# Another file: the program itself stays, and pss.dll goes with the other one.
mkdir "$at/other"
run rebind --output "Z:$at/other/new.exe" "Z:$at/dropin_static.exe"
expect_status 0
expect_out 'new.exe: rebound'
run_at "$at/other" new.exe
expect_works
check 'pss.dll is the one of this build' cmp -s "$bin/pss.dll" "$at/other/pss.dll"
check 'no backup' test "$(ls "$at/other")" = $'new.exe\npss.dll'
rm -r "$at/other"
expect_unchanged dropin_static.exe

# The same over an older result, and over the program itself, however it is spelled.
cp "$programs/$own/dropin_cpp.exe" "$at/new.exe"
run rebind --output "Z:$at/new.exe" "Z:$at/dropin_static.exe"
expect_status 0
run_at "$at" new.exe
expect_works
rm "$at/new.exe" "$at/pss.dll"
run rebind --output "Z:$at/../$(basename "$at")/DROPIN_static.exe" "Z:$at/dropin_static.exe"
expect_status 1
expect_err 'names the file itself'
expect_unchanged dropin_static.exe

# A directory for several files, or for those of a directory, which keep their places.
mkdir -p "$scratch/tree/below/deep"
cp "$programs/$own/dropin_static.exe" "$scratch/tree"
cp "$programs/$own/dropin_apiset.exe" "$scratch/tree/below/deep"
run rebind --output "Z:$scratch/several" "Z:$scratch/tree/dropin_static.exe" "Z:$scratch/tree/below/deep/dropin_apiset.exe"
expect_status 0
check 'three files' test "$(ls "$scratch/several")" = $'dropin_apiset.exe\ndropin_static.exe\npss.dll'
run rebind --output "Z:$scratch/ended/" "Z:$scratch/tree/dropin_static.exe"
check 'a directory' test "$(ls "$scratch/ended")" = $'dropin_static.exe\npss.dll'
run rebind --output "Z:$scratch/copy" "Z:$scratch/tree"
expect_status 0
expect_out '^1 file: 1 rebound'
run rebind --recursive --output "Z:$scratch/copy" "Z:$scratch/tree"
expect_status 0
expect_out '^2 files: 2 rebound'
run_at "$scratch/copy/below/deep" dropin_apiset.exe
expect_works
check 'the tree has only its programs' test "$(find "$scratch/tree" -type f | wc -l)" -eq 2
run rebind --recursive "Z:$scratch/tree"
expect_status 0
run_at "$scratch/tree/below/deep" dropin_apiset.exe
expect_works
run rebind --restore "Z:$scratch/tree"
expect_out '^1 file: 1 restored'
run rebind --restore --recursive --dry-run "Z:$scratch/tree"
expect_out 'would be restored'
run rebind --restore --recursive "Z:$scratch/tree"
expect_out '^1 file: 1 restored'
check 'no backup is left' test -z "$(find "$scratch/tree" -name '*.pss-backup')"

# Neither backup nor library.
fresh dropin_static.exe
run rebind --no-backup --no-copy "Z:$at/dropin_static.exe"
expect_status 0
check 'one file' test "$(ls "$at")" = dropin_static.exe
check 'and another one' test "$(cksum <"$at/dropin_static.exe")" != "$(cksum <"$programs/$own/dropin_static.exe")"
run rebind --restore "Z:$at/dropin_static.exe"
expect_status 1
expect_err 'there is no backup'

# The other bitness.
fresh dropin_static.exe "$other"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
check 'pss.dll of the other bitness' cmp -s "$bin/$other/pss.dll" "$at/pss.dll"
run_at "$at" dropin_static.exe
expect_works

# A program that was updated is rebound again, and its older backup is replaced.
cp "$programs/$other/dropin_apiset.exe" "$at/dropin_static.exe"
run rebind --restore "Z:$at/dropin_static.exe"
expect_status 1
expect_err 'is not a rebound file any more'
run rebind "Z:$at/dropin_static.exe"
expect_status 0
check 'the newer original' cmp -s "$programs/$other/dropin_apiset.exe" "$at/dropin_static.exe.pss-backup"

# Where nothing but the backup is left, it is renamed back all the same.
rm "$at/dropin_static.exe"
run rebind --restore "Z:$at/dropin_static.exe"
expect_status 0
check 'the original alone' cmp -s "$programs/$other/dropin_apiset.exe" "$at/dropin_static.exe"

# Names beyond ASCII, paths beyond 260 characters, spaces, and paths relative to the directory.
long=$scratch/long
for ((i = 0; i < 8; i++)); do
    long=$long/directory-with-a-name-of-fifty-characters-in-it-$i
done
mkdir -p "$long/häß 日本"
cp "$programs/$own/dropin_static.exe" "$long/häß 日本/Прог рамма.exe"
run rebind --recursive "Z:$scratch/long"
expect_status 0
expect_out '日本\\Прог рамма\.exe: rebound'
run rebind --restore "Z:$long/häß 日本/Прог рамма.exe"
expect_status 0
check 'the original' cmp -s "$programs/$own/dropin_static.exe" "$long/häß 日本/Прог рамма.exe"
fresh dropin_static.exe
run_at "$at" "$bin/pss.exe" rebind dropin_static.exe
expect_status 0
run_at "$at" dropin_static.exe
expect_works

# A read-only file stays one.
fresh dropin_static.exe
chmod 555 "$at/dropin_static.exe"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
check 'read-only' test $((0$(stat -c %a "$at/dropin_static.exe") & 0222)) -eq 0
run rebind --restore "Z:$at/dropin_static.exe"
expect_status 0
run rebind --no-backup "Z:$at/dropin_static.exe"
expect_status 0
run_at "$at" dropin_static.exe
expect_works

finish
