# SPDX-License-Identifier: MIT
# Two runs at once: one of them rebinds, and the original stays the original.
. "$(dirname "$0")/rebind.bash"

tries=6
[ -z "${PSS_SOAK:-}" ] || tries=40

fresh dropin_static.exe
run rebind "Z:$at/dropin_static.exe"
expect_status 0
cp "$at/dropin_static.exe" "$scratch/rebound.exe"

# together ARGUMENT...: runs pss rebind three times at once; sets $statuses, and $out and $err to all that they say.
together()
{
    local id ids=()
    statuses= command="three times pss rebind $*" status=-
    for id in 1 2 3; do
        "$emulator" "$bin/pss.exe" rebind "$@" >"$scratch/out$id" 2>"$scratch/err$id" &
        ids+=($!)
    done
    for id in "${ids[@]}"; do
        wait "$id"
        statuses+=$?
    done
    out=$(cat "$scratch"/out?) err=$(cat "$scratch"/err?)
}

for ((try = 0; try < tries; try++)); do
    fresh dropin_static.exe
    together "Z:$at/dropin_static.exe"
    check 'all end well' test "$statuses" = 000
    check 'one rebinds' test "$(grep -c 'dropin_static.exe: rebound' <<<"$out")" -eq 1
    check 'the original' cmp -s "$at/dropin_static.exe.pss-backup" "$programs/$own/dropin_static.exe"
    check 'the rebound file' cmp -s "$at/dropin_static.exe" "$scratch/rebound.exe"
    check 'the library' cmp -s "$at/pss.dll" "$bin/pss.dll"
    check 'no other file' test "$(ls -A "$at")" = $'dropin_static.exe\ndropin_static.exe.pss-backup\npss.dll'
    together --restore "Z:$at/dropin_static.exe"
    check 'one restores' test "$(grep -c 'dropin_static.exe: restored' <<<"$out")" -eq 1
    check 'the original is back' cmp -s "$at/dropin_static.exe" "$programs/$own/dropin_static.exe"
    check 'and the library' test "$(ls -A "$at")" = $'dropin_static.exe\npss.dll'
done

# An updater at the same time: whatever it puts there, the backup is the original of what was rebound.
cp "$programs/$own/dropin_apiset.exe" "$scratch/update.exe"
run rebind --output "Z:$scratch/updated.exe" "Z:$scratch/update.exe"
update()
{
    while [ ! -e "$scratch/stop" ]; do
        cp "$scratch/update.exe" "$at/incoming"
        mv "$at/incoming" "$at/dropin_static.exe"
        sleep "0.0$((RANDOM % 10))"
        cp "$programs/$own/dropin_static.exe" "$at/incoming"
        mv "$at/incoming" "$at/dropin_static.exe"
        sleep "0.0$((RANDOM % 10))"
    done
}
is_pair()
{
    local program=$at/dropin_static.exe
    cmp -s "$program" "$programs/$own/dropin_static.exe" || cmp -s "$program" "$scratch/update.exe" ||
        { cmp -s "$program" "$scratch/rebound.exe" && cmp -s "$program.pss-backup" "$programs/$own/dropin_static.exe"; } ||
        { cmp -s "$program" "$scratch/updated.exe" && cmp -s "$program.pss-backup" "$scratch/update.exe"; }
}
for ((try = 0; try < tries; try++)); do
    fresh dropin_static.exe
    rm -f "$scratch/stop"
    update &
    updater=$!
    together "Z:$at/dropin_static.exe"
    : >"$scratch/stop"
    wait "$updater"
    check 'the program and its original' is_pair
    check 'nothing half' test -z "$(find "$at" -name '*.pss-new')"
done

# A file of that name that is somebody's stays. An empty file that a run could not remove, for the system went down, stops nobody.
fresh dropin_static.exe
echo mine >"$at/.pss-rebind-lock"
run rebind "Z:$at/dropin_static.exe"
expect_status 0
check 'is mine' test "$(cat "$at/.pss-rebind-lock")" = mine
: >"$at/.pss-rebind-lock"
run rebind --restore "Z:$at/dropin_static.exe"
expect_status 0
check 'is gone' test ! -e "$at/.pss-rebind-lock"

finish
