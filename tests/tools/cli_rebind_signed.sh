# SPDX-License-Identifier: MIT
# A signed program loses its signature, which is said, and has a right checksum; skipped without osslsigncode and openssl.
. "$(dirname "$0")/rebind.bash"

for tool in osslsigncode openssl; do
    command -v "$tool" >/dev/null || {
        echo "skipped: $tool is not installed"
        exit 77
    }
done

openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=test -days 2 \
    -keyout "$scratch/key" -out "$scratch/certificate" 2>/dev/null
fresh dropin_apiset.exe
osslsigncode sign -certs "$scratch/certificate" -key "$scratch/key" -in "$programs/$own/dropin_apiset.exe" \
    -out "$scratch/signed.exe" >/dev/null
mv "$scratch/signed.exe" "$at/dropin_apiset.exe"
cp "$at/dropin_apiset.exe" "$scratch/signed.exe"

# What the signing program itself reads of a file.
read_signature()
{
    command="osslsigncode verify $1" err=
    out=$(osslsigncode verify -CAfile "$scratch/certificate" -in "$1" 2>&1)
    status=$?
}

read_signature "$at/dropin_apiset.exe"
expect_out 'Message digest algorithm'
run rebind "Z:$at/dropin_apiset.exe"
expect_status 0
expect_out 'its signature is void and was left out; the original'
read_signature "$at/dropin_apiset.exe"
expect_out 'No signature found'
expect_no_out 'invalid PE checksum|MISMATCH'
expect_out '^(Current )?PE checksum *: 0*[1-9A-F]'
run_at "$at" dropin_apiset.exe
expect_works

# It can be signed anew.
command='osslsigncode sign'
check 'signs again' osslsigncode sign -certs "$scratch/certificate" -key "$scratch/key" \
    -in "$at/dropin_apiset.exe" -out "$at/again.exe" >/dev/null
run_at "$at" again.exe
expect_works
run rebind --restore "Z:$at/dropin_apiset.exe"
expect_status 0
check 'the signed file' cmp -s "$at/dropin_apiset.exe" "$scratch/signed.exe"

finish
