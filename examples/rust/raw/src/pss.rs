// SPDX-License-Identifier: MIT
//! What this program needs of the API, as include/pss.h declares it.
#![allow(non_camel_case_types, non_snake_case)]

use std::os::raw::c_void;

pub type HANDLE = *mut c_void;
pub type HPSS = *mut c_void;
pub type HPSSWALK = *mut c_void;

pub const ERROR_SUCCESS: u32 = 0;
pub const ERROR_NO_MORE_ITEMS: u32 = 259;
pub const PSS_CAPTURE_THREADS: u32 = 0x80;
pub const PSS_QUERY_PROCESS_INFORMATION: u32 = 0;
pub const PSS_WALK_THREADS: u32 = 3;

#[repr(C)]
#[derive(Clone, Copy)]
pub struct FILETIME {
    pub dwLowDateTime: u32,
    pub dwHighDateTime: u32,
}

#[repr(C)]
pub struct PSS_PROCESS_INFORMATION {
    pub ExitStatus: u32,
    pub PebBaseAddress: *mut c_void,
    pub AffinityMask: usize,
    pub BasePriority: i32,
    pub ProcessId: u32,
    pub ParentProcessId: u32,
    pub Flags: u32,
    pub CreateTime: FILETIME,
    pub ExitTime: FILETIME,
    pub KernelTime: FILETIME,
    pub UserTime: FILETIME,
    pub PriorityClass: u32,
    pub PeakVirtualSize: usize,
    pub VirtualSize: usize,
    pub PageFaultCount: u32,
    pub PeakWorkingSetSize: usize,
    pub WorkingSetSize: usize,
    pub QuotaPeakPagedPoolUsage: usize,
    pub QuotaPagedPoolUsage: usize,
    pub QuotaPeakNonPagedPoolUsage: usize,
    pub QuotaNonPagedPoolUsage: usize,
    pub PagefileUsage: usize,
    pub PeakPagefileUsage: usize,
    pub PrivateUsage: usize,
    pub ExecuteFlags: u32,
    pub ImageFileName: [u16; 260],
}

#[repr(C)]
pub struct PSS_THREAD_ENTRY {
    pub ExitStatus: u32,
    pub TebBaseAddress: *mut c_void,
    pub ProcessId: u32,
    pub ThreadId: u32,
    pub AffinityMask: usize,
    pub Priority: i32,
    pub BasePriority: i32,
    pub LastSyscallFirstArgument: *mut c_void,
    pub LastSyscallNumber: u16,
    pub CreateTime: FILETIME,
    pub ExitTime: FILETIME,
    pub KernelTime: FILETIME,
    pub UserTime: FILETIME,
    pub Win32StartAddress: *mut c_void,
    pub CaptureTime: FILETIME,
    pub Flags: u32,
    pub SuspendCount: u16,
    pub SizeOfContextRecord: u16,
    pub ContextRecord: *mut c_void,
}

#[link(name = "pss")]
extern "system" {
    pub fn PssCaptureSnapshot(
        process: HANDLE,
        flags: u32,
        context_flags: u32,
        snapshot: *mut HPSS,
    ) -> u32;
    pub fn PssFreeSnapshot(process: HANDLE, snapshot: HPSS) -> u32;
    pub fn PssQuerySnapshot(snapshot: HPSS, class: u32, buffer: *mut c_void, length: u32) -> u32;
    pub fn PssWalkSnapshot(
        snapshot: HPSS,
        class: u32,
        marker: HPSSWALK,
        buffer: *mut c_void,
        length: u32,
    ) -> u32;
    pub fn PssWalkMarkerCreate(allocator: *const c_void, marker: *mut HPSSWALK) -> u32;
    pub fn PssWalkMarkerFree(marker: HPSSWALK) -> u32;
}

extern "system" {
    pub fn GetCurrentProcess() -> HANDLE;
    pub fn GetCurrentThreadId() -> u32;
}
