# SPDX-License-Identifier: MIT
# Helpers of the tests under odd set-ups: a prefix with a server of its own, and a place where mounts are private.
#
# Sourced after cli.bash.

own=$scratch/wine-run
own_prefix=$scratch/prefix
trap 'end_own; end_samples; rm -rf "$scratch"' EXIT

# The files are those of the build's prefix, which are only read.
make_own_prefix()
{
    local prefix
    prefix=$(sed -n "s/^export WINEPREFIX='\([^']*\)'.*/\1/p" "$emulator")
    "$emulator" cmd.exe /c exit 0
    mkdir "$own_prefix"
    cp "$prefix"/*.reg "$prefix/.ready" "$prefix/.update-timestamp" "$own_prefix"
    cp -a "$prefix/dosdevices" "$own_prefix"
    ln -s "$prefix/drive_c" "$own_prefix"
    sed "s|^export WINEPREFIX='[^']*'|export WINEPREFIX='$own_prefix'|" "$emulator" >"$own"
    chmod +x "$own"
}

# All processes of the own prefix, Wine's services included, and nobody else's.
own_processes()
{
    grep -lzxF "WINEPREFIX=$own_prefix" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3
}

# Where the server was killed, its programs stay.
end_own()
{
    local pid
    [ ! -x "$own" ] || "$own" --end
    for pid in $(own_processes); do
        kill -9 "$pid" 2>/dev/null
    done
}

# run_own ARGUMENT...: pss.exe in the own prefix; keeps $out, $err and $status.
run_own()
{
    command="pss $* (own prefix)"
    out=$("$own" "$bin/pss.exe" "$@" 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
}

# privately COMMAND...: runs a shell command where mounts are seen by nobody else.
privately()
{
    if [ "$(id -u)" -eq 0 ]; then
        unshare --mount sh -c "$*"
    else
        unshare --user --map-root-user --mount sh -c "$*"
    fi
}

can_mount()
{
    privately "mount -t tmpfs none /mnt" 2>/dev/null
}

# run_mounted MOUNTS ARGUMENT...: pss.exe and a server of its own behind these mounts.
run_mounted()
{
    local mounts=$1
    shift
    end_own
    command="pss $* behind: $mounts"
    out=$(privately "$mounts && '$own' '$bin/pss.exe' $*; status=\$?; '$own' --end; exit \$status" 2>"$scratch/err")
    status=$?
    err=$(cat "$scratch/err")
}

# What cannot be had here is told, and the test counts as skipped unless something else fails.
skipped=0
skip()
{
    echo "SKIPPED: $1"
    skipped=$((skipped + 1))
}

finish_odd()
{
    echo "$checks checks, $failures failed, $skipped skipped"
    [ "$failures" -eq 0 ] || exit 1
    [ "$skipped" -eq 0 ] || exit 77
    [ "$checks" -gt 0 ]
    exit
}
