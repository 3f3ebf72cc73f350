// SPDX-License-Identifier: MIT
// What this program needs of the API, as include/pss.h declares it.

using System;
using System.ComponentModel;
using System.Runtime.InteropServices;

static class Pss
{
    [Flags]
    public enum Capture : uint
    {
        VaClone = 0x1,
        Handles = 0x4,
    }

    public const int QueryProcessInformation = 0;
    public const int QueryVaCloneInformation = 1;
    public const int WalkHandles = 2;
    public const int NoMoreItems = 259;

    // PSS_PROCESS_INFORMATION
    [StructLayout(LayoutKind.Sequential, CharSet = CharSet.Unicode)]
    public struct ProcessInformation
    {
        public uint ExitStatus;
        public IntPtr PebBaseAddress;
        public UIntPtr AffinityMask;
        public int BasePriority;
        public int ProcessId;
        public int ParentProcessId;
        public uint Flags;
        public FileTime CreateTime, ExitTime, KernelTime, UserTime;
        public uint PriorityClass;
        public UIntPtr PeakVirtualSize, VirtualSize;
        public uint PageFaultCount;
        public UIntPtr PeakWorkingSetSize, WorkingSetSize;
        public UIntPtr QuotaPeakPagedPoolUsage, QuotaPagedPoolUsage;
        public UIntPtr QuotaPeakNonPagedPoolUsage, QuotaNonPagedPoolUsage;
        public UIntPtr PagefileUsage, PeakPagefileUsage, PrivateUsage;
        public uint ExecuteFlags;
        [MarshalAs(UnmanagedType.ByValTStr, SizeConst = 260)]
        public string ImageFileName;
    }

    // FILETIME is aligned to 4 bytes, which a long is not.
    [StructLayout(LayoutKind.Sequential)]
    public struct FileTime
    {
        public uint Low, High;
    }

    // PSS_VA_CLONE_INFORMATION
    [StructLayout(LayoutKind.Sequential)]
    public struct VaCloneInformation
    {
        public IntPtr VaCloneHandle; // The snapshot's; do not close it.
    }

    // PSS_HANDLE_ENTRY
    [StructLayout(LayoutKind.Sequential)]
    public struct HandleEntry
    {
        public IntPtr Handle;
        public uint Flags;
        public int ObjectType;
        public FileTime CaptureTime;
        public uint Attributes;
        public uint GrantedAccess;
        public uint HandleCount;
        public uint PointerCount;
        public uint PagedPoolCharge;
        public uint NonPagedPoolCharge;
        public FileTime CreationTime;
        public ushort TypeNameLength; // Lengths are bytes, without the NUL.
        public IntPtr TypeName;
        public ushort ObjectNameLength;
        public IntPtr ObjectName;
        public TypeSpecificInformation Specific;
    }

    // The union at the end of PSS_HANDLE_ENTRY: room for its largest member, the thread's.
    [StructLayout(LayoutKind.Sequential)]
    public struct TypeSpecificInformation
    {
        uint exitStatus;
        IntPtr tebBaseAddress;
        uint processId, threadId;
        UIntPtr affinityMask;
        int priority, basePriority;
        IntPtr win32StartAddress;
    }

    [DllImport("pss.dll")]
    public static extern int PssCaptureSnapshot(IntPtr process, Capture flags, uint contextFlags,
        out IntPtr snapshot);

    [DllImport("pss.dll")]
    public static extern int PssFreeSnapshot(IntPtr process, IntPtr snapshot);

    [DllImport("pss.dll")]
    public static extern int PssQuerySnapshot(IntPtr snapshot, int query, out ProcessInformation buffer,
        int length);

    [DllImport("pss.dll")]
    public static extern int PssQuerySnapshot(IntPtr snapshot, int query, out VaCloneInformation buffer,
        int length);

    [DllImport("pss.dll")]
    public static extern int PssWalkSnapshot(IntPtr snapshot, int walk, IntPtr marker, out HandleEntry buffer,
        int length);

    [DllImport("pss.dll")]
    public static extern int PssWalkMarkerCreate(IntPtr allocator, out IntPtr marker);

    [DllImport("pss.dll")]
    public static extern int PssWalkMarkerFree(IntPtr marker);

    // The functions return the Win32 error itself.
    public static void Check(int error)
    {
        if (error != 0)
            throw new Win32Exception(error);
    }
}
