# SPDX-License-Identifier: MIT
# pss read prints and writes the bytes of a live process at an address, and stops where nothing can be read.
. "$(dirname "$0")/cli.bash"

start_sample pss-cli-read read_target
id=$sample_id
block=$(sed -En 's/.* block (0x[0-9a-f]+).*/\1/p' <<<"$greeting")
check "says where its block is" test -n "$block"
text_size=$((0x301000))
awk -v size="$text_size" 'BEGIN { for (i = 0; i < size; i += 16) printf "offset %08x\n", i }' >"$scratch/text"

# The address as a dump has it.
dump_address()
{
    printf "%0$((2 * pointer_size))x" $((block + $1))
}

# The address as messages have it.
message_address()
{
    printf "0x%0$((2 * pointer_size))x" "$1"
}

# A line of known text, whatever way its place and size are written.
line="^$(dump_address 32): 6f66 6673 6574 2030 3030 3030 3032 300a  offset 00000020\.$"
for length in 16 0x10; do
    for address in $((block + 32)) $(printf '0x%X' $((block + 32))); do
        run read "$id" "$address" "$length"
        expect_status 0
        expect_out "$line"
        check "one line" test "$(wc -l <<<"$out")" -eq 1
        check "no message" test -z "$err"
    done
done

# Lines begin where the range does; the last one may be short.
run read "$id" $((block + 3)) 20
expect_status 0
expect_out "^$(dump_address 3): 7365 7420 3030 3030 3030 3030 0a6f 6666  set 00000000\.off$"
expect_out "^$(dump_address 19): 7365 7420 {32}set $"
check "two lines" test "$(wc -l <<<"$out")" -eq 2

# A range of several chunks, as a dump, into a file and to the standard output.
run read "$id" "$block" "$text_size"
expect_status 0
check "all lines" test "$(wc -l <<<"$out")" -eq $((text_size / 16))
check "lines as they are" cmp -s <(sed -E 's/.*(offset .{8})\.$/\1/' <<<"$out") "$scratch/text"
run read PSS-CLI-READ "$block" 3M --output "Z:$scratch/bytes"
expect_status 0
expect_empty_out
check "3 MiB as they are" cmp -s <(head -c 3M "$scratch/text") "$scratch/bytes"
run read "$id" "$block" 3k --output "Z:$scratch/bytes"
expect_status 0
check "an old file is replaced" cmp -s <(head -c 3K "$scratch/text") "$scratch/bytes"
command="pss read --output -"
"$emulator" "$bin/pss.exe" read --output - "$id" "$block" $((text_size)) >"$scratch/piped" 2>"$scratch/err"
status=$? out= err=$(cat "$scratch/err")
expect_status 0
check "all bytes as they are" cmp -s "$scratch/text" "$scratch/piped"

# The image as it is in its file: the beginning of the DOS header and the stub.
base=$("$emulator" "$bin/pss.exe" show "$id" --memory |
    awk '/\\pss-cli-read\.exe  \[image / { print $1 }')
check "the image's base" test -n "$base"
run read "$id" "$base" 128 --output "Z:$scratch/bytes"
expect_status 0
check "the file's header" cmp -s <(head -c 128 "$scratch/pss-cli-read.exe") "$scratch/bytes"

# What can be read is written, and the rest refused.
run read "$id" $((block + text_size - 24)) 4K
expect_status 1
expect_out '^[0-9a-f]+: [0-9a-f ]{39}  0300fe0\.offset 0$'
expect_out '^[0-9a-f]+: [0-9a-f ]{39}  0300ff0\.$'
check "two lines" test "$(wc -l <<<"$out")" -eq 2
expect_err "^pss: unreadable from $(message_address $((block + text_size))) \(NOACCESS\): 24 of 4096 bytes were read$"
run read "$id" $((block + text_size - 24)) 25 --output "Z:$scratch/bytes"
expect_status 1
check "24 bytes" cmp -s <(tail -c 24 "$scratch/text") "$scratch/bytes"

# Nothing can be read: no output, and the file is left alone.
expect_unreadable()
{
    local address=$1 reason=$2
    run read "$id" "$address" 16 --output "Z:$scratch/bytes"
    expect_status 1
    expect_empty_out
    expect_err "^pss: unreadable from $(message_address "$address") \($reason\): 0 of 16 bytes were read$"
    check "the file is as before" cmp -s <(tail -c 24 "$scratch/text") "$scratch/bytes"
}

expect_unreadable $((block + text_size)) NOACCESS
expect_unreadable $((block + text_size + 0x1000)) 'READWRITE\|GUARD'
expect_unreadable $((block + text_size + 0x2000)) RESERVE
expect_unreadable 0 FREE
top=0xffffffff
[ "$pointer_size" -eq 4 ] || top=0xffffffffffffffff
run read "$id" "$top" 1
expect_status 1
expect_err "^pss: unreadable from $top \(beyond the address space\): 0 of 1 bytes were read$"
expect_empty_out

# A file that cannot be written.
run read "$id" "$block" 16 --output "Z:$scratch/none/bytes"
expect_status 1
expect_err "^pss: cannot write to '.*bytes': .+ \(error 3\)$"
expect_empty_out
for length in 16 3M; do
    run read "$id" "$block" "$length" --output Z:/dev/full
    expect_status 1
    expect_err "^pss: cannot write to 'Z:/dev/full': .+ \(error 112\)$"
    check "one message" test "$(wc -l <<<"$err")" -eq 1
done

# An output that nobody reads.
command="pss read --output - | true"
"$emulator" "$bin/pss.exe" read "$id" "$block" 3M --output - 2>"$scratch/err" | true
status=${PIPESTATUS[0]} out= err=$(cat "$scratch/err")
expect_status 1
expect_err '^pss: cannot write to the standard output$'

# The bytes are of one moment, although the process writes all the time: both ends of its block hold the same count.
start_sample pss-cli-count count_target
run read "$sample_id" "$(sed -En 's/.* block (0x[0-9a-f]+).*/\1/p' <<<"$greeting")" 4M --output "Z:$scratch/bytes"
expect_status 0
first=$(od -An -tu4 -N4 "$scratch/bytes")
last=$(od -An -tu4 -j$((0x3ffffc)) "$scratch/bytes")
check "of one moment: $first and $last" test "$first" -ge "$last" -a "$first" -le $((last + 1))
check "it counts" test "$last" -gt 0

# pss itself, and no clone is left behind.
base=$("$emulator" "$bin/pss.exe" show self --memory | awk '/\\pss\.exe  \[image / { print $1 }')
run read self "$base" 2
expect_status 0
expect_out ': 4d5a {37}MZ$'
run list
check "one process of the name" test "$(grep -c ' pss-cli-read\.exe$' <<<"$out")" -eq 1

finish
