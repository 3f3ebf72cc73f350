// SPDX-License-Identifier: MIT
//! The structures of the API, which the winapi crate leaves out: those that this program needs.
#![allow(non_snake_case)]

use winapi::shared::minwindef::{DWORD, FILETIME, MAX_PATH, WORD};
use winapi::um::winnt::{LONG, PVOID, WCHAR};

#[repr(C)]
pub struct PSS_PROCESS_INFORMATION {
    pub ExitStatus: DWORD,
    pub PebBaseAddress: PVOID,
    pub AffinityMask: usize,
    pub BasePriority: LONG,
    pub ProcessId: DWORD,
    pub ParentProcessId: DWORD,
    pub Flags: DWORD,
    pub CreateTime: FILETIME,
    pub ExitTime: FILETIME,
    pub KernelTime: FILETIME,
    pub UserTime: FILETIME,
    pub PriorityClass: DWORD,
    pub PeakVirtualSize: usize,
    pub VirtualSize: usize,
    pub PageFaultCount: DWORD,
    pub PeakWorkingSetSize: usize,
    pub WorkingSetSize: usize,
    pub QuotaPeakPagedPoolUsage: usize,
    pub QuotaPagedPoolUsage: usize,
    pub QuotaPeakNonPagedPoolUsage: usize,
    pub QuotaNonPagedPoolUsage: usize,
    pub PagefileUsage: usize,
    pub PeakPagefileUsage: usize,
    pub PrivateUsage: usize,
    pub ExecuteFlags: DWORD,
    pub ImageFileName: [WCHAR; MAX_PATH],
}

#[repr(C)]
pub struct PSS_VA_SPACE_ENTRY {
    pub BaseAddress: PVOID,
    pub AllocationBase: PVOID,
    pub AllocationProtect: DWORD,
    pub RegionSize: usize,
    pub State: DWORD,
    pub Protect: DWORD,
    pub Type: DWORD,
    pub TimeDateStamp: DWORD,
    pub SizeOfImage: DWORD,
    pub ImageBase: PVOID,
    pub CheckSum: DWORD,
    pub MappedFileNameLength: WORD,
    pub MappedFileName: *const WCHAR,
}
