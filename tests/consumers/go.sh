# SPDX-License-Identifier: MIT
# The example in Go, for both architectures. No C compiler takes part.

. "$(dirname "$0")/common.sh"

pattern='process [0-9]+: [1-9][0-9]* regions, the code at 0x[0-9a-f]+ is of .*\\hello_go\.exe'

# compile SOURCE PROGRAM
compile() {
    (cd "$1" && "$go" vet . && "$go" build -o "$2" .) || fail "$1 does not build"
}

build() {
    get_toolchain go 'golang-1.19-go golang-1.19-src (Debian 12)'
    export GOROOT="$toolchain/lib/go-1.19" GOCACHE="$out/cache" GOPATH="$out/path" GOENV=off GOFLAGS= GOPROXY=off
    export CGO_ENABLED=0 GOOS=windows GOARCH=amd64
    [ "$ARCH" = x64 ] || GOARCH=386
    go=$GOROOT/bin/go
    require_start "$go" version
    cp -R "$SOURCE/examples/go" "$out/source"
    [ -z "$("$GOROOT/bin/gofmt" -l "$out/source")" ] || fail 'gofmt would change it'
    compile "$out/source" "$out/hello_go.exe"
    make_unaware "$out/source" "$out/unaware/source"
    compile "$out/unaware/source" "$out/unaware/hello_go.exe"
    chmod -R u+w "$out"
}

# Wine 8's 32-bit layer cannot load its own ws2_32.dll, which Go's runtime loads before it does anything else. There a
# stand-in takes that DLL's place while the program runs; no other program runs in this prefix meanwhile.
stand_in_for_sockets() {
    system=$(dirname "$RUN")/wineprefix/drive_c/windows/syswow64
    "$CC" -Wall -Wextra -Werror -O2 -shared -nostdlib -Wl,-e,0 -Wl,--kill-at -o "$work/ws2_32.dll" "$here/ws2_32.c" ||
        fail 'the stand-in does not build'
    [ -e "$system/ws2_32.original" ] || mv "$system/ws2_32.dll" "$system/ws2_32.original"
    trap 'mv -f "$system/ws2_32.original" "$system/ws2_32.dll"; rm -rf "$work"' EXIT
    cp "$work/ws2_32.dll" "$system/"
    export PSS_WINEDLLOVERRIDES='mscoree,mshtml,winemenubuilder.exe,winedbg.exe=;ws2_32=n'
}

lacks_sockets() {
    ! "$RUN" "$out/hello_go.exe" >"$work/first" 2>&1 && grep -q 'ws2_32.dll not found' "$work/first"
}

provide_sockets() {
    if [ "$ARCH" = x86 ] && lacks_sockets; then
        echo 'this Wine has no ws2_32.dll for 32-bit programs: a stand-in takes its place'
        stand_in_for_sockets
    fi
}

run() {
    provide_sockets
    check_run "$pattern" "$out/hello_go.exe"
}

unaware() {
    provide_sockets
    check_unaware "$pattern" "$out/unaware/hello_go.exe"
}

do_stage
