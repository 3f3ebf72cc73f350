# SPDX-License-Identifier: MIT
# The examples in Rust: with declarations of their own, and with the winapi crate. Debian's packages of that crate lack
# its import libraries; WINAPI_NO_BUNDLED_LIBRARIES makes it take the linker's.

. "$(dirname "$0")/common.sh"

target=x86_64-pc-windows-gnu
raw_pattern='process [0-9]+: 2 threads, [0-9]+ asks'
winapi_pattern='process [0-9]+: [1-9][0-9]* regions, [1-9][0-9]* belong to winapi-client\.exe'

# compile SOURCE PROGRAM DIRECTORY
compile() {
    (cd "$1" && WINAPI_NO_BUNDLED_LIBRARIES=1 RUSTFLAGS="-L native=${IMPORT_LIBRARY%/*} -D warnings" \
        cargo build --offline --quiet --target $target --target-dir "$out/target") || fail "$1 does not build"
    mv "$out/target/$target/debug/$2" "$3/"
}

# build_both NAME PROGRAM
build_both() {
    cp -R "$SOURCE/examples/rust/$1" "$out/$1"
    compile "$out/$1" "$2" "$out"
    check_imports "$2"
    make_unaware "$out/$1" "$out/unaware/$1"
    compile "$out/unaware/$1" "$2" "$out/unaware"
    check_unaware_imports "$2"
}

build() {
    get_toolchain rust 'cargo rustc libstd-rust-dev-windows librust-winapi-dev (Debian 12)'
    export PATH="$toolchain/bin:$PATH" LD_LIBRARY_PATH="$toolchain/lib/x86_64-linux-gnu" CARGO_HOME="$out/cargo"
    require_start rustc --version
    require_start cargo --version
    linker=$(command -v clang || command -v cc) || skip 'programs of this system cannot be linked: clang'
    mkdir "$CARGO_HOME"
    cat >"$CARGO_HOME/config.toml" <<CONFIG
[source.crates-io]
replace-with = "packages"
[source.packages]
directory = "$toolchain/share/cargo/registry"
[target.$target]
linker = "$CC"
[target.x86_64-unknown-linux-gnu]
linker = "$linker"
CONFIG
    build_both raw raw.exe
    build_both winapi winapi-client.exe
}

run() {
    check_run "$raw_pattern" "$out/raw.exe"
    check_run "$winapi_pattern" "$out/winapi-client.exe"
}

unaware() {
    check_unaware "$raw_pattern" "$out/unaware/raw.exe"
    check_unaware "$winapi_pattern" "$out/unaware/winapi-client.exe"
}

do_stage
