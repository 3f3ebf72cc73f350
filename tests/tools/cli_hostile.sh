# SPDX-License-Identifier: MIT
# Processes that lie or move, before pss.exe: `pss show` tells all it can in words and in JSON that parses, and `pss run`
# gives them the API and ends with their exit status.
. "$(dirname "$0")/cli.bash"

kinds=($(sed -En 's/^ *X\([a-z0-9_]+, "([a-z0-9-]+)",.*/\1/p' "$(dirname "$0")/../support/hostile_kinds.h"))
check "kinds to become" test "${#kinds[@]}" -gt 40
seed=${PSS_TEST_SEED:-$(date +%s)}
echo "PSS_TEST_SEED=$seed"
RANDOM=$((seed % 32768))
targets=0

# Two of the kinds that are given, or all of them.
choose()
{
    [ -z "${PSS_SOAK:-}" ] || { printf '%s\n' "$@"; return; }
    local all=("$@")
    printf '%s\n' "${all[RANDOM % $#]}" "${all[RANDOM % $#]}"
}

# Starts one that ends when its input does; sets $id, which is empty when there is no such kind here.
start_hostile()
{
    local input
    rm -f "$scratch/in" "$scratch/out"
    mkfifo "$scratch/in" "$scratch/out"
    PSS_STDIN=1 "$emulator" "$bin/$1.exe" "$2" "$RANDOM" <"$scratch/in" >"$scratch/out" &
    exec {input}>"$scratch/in"
    sample_inputs+=("$input")
    greeting=
    IFS= read -r -t 60 greeting <"$scratch/out"
    id=$(sed -En 's/^pss-test-hostile is process ([0-9]+):.*/\1/p' <<<"$greeting")
}

json()
{
    "$cmake" "-DFILE=$scratch/json" "-DMODE=$1" "-DPATH=$2" -P "$(dirname "$0")/json.cmake"
}

# What ends, denies or has no room may be refused, with a reason.
may_fail()
{
    [[ $1 =~ ^(exits|exits-by-thread|crashes|denies|teb-.*|no-memory|small-job)$ ]]
}

show()
{
    local kind=$1
    run show "$id" --all --clone
    if [ "$status" -ne 0 ] && may_fail "$kind"; then
        expect_status 1
        expect_err '^pss: (.+ failed: error |process [0-9]+ may not be opened: |there is no process )'
        return
    fi
    expect_status 0
    expect_out "^Process $id pss-test-hostile"
    for name in Threads Handles Memory; do
        check "all of $name" test "$(section_rows "$name")" -eq "$(section_count "$name")"
    done
    run show "$id" --all --clone --json
    may_fail "$kind" && [ "$status" -ne 0 ] && return
    expect_status 0
    printf '%s' "$out" >"$scratch/json"
    check "process id" test "$(json GET 'process;ProcessId')" = "$id"
    check "handles" test "$(json LENGTH handles)" = "$(json GET 'counts;HandlesCaptured')"
}

programs=(pss-test-hostile)
[ "$pointer_size" -eq 4 ] || programs+=(pss-test-hostile-foreign)
for kind in $(choose "${kinds[@]}"); do
    start_hostile "${programs[RANDOM % ${#programs[@]}]}" "$kind"
    if [ -n "$id" ]; then
        echo "pss show: $kind"
        show "$kind"
        targets=$((targets + 1))
    else
        echo "pss show: no $kind here ($greeting)"
    fi
    end_samples
done

# Whoever breaks his own PEB, TEBs or lists of modules crashes or loops in ntdll as soon as he captures himself, with pss run
# or without: a caller is trusted. Of the others one may crash, and has the status of that crash: that pss.exe tells of it,
# and ends, is ours.
runnable=($(printf '%s\n' "${kinds[@]}" | grep -Ev '^(peb-.*|teb-.*|loader-(null|loop|garbage)|parameters-.*|image-base)$'))

# Early means under the loader's lock: there only those kinds come to be that need no thread.
is_early()
{
    [[ $1 =~ ^(quiet|header-.*|library-headers|odd-.*)$ && $1 != header-flicker ]]
}

for kind in quiet $(choose "${runnable[@]}"); do
    for when in self early; do
        [ "$when" = self ] || is_early "$kind" || continue
        run_program pss run "Z:${bin//\//\\}\\pss-test-hostile.exe" "$kind" "$RANDOM" "$when"
        own_status=$status
        echo "pss run: $kind, $when: status $status, $out"
        expect_no_out 'no API'
        check "ends in time" test "$status" -ne 124
        check "the program's status" test "$own_status" -ne 125
        targets=$((targets + 1))
    done
    [ "$kind" != quiet ] || { expect_status 42; expect_out '^captured itself: error 0'; }
done

echo "tally: hostile-targets $targets"
finish
