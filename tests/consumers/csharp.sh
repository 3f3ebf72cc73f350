# SPDX-License-Identifier: MIT
# The example in C#, by P/Invoke: compiled by Mono's compiler, run by .NET Core for Windows under Wine.

. "$(dirname "$0")/common.sh"

pattern='process [0-9]+: [1-9][0-9]* handles, one is the event; the memory was 1 and is 2'

# compile SOURCE DIRECTORY: the program, and what the .NET SDK writes beside one.
compile() {
    "$mono" "$mcs" -warnaserror -out:"$2/hello_csharp.dll" "$1"/*.cs || fail "$1 does not build"
    echo '{"runtimeOptions":{"framework":{"name":"Microsoft.NETCore.App","version":"3.1.0"}}}' \
        >"$2/hello_csharp.runtimeconfig.json"
}

build() {
    get_toolchain dotnet 'dotnet-3.1-win-x64 (by npm, which has to be there)'
    ln -s "$toolchain" "$out/dotnet"
    get_toolchain mcs 'mono-mcs (Debian)'
    export MONO_CFG_DIR="$toolchain/etc"
    mono=$toolchain/usr/bin/mono-sgen mcs=$toolchain/usr/lib/mono/4.5/mcs.exe
    require_start "$mono" "$mcs" --version
    compile "$SOURCE/examples/csharp" "$out"
    make_unaware "$SOURCE/examples/csharp" "$out/unaware/source"
    compile "$out/unaware/source" "$out/unaware"
}

run() {
    check_run "$pattern" "$out/dotnet/dotnet.exe" "$out/hello_csharp.dll"
}

unaware() {
    check_unaware "$pattern" "$out/dotnet/dotnet.exe" "$out/unaware/hello_csharp.dll"
}

do_stage
