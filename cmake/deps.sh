#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches by package name what the build needs but a system cannot simply install: source packages, files of another
# architecture or release, and compilers for the consumers among the tests, which are not worth an installation.
# Prints the directory that holds the item.
#
#   cmake/deps.sh DIRECTORY cmocka | jansson | wine-i386 | mingw-headers-SUITE | rust | go | pascal | mcs | dotnet | upx
#
# All apt state lives in DIRECTORY, so the user's sources and foreign architectures stay as they are, an ordinary user
# will do, and an item that is there is never fetched again.
set -eu

die() {
    printf 'deps: %s\n' "$*" >&2
    exit 1
}

[ $# -eq 2 ] || die 'usage: deps.sh DIRECTORY ITEM'
mkdir -p "$1"
root=$(cd "$1" && pwd)
item=$2
host_arch=$(dpkg --print-architecture) || die 'Debian or a relative of it is needed: no dpkg here'
codename=$(. /etc/os-release && printf %s "${VERSION_CODENAME:-}")
[ -n "$codename" ] || die '/etc/os-release has no VERSION_CODENAME'

# Rewrites the user's Debian sources, in either format, for our own state. $1 = suite to ask for instead of the
# user's own, or empty. Other vendors' archives and disabled entries are left out.
write_sources() {
    archs=$host_arch
    [ -n "$1" ] || archs="$host_arch i386"
    for file in /etc/apt/sources.list.d/*.sources; do
        [ -f "$file" ] || continue
        awk -v codename="$codename" -v suite="$1" -v archs="$archs" -f "$scripts/deb822.awk" "$file"
    done >"$parts/user.sources"
    for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
        [ -f "$file" ] || continue
        awk -v codename="$codename" -v suite="$1" -v archs="$archs" -f "$scripts/one-line.awk" "$file"
    done >"$parts/user.list"
    [ -s "$parts/user.sources" ] || [ -s "$parts/user.list" ] ||
        die "found no enabled Debian source for $codename in /etc/apt"
}

# Sets up and updates a private apt state. $1 = suite, or empty for the user's own release.
open_apt() {
    apt_dir=$root/apt/${1:-$codename}
    parts=$apt_dir/sources.list.d
    mkdir -p "$parts" "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial"
    # A mirror may lag behind: what counts is that the lists are signed, not that they are new.
    cat >"$apt_dir/apt.conf" <<CONF
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Architectures;
#clear APT::Default-Release;
APT::Architecture "$host_arch";
APT::Architectures { "$host_arch"; "i386"; };
APT::Sandbox::User "root";
APT::Get::List-Cleanup "false";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "$parts";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "$apt_dir";
Dir::State::lists "$apt_dir/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Cache "$apt_dir/cache";
Dir::Log "$apt_dir";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
CONF
    if [ ! -e "$apt_dir/updated" ]; then
        write_sources "$1"
        # One source of several may fail without harm; what matters is whether the package is found afterwards.
        apt_private update >"$apt_dir/update.log" 2>&1 || :
        : >"$apt_dir/updated"
    fi
}

apt_private() {
    apt-get -q -c "$apt_dir/apt.conf" "$@"
}

# Runs a fetching apt command in the current directory; on failure renews the package lists once and tries again.
fetch() {
    apt_private "$@" >fetch.log 2>&1 && return
    rm -f "$apt_dir/updated"
    open_apt "$suite"
    apt_private "$@" >fetch.log 2>&1 && return
    cat "$apt_dir/update.log" fetch.log >&2
    die "apt-get $* failed, see above"
}

# --tar-only: neither the packaging files nor dpkg-dev are needed. CMake unpacks, since tar may lack xz.
get_source() {
    fetch source --download-only --tar-only "$1"
    cmake -E tar xf "$1"_*.orig.tar.*
    rm -f "$1"_*
    mv "$1"-* source || die "the source package of $1 has an unexpected layout"
}

get_package() {
    fetch download "$@"
    for file in ./*.deb; do
        dpkg-deb -x "$file" x
    done
    rm -f ./*.deb
}

# Prints those of the packages that the system lacks.
lacking() {
    for package in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || printf '%s\n' "$package"
    done
}

# get_npm NAME VERSION SHA512: a package of the npm registry.
get_npm() {
    command -v npm >/dev/null || die "the program npm is missing, which fetches $1"
    npm pack --silent --ignore-scripts "$1@$2" >fetch.log 2>&1 || {
        cat fetch.log >&2
        die "npm pack $1@$2 failed, see above"
    }
    printf '%s  %s\n' "$3" "$1-$2.tgz" | sha512sum --check --status || die "$1@$2 is not what it was"
    cmake -E tar xf "$1-$2.tgz"
}

scripts=$(cd "$(dirname "$0")" && pwd)
suite=
name=$item
case $item in
cmocka | jansson | rust | go | mcs | dotnet) ;;
pascal) suite=trixie ;; # The first release with the units for Windows.
wine-i386)
    version=$(dpkg-query -W -f '${Version}' libwine 2>/dev/null) || die 'install the package wine first'
    name=wine-i386-$(printf %s "$version" | tr -c 'A-Za-z0-9.+-' _)
    ;;
mingw-headers-*) suite=${item#mingw-headers-} ;;
upx) suite=$codename-backports ;; # Debian 12 has none.
*) die "unknown item $item" ;;
esac

exec 9>"$root/.lock"
flock 9
if [ ! -d "$root/$name" ]; then
    printf 'deps: fetching %s\n' "$item" >&2
    work=$root/.work
    rm -rf "$work"
    mkdir "$work"
    open_apt "$suite"
    cd "$work"
    case $item in
    cmocka | jansson)
        get_source "$item"
        mv source "$root/$name"
        ;;
    wine-i386)
        # 32-bit programs need only the PE files, at exactly the version of the installed Wine.
        get_package "libwine:i386=$version"
        mkdir result
        mv x/usr/lib/i386-linux-gnu/wine/i386-windows result/
        mv result "$root/$name"
        ;;
    mingw-headers-*)
        get_package mingw-w64-common
        mv x/usr/share/mingw-w64/include "$root/$name"
        ;;
    rust)
        get_package rustc cargo libstd-rust-1.63 libstd-rust-dev libstd-rust-dev-windows librust-winapi-dev \
            librust-winapi-i686-pc-windows-gnu-dev librust-winapi-x86-64-pc-windows-gnu-dev \
            $(lacking libllvm14 libcurl3-gnutls libgit2-1.5 libhttp-parser2.9 \
                libmbedcrypto7 libmbedtls14 libmbedx509-1 libpcre3)
        mv x/usr "$root/$name"
        ;;
    go)
        get_package golang-1.19-go golang-1.19-src
        rm -rf x/usr/lib/go-1.19/pkg/linux_* # Libraries for programs of this system.
        mv x/usr "$root/$name"
        ;;
    pascal)
        get_package fp-compiler-3.2.2 fp-units-win-rtl-3.2.2
        mv x/usr "$root/$name"
        ;;
    mcs)
        get_package mono-mcs mono-runtime-sgen mono-runtime-common libmono-corlib4.5-dll \
            libmono-system4.0-cil libmono-system-core4.0-cil libmono-system-xml4.0-cil
        mv x "$root/$name"
        ;;
    dotnet)
        get_npm dotnet-3.1-win-x64 3.1.1007 c64eed86a57dd2e93901472ad33597b32d341981f2df2faa941b2753076144485cef61c843b992eb4c640734c36258d7bd01c4273101bf71ad1e62d3416efc6c
        mv package "$root/$name"
        ;;
    upx)
        get_package upx-ucl
        mkdir "$root/$name"
        mv x/usr/bin/upx-ucl "$root/$name/upx"
        ;;
    esac
    cd "$root"
    rm -rf "$work"
fi
printf '%s\n' "$root/$name"
