# SPDX-License-Identifier: MIT
# Rebinding and restoring at once, killed in between, and on disks that are full: each file is its original, or rebound with
# its original beside it. A sample; all of it with PSS_SOAK.
. "$(dirname "$0")/rebind.bash"

rounds=6 sizes=4
[ -z "${PSS_SOAK:-}" ] || rounds=300 sizes=150
seed=${PSS_SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed"

names=(dropin_static.exe dropin_apiset.exe dropin_delay.exe dropin_mixed.exe dropin_cpp.exe dropin_dll.dll)
mkdir "$scratch/originals" "$scratch/rebound" "$scratch/disk"
for name in "${names[@]}"; do
    cp "$programs/$own/$name" "$scratch/originals"
done
run rebind --output "Z:$scratch/rebound" "Z:$scratch/originals"
expect_status 0

# is_whole FILE: whether it is the original, or the rebound one with its original.
is_whole()
{
    local name=${1##*/}
    cmp -s "$1" "$scratch/originals/$name" && return
    cmp -s "$1" "$scratch/rebound/$name" && cmp -s "$1.pss-backup" "$scratch/originals/$name" &&
        cmp -s "${1%/*}/pss.dll" "$bin/pss.dll"
}

check_all()
{
    local name
    for name in "${names[@]}"; do
        [ ! -e "$scratch/originals/$name" ] || check "$name is whole" is_whole "$1/$name"
    done
    check 'the library is whole, or not there' test ! -e "$1/pss.dll" -o -z "$(cmp "$1/pss.dll" "$bin/pss.dll" 2>&1)"
}

# kill_within MILLISECONDS: ends the pss.exe that $starter is about to run, after up to so long; only that process.
kill_within()
{
    local tries watcher victim
    for ((tries = 0; tries < 200; tries++)); do
        watcher=$(pgrep -P "$starter" -x timeout) && victim=$(pgrep -P "$watcher") && break
        sleep 0.005
    done
    sleep "0.$(printf '%03d' $((RANDOM % $1)))"
    [ -z "${victim:-}" ] || kill -9 $victim 2>/dev/null && killed=$((killed + 1))
}

# start ARGUMENT...: a pss rebind in the background.
start()
{
    "$emulator" "$bin/pss.exe" rebind "$@" >/dev/null 2>>"$scratch/messages" &
    starter=$!
    ids+=("$starter")
}

# Waits for all of them. A 32-bit program has two processes while it starts: that of one which was killed may go on, or
# wait for ever.
wait_for_all()
{
    local tries
    wait "${ids[@]}"
    for ((tries = 0; tries < 40; tries++)); do
        pgrep -f "rebind .*$scratch/" >/dev/null || return
        sleep 0.05
    done
    pkill -9 -f "rebind .*$scratch/"
}

# Several at once, some of them killed.
at=$scratch/at killed=0
cp -r "$scratch/originals" "$at"
for ((round = 0; round < rounds; round++)); do
    ids=() command="round $round, seed $seed" status=- out= err=
    for ((i = 0; i < 3; i++)); do
        option=--restore
        [ $((RANDOM % 2)) -eq 0 ] || option=--verbose
        operand=Z:$at
        [ $((RANDOM % 3)) -ne 0 ] || operand=$operand/${names[RANDOM % ${#names[@]}]}
        start "$option" "$operand"
        [ $((RANDOM % 3)) -eq 0 ] || kill_within 150
    done
    wait_for_all
    check_all "$at"
done
echo "$rounds rounds, $killed kills"

# Whatever they have left is no obstacle.
run rebind "Z:$at"
expect_status 0
check_all "$at"
for name in "${names[@]}"; do
    check "$name is rebound" cmp -s "$at/$name" "$scratch/rebound/$name"
done
run_at "$at" dropin_static.exe
expect_works
run rebind --restore "Z:$at"
expect_status 0
for name in "${names[@]}"; do
    check "$name is restored" cmp -s "$at/$name" "$scratch/originals/$name"
    rm -f "$at/$name" "$at/pss.dll"
done
check 'nothing else is left' test -z "$(ls -A "$at")"

# Disks of all sizes, some kills included.
if mount -t tmpfs -o size=64k none "$scratch/disk" 2>/dev/null; then
    trap 'end_samples; umount "$scratch/disk"; rm -rf "$scratch"' EXIT
    disk=$scratch/disk need=$(($(cat "$scratch"/originals/* "$bin/pss.dll" | wc -c) / 1024))
    full=0
    mount -o remount,size=$((4 * need))k "$disk"
    cp "$scratch"/originals/* "$disk"
    for ((round = 0; round < sizes; round++)); do
        ids=() command="disk $round, seed $seed" status=- out= err=
        used=$(df -k --output=used "$disk" | tail -n 1)
        mount -o remount,size=$((used + RANDOM % need))k "$disk"
        : >"$scratch/messages"
        start "Z:$disk"
        [ $((RANDOM % 4)) -ne 0 ] || kill_within 150
        [ $((RANDOM % 3)) -ne 0 ] || start --restore "Z:$disk"
        wait_for_all
        grep -q 'the disk is full' "$scratch/messages" && full=$((full + 1))
        check_all "$disk"
        if [ $((RANDOM % 2)) -eq 0 ]; then
            run rebind --restore "Z:$disk"
            rm -f "$disk/pss.dll"
            check_all "$disk"
        fi
    done
    echo "$sizes disks, $full were full"
    mount -o remount,size=$((4 * need))k "$disk"
    run rebind "Z:$disk"
    expect_status 0
    for name in "${names[@]}"; do
        check "$name is rebound" cmp -s "$disk/$name" "$scratch/rebound/$name"
    done
fi

finish
