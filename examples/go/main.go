// SPDX-License-Identifier: MIT
// Captures this process, asks the snapshot who it is, and finds the region with this program's code.

package main

import (
	"fmt"
	"os"
	"reflect"
	"unicode/utf16"
	"unsafe"
)

const memImage = 0x1000000

func (r *region) holds(address uintptr) bool {
	return address-r.BaseAddress < r.RegionSize
}

func (r *region) fileName() string {
	if r.MappedFileName == nil {
		return ""
	}
	return string(utf16.Decode(unsafe.Slice(r.MappedFileName, r.MappedFileNameLength/2)))
}

func run() error {
	snapshot, err := capture(captureVASpace | captureSectionInformation)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	defer free(snapshot)

	process, err := queryProcess(snapshot)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	if int(process.ProcessID) != os.Getpid() {
		return fmt.Errorf("captured process %d instead of %d", process.ProcessID, os.Getpid())
	}

	code := reflect.ValueOf(run).Pointer()
	count, found := 0, ""
	err = walkRegions(snapshot, func(r *region) {
		count++
		if r.holds(code) && r.Type == memImage {
			found = r.fileName()
		}
	})
	if err != nil {
		return fmt.Errorf("walk: %w", err)
	}
	if found == "" {
		return fmt.Errorf("none of %d regions is an image that holds %#x", count, code)
	}
	fmt.Printf("process %d: %d regions, the code at %#x is of %s\n", process.ProcessID, count, code, found)
	return nil
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
