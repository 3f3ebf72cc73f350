// SPDX-License-Identifier: MIT
// What this program needs of the API, as include/pss.h declares it.

package main

import (
	"syscall"
	"unsafe"
)

const (
	captureVASpace            = 0x800
	captureSectionInformation = 0x1000
	queryProcessInformation   = 0
	walkVASpace               = 1
	errorNoMoreItems          = syscall.Errno(259)
)

// PSS_PROCESS_INFORMATION
type processInformation struct {
	ExitStatus                 uint32
	PebBaseAddress             uintptr
	AffinityMask               uintptr
	BasePriority               int32
	ProcessID                  uint32
	ParentProcessID            uint32
	Flags                      uint32
	CreateTime                 syscall.Filetime
	ExitTime                   syscall.Filetime
	KernelTime                 syscall.Filetime
	UserTime                   syscall.Filetime
	PriorityClass              uint32
	PeakVirtualSize            uintptr
	VirtualSize                uintptr
	PageFaultCount             uint32
	PeakWorkingSetSize         uintptr
	WorkingSetSize             uintptr
	QuotaPeakPagedPoolUsage    uintptr
	QuotaPagedPoolUsage        uintptr
	QuotaPeakNonPagedPoolUsage uintptr
	QuotaNonPagedPoolUsage     uintptr
	PagefileUsage              uintptr
	PeakPagefileUsage          uintptr
	PrivateUsage               uintptr
	ExecuteFlags               uint32
	ImageFileName              [syscall.MAX_PATH]uint16
}

// PSS_VA_SPACE_ENTRY
type region struct {
	BaseAddress          uintptr
	AllocationBase       uintptr
	AllocationProtect    uint32
	RegionSize           uintptr
	State                uint32
	Protect              uint32
	Type                 uint32
	TimeDateStamp        uint32
	SizeOfImage          uint32
	ImageBase            uintptr
	CheckSum             uint32
	MappedFileNameLength uint16  // bytes
	MappedFileName       *uint16 // valid until the walk marker is freed
}

var (
	pss               = syscall.NewLazyDLL("pss.dll")
	captureSnapshot   = pss.NewProc("PssCaptureSnapshot")
	freeSnapshot      = pss.NewProc("PssFreeSnapshot")
	querySnapshot     = pss.NewProc("PssQuerySnapshot")
	walkSnapshot      = pss.NewProc("PssWalkSnapshot")
	walkMarkerCreate  = pss.NewProc("PssWalkMarkerCreate")
	walkMarkerFree    = pss.NewProc("PssWalkMarkerFree")
	currentProcess, _ = syscall.GetCurrentProcess()
)

// result turns what a function returned, the Win32 error itself, into an error.
func result(code, _ uintptr, _ error) error {
	if code == 0 {
		return nil
	}
	return syscall.Errno(code)
}

// capture captures this process. The snapshot ends with free.
func capture(flags uintptr) (snapshot uintptr, err error) {
	err = result(captureSnapshot.Call(uintptr(currentProcess), flags, 0, uintptr(unsafe.Pointer(&snapshot))))
	return
}

func free(snapshot uintptr) error {
	return result(freeSnapshot.Call(uintptr(currentProcess), snapshot))
}

func queryProcess(snapshot uintptr) (process processInformation, err error) {
	err = result(querySnapshot.Call(snapshot, queryProcessInformation, uintptr(unsafe.Pointer(&process)),
		unsafe.Sizeof(process)))
	return
}

// walkRegions calls visit for each region.
func walkRegions(snapshot uintptr, visit func(*region)) error {
	var marker uintptr
	if err := result(walkMarkerCreate.Call(0, uintptr(unsafe.Pointer(&marker)))); err != nil {
		return err
	}
	defer walkMarkerFree.Call(marker)
	for {
		var entry region
		err := result(walkSnapshot.Call(snapshot, walkVASpace, marker, uintptr(unsafe.Pointer(&entry)),
			unsafe.Sizeof(entry)))
		if err == errorNoMoreItems {
			return nil
		}
		if err != nil {
			return err
		}
		visit(&entry)
	}
}
