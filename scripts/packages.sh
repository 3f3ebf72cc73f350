# SPDX-License-Identifier: MIT
# The Debian packages that the scripts need, and need_packages, which installs what is missing. Sourced.

packages_windows='cmake ninja-build wine wine64
    gcc-mingw-w64-x86-64-win32 g++-mingw-w64-x86-64-win32 gcc-mingw-w64-i686-win32 g++-mingw-w64-i686-win32'
packages_native='clang libclang-rt-dev g++ libwine-dev libcmocka-dev'
packages_linkers='lld llvm'
packages_debugger='lldb'
# What a release is made with: pss.lib for MSVC, pss.html, and the archive, which the conformance kit is, too.
packages_release='llvm mandoc zip'
# By which the tests use what is installed, and sign a program.
packages_flags='pkgconf osslsigncode openssl'
packages_check='clang-format clang-tidy'

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE...: as root installs what is missing; else says what to do, and ends.
need_packages() {
    command -v dpkg-query >/dev/null || {
        printf 'This script needs Debian 12 or a relative of it. Elsewhere install what these hold: %s\n' "$*" >&2
        exit 1
    }
    missing=
    for package in "$@"; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        printf 'Packages are missing. As root, run:\n\n    apt-get install --no-install-recommends%s\n\n' "$missing" >&2
        exit 1
    fi
    printf 'Installing%s\n' "$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update && apt-get -q install -y --no-install-recommends $missing </dev/null || {
        printf 'The installation failed; the packages are:%s\n' "$missing" >&2
        exit 1
    }
}
