# SPDX-License-Identifier: MIT
# pss tells the sizes of a process with more memory than 32 bits can count, as text and as JSON, of its clone, too.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-huge huge_target
id=$sample_id
block=$(sed -En 's/.* block (0x[0-9a-f]+) .*/\1/p' <<<"$greeting")
size=$(sed -En 's/.* of (0x[0-9a-f]+).*/\1/p' <<<"$greeting")
check "says where its block is" test -n "$block" -a -n "$size"
reserved=$((size - 0x10000))
last=$((block + reserved))

# An address as the tool writes it.
address()
{
    printf "0x%0$((2 * pointer_size))x" "$1"
}

# The rounded size of the reserved part.
if [ "$pointer_size" -eq 8 ]; then
    rounded='8\.0 GiB'
else
    rounded='511\.9 MiB'
fi

run show "$id" --all
expect_status 0
expect_out "^ +$(address "$block") +$rounded +RESERVE +PRIVATE"
expect_out "^ +$(address "$last") +64\.0 KiB +COMMIT +PRIVATE +READONLY"
check "as many rows" test "$(section_count Memory)" -eq "$(section_rows Memory)"

run show "$id" --all --json
expect_status 0
json=$(tr -d '\n ' <<<"$out")
check "the reserved region, exactly" grep -Eqi \
    "\"BaseAddress\":\"$(address "$block")\"[^}]*\"RegionSize\":($reserved|\"$(printf '0x%X' "$reserved")\")[,}]" <<<"$json"
check "the last region, exactly" grep -Eqi \
    "\"BaseAddress\":\"$(address "$last")\"[^}]*\"RegionSize\":(65536|\"0x10000\")[,}]" <<<"$json"
virtual=$(sed -En 's/.*"VirtualSize":"?([0-9A-Fa-fx]+).*/\1/p' <<<"$json")
check "as much virtual memory" test "$((virtual))" -ge "$((size))"

# A clone has the same regions: where they differ they would be listed.
run show "$id" --clone
expect_status 0
expect_no_out "$(address "$block")"
expect_no_out "$(address "$last")"

# Where the clone's process may not become that large the capture says so, and what it had begun is gone.
if [ "$pointer_size" -eq 8 ] && (ulimit -v 4000000) 2>/dev/null; then
    command="pss show $id --clone in 4 GB"
    out=$(ulimit -v 4000000 && "$emulator" "$bin/pss.exe" show "$id" --clone 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
    expect_status 1
    expect_err '^pss: .* failed: error (8|1455)'
    run show "$id" --clone
    expect_status 0
fi

finish
