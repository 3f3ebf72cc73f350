# SPDX-License-Identifier: MIT
# Wine's server is killed while pss.exe captures: the tool ends, and with no success, as far as Wine lets it.
. "$(dirname "$0")/cli.bash"
. "$(dirname "$0")/odd.bash"

seed=${PSS_TEST_SEED:-$(date +%s)}
echo "PSS_TEST_SEED=$seed"
RANDOM=$((seed % 32768))
rounds=2
[ -z "${PSS_SOAK:-}" ] || rounds=200

make_own_prefix
cp "$bin"/pss*.exe "$bin"/pss*.dll "$scratch"
mv "$scratch/pss.exe" "$scratch/pss-odd.exe"
program="Z:${scratch//\//\\}\\pss-odd.exe"

# Each goes on for much longer than it is let.
commands=(
    'show self --all --repeat 100000'
    'show self --clone --json --repeat 100000'
    'show self --handles --threads --repeat 100000'
    "run $program show self --all --repeat 100000"
)

tools()
{
    local pid
    for pid in $(own_processes); do
        [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != pss-odd.exe ] || echo "$pid"
    done
}

# The threads of a process that are not asleep.
busy_threads()
{
    cat "/proc/$1"/task/*/stat 2>/dev/null | sed 's/.*) //' | grep -cv '^S'
}

# Under Wine 8.0 a thread that waits for an object never hears that its server is gone: it has both ends of the pipe
# that it waits on. Nothing that runs in the process can end it then. What is left must be that, and nothing that works on.
stuck=0
wait_for_tools()
{
    local pid
    for ((look = 0; look < 30; look++)); do
        [ -n "$(tools)" ] || return 0
        sleep 0.1
    done
    for pid in $(tools); do
        check "only waits for Wine" test "$(busy_threads "$pid")" -eq 0
        stuck=$((stuck + 1))
        kill -9 "$pid" 2>/dev/null
    done
}

# It has its name only when it has found its server; one that comes later would start another server.
wait_for_begin()
{
    for ((look = 0; look < 300; look++)); do
        [ -z "$(tools)" ] || return 0
        sleep 0.1
    done
    return 1
}

for ((round = 0; round < rounds; round++)); do
    arguments=${commands[round % ${#commands[@]}]}
    moment=$(printf '0.%03d' $((RANDOM % 1000)))
    command="pss $arguments, killed after $moment s" status= out= err=
    # shellcheck disable=SC2086
    PSS_TIMEOUT=30 "$own" "$scratch/pss-odd.exe" $arguments >"$scratch/out" 2>"$scratch/err" &
    job=$!
    check "begins" wait_for_begin
    sleep "$moment"
    WINEPREFIX=$own_prefix wineserver -k9
    wait_for_tools
    wait "$job"
    status=$?
    out=$(head -c 1000 "$scratch/out")
    err=$(cat "$scratch/err")
    check "no success" test "$status" -ne 0
    end_own
    for ((look = 0; look < 50; look++)); do
        [ -n "$(own_processes)" ] || break
        sleep 0.1
    done
    check "no process is left" test -z "$(own_processes)"
done
echo "$stuck processes waited for a server that was gone"

finish_odd
