# SPDX-License-Identifier: MIT
# pss show --clone tells what the clone of a live process is, holds and differs in, as text and as JSON.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-clone
id=$sample_id

# check_clone: the sections of the clone in $out.
check_clone()
{
    local clone target clones targets
    expect_status 0
    clone=$(section Clone)
    expect_out '^Clone$'
    expect_out '^  VA clone +[0-9]+ us'
    check "a process of its own" test "$(awk '$1 == "Process" { print $2 }' <<<"$clone")" -ne "$id"
    check "how it was made" grep -Eq '^  Strategy +(native|carrier)$' <<<"$clone"
    if grep -Eq '^  Strategy +carrier$' <<<"$clone"; then
        check "a route" grep -Eq '^  Route +(calls|files)$' <<<"$clone"
        check "bytes committed" grep -Eq '^  Committed +[1-9][0-9.]* .iB \([0-9]+ bytes\)$' <<<"$clone"
        check "bytes held" grep -Eq '^  Held +[1-9][0-9.]* .iB \([0-9]+ bytes\): .* copied, .* unchanged from image files, .* zero$' <<<"$clone"
        check "bytes missing" grep -Eq '^  Missing +[0-9.]+ .?i?B \([0-9]+ bytes\)$' <<<"$clone"
    else
        check "bytes of a native clone" grep -Eq '^  Held +not told of a native clone$' <<<"$clone"
    fi
    read -r clones targets <<<"$(sed -En 's/^  Regions +([0-9]+), ([0-9]+) in the target$/\1 \2/p' <<<"$clone")"
    check "regions of both" test "${clones:-0}" -gt 0 -a "${targets:-0}" -gt 0
    expect_out '^Clone differences \([0-9]+ regions: base [0-9]+, size [0-9]+, state [0-9]+, protect [0-9]+, type [0-9]+\)$'
    check "as many rows as regions that differ" test "$(section_count 'Clone differences')" = \
        "$(section 'Clone differences' | grep -c '^  target ')"
    for kind in base size state protect type; do
        check "as many rows that differ in $kind" test \
            "$(sed -En "s/^Clone differences .* $kind ([0-9]+).*/\1/p" <<<"$out")" = \
            "$(section 'Clone differences' | grep '^  target ' | grep -Ec "  (.*, )?$kind(,|$)")"
    done
    check "a kind in each row" test "$(section 'Clone differences' | grep '^  target ' |
        grep -Evc '  (base|size|state|protect|type)(, |$)')" -eq 0
}

run show "$id" --clone
check_clone
expect_out "^Process $id pss-cli-clone\.exe$"
check "no other section" test "$(grep -Ec '^(Threads|Contexts|Handles|Memory|Auxiliary pages) \(|^Counts$' <<<"$out")" -eq 0
regions=$(section Clone | sed -En 's/^  Regions .*, ([0-9]+) in the target$/\1/p')

# Together with everything else; the regions of the target are those of the other section.
run show "$id" --all --clone
check_clone
expect_out '^Threads \('
check "regions listed" test "$(section_count Memory)" = "$regions"
run show "$id" --all
expect_status 0
expect_out '^Memory \('
expect_no_out '^Clone'

# As JSON.
json()
{
    "$cmake" "-DFILE=$scratch/json" "-DMODE=$1" "-DPATH=$2" -P "$(dirname "$0")/json.cmake"
}

run show "$id" --clone --json
expect_status 0
printf '%s' "$out" >"$scratch/json"
check "a process of its own" test "$(json GET 'clone;process_id')" -gt 0 -a "$(json GET 'clone;process_id')" -ne "$id"
check "fields of the clone" test "$(json LENGTH clone)" -eq 5
check "fields of the details" test "$(json LENGTH 'clone;details')" -eq 8
check "how it was made" grep -q '^[12]$' <<<"$(json GET 'clone;details;Strategy')"
bytes()
{
    json GET "clone;details;Bytes$1"
}
check "what is held adds up" test "$(bytes Held)" -eq $(($(bytes Copied) + $(bytes Unchanged) + $(bytes Zero)))
check "what is committed adds up" test "$(bytes Committed)" -eq $(($(bytes Held) + $(bytes Missing)))
check "regions of the target" test "$(json GET 'clone;counts;target_regions')" = "$(json GET 'counts;RegionCount')"
check "regions of the clone" test "$(json GET 'clone;counts;clone_regions')" -gt 0
count=$(json LENGTH 'clone;differences')
kinds=0
for kind in base size state protect type; do
    number=$(json GET "clone;counts;$kind")
    check "not more regions differ in $kind than differ" test "$number" -le "$count"
    check "as many name $kind" test "$(grep -Ec "^ +\"$kind\",?$" <<<"$out")" = "$number"
    kinds=$((kinds + number))
done
check "a kind for each difference" test "$kinds" -ge "$count"
if [ "$count" -gt 0 ]; then
    check "fields of a difference" test "$(json LENGTH 'clone;differences;0')" -eq 3
    check "fields of a region" test "$(json LENGTH 'clone;differences;0;target')" -eq 7
fi

# Several captures end one clone after the other; and pss clones itself.
run show "$id" --clone --repeat 3
expect_status 0
expect_out '^Performance of 3 captures$'
expect_out '^  VA clone +us '
run show self --clone
check_clone

# No clone is left behind, whatever its name is.
before=$(sed -En 's/^ +"process_id": ([0-9]+),?$/\1/p' "$scratch/json")
run list
check "the clone's id is gone" test "$(awk -v id="$before" '$1 == id' <<<"$out" | wc -l)" -eq 0
check "one process of the name" test "$(grep -c ' pss-cli-clone\.exe$' <<<"$out")" -eq 1
check "one pss" test "$(grep -c ' pss\.exe$' <<<"$out")" -eq 1

finish
