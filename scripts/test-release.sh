#!/bin/sh
# SPDX-License-Identifier: MIT
# Tries the README's two commands on a release of Debian, from a clean clone of what is committed here.
#
#   scripts/test-release.sh SUITE [COMMAND...]    such as bookworm or trixie; other commands instead of the two
#
# As root: it makes the release's root in build/release/SUITE with debootstrap, and works in it by chroot. The root stays
# for the next time; `rm -rf` it when no longer wanted. The last line is that of the last command.

set -eu
cd "$(dirname "$0")/.."
. scripts/packages.sh

suite=${1:-}
case $suite in
'' | *[!a-z]*)
    sed -n '3,8s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
shift
[ $# -gt 0 ] || set -- scripts/demo.sh scripts/test.sh
[ "$(id -u)" -eq 0 ] || {
    echo 'Only root can make a root directory of another release.' >&2
    exit 1
}
need_packages debootstrap git

root=$PWD/build/release/$suite
mounted=
finish() {
    for directory in $mounted; do
        umount -R "$root/$directory" || umount -Rl "$root/$directory"
    done
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

[ -e "$root/.complete" ] || {
    rm -rf "$root"
    mkdir -p "$root"
    debootstrap --variant=minbase "$suite" "$root"
    # Where packages come from is what this machine says, too.
    cp -r /etc/apt/apt.conf.d/. "$root/etc/apt/apt.conf.d/"
    : >"$root/.complete"
}
cp -L /etc/resolv.conf "$root/etc/resolv.conf"

# Nothing that is mounted here may be unmounted with it.
enter() {
    mount "$@"
    eval "directory=\${$#}"
    mount --make-rslave "$directory"
    mounted="${directory#"$root/"} $mounted"
}
enter -t proc proc "$root/proc"
enter --rbind /sys "$root/sys"
enter --rbind /dev "$root/dev"
enter -t tmpfs tmpfs "$root/tmp"

rm -rf "$root/pss"
git clone -q . "$root/pss"
in_root() {
    env -i http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \
        chroot "$root" sh -c "cd /pss && exec $1" </dev/null
}
printf '\n== %s\n' "$suite"
for command in "$@"; do
    printf '\n== %s\n' "$command"
    in_root "$command"
done
