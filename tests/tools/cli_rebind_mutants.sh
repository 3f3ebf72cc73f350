# SPDX-License-Identifier: MIT
# Damaged programs: what ran with the API before it was rebound (by `pss run`) runs afterwards. A sample; more with PSS_SOAK.
. "$(dirname "$0")/rebind.bash"

mutants=8
[ -z "${PSS_SOAK:-}" ] || mutants=600
seed=${PSS_SEED:-$RANDOM}
RANDOM=$seed
echo "seed $seed"
export PSS_TIMEOUT=20

names=(dropin_static.exe dropin_apiset.exe dropin_delay.exe dropin_mixed.exe dropin_cpp.exe)
values=('\x00' '\x01' '\x02' '\x04' '\x10' '\x20' '\x40' '\x80' '\xfe' '\xff')
at=$scratch/at
mkdir "$at"

# mutate FILE: changes up to four bytes of its headers, or of the rest; whole numbers as often as bytes.
mutate()
{
    local size header count
    size=$(stat -c %s "$1") header=$(od -An -tu4 -j60 -N4 "$1")
    for ((count = RANDOM % 4; count >= 0; count--)); do
        case $((RANDOM % 4)) in
        0 | 1) offset=$((header + RANDOM % 264)) ;;
        2) offset=$((header + 264 + RANDOM % 400)) ;;
        *) offset=$(((RANDOM * 32768 + RANDOM) % size)) ;;
        esac
        value=${values[RANDOM % ${#values[@]}]}
        [ $((RANDOM % 3)) -ne 0 ] || value+='\x00\x00\x00'
        printf "$value" | dd of="$1" bs=1 seek="$offset" conv=notrunc status=none
        changes+=" $offset=$value"
    done
}

rebound=0 ran=0
for ((mutant = 0; mutant < mutants; mutant++)); do
    name=${names[RANDOM % ${#names[@]}]} changes=
    cp "$programs/$own/$name" "$at/program.exe"
    mutate "$at/program.exe"
    "$emulator" "$bin/pss.exe" rebind --no-backup --output "Z:$at/new.exe" "Z:$at/program.exe" >"$scratch/out" 2>"$scratch/err"
    status=$?
    command="mutant $mutant of seed $seed: $name$changes" out=$(cat "$scratch/out") err=$(cat "$scratch/err")
    check 'ends well' test "$status" -le 1
    [ "$status" -eq 0 ] && [ -e "$at/new.exe" ] || continue
    rebound=$((rebound + 1))
    before=$(cd "$at" && "$emulator" "$bin/pss.exe" run program.exe 2>/dev/null | tr -d '\r')
    if [ "$before" = works ]; then
        ran=$((ran + 1))
        out=$(cd "$at" && "$emulator" new.exe 2>"$scratch/err" | tr -d '\r') err=$(cat "$scratch/err")
        check 'works as before' test "$out" = works
    fi
    rm -f "$at/new.exe"
done
echo "$mutants mutants: $rebound rebound, $ran of them had worked"
check 'some had' test "$ran" -gt 0

finish
