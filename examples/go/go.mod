// SPDX-License-Identifier: MIT
// PssCaptureSnapshot in Go: GOOS=windows go build

module example.com/pss

go 1.19
