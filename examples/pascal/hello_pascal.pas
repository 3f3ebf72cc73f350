// SPDX-License-Identifier: MIT
// Captures this process, asks the snapshot who it is, and finds this thread among its threads: fpc -Twin64
program hello_pascal;

{$mode objfpc}{$packrecords c}

uses
  Windows;

const
  PSS_CAPTURE_THREADS = $80;
  PSS_QUERY_PROCESS_INFORMATION = 0;
  PSS_WALK_THREADS = 3;

type
  HPSS = type THandle;
  HPSSWALK = type THandle;

  PSS_PROCESS_INFORMATION = record
    ExitStatus: DWORD;
    PebBaseAddress: Pointer;
    AffinityMask: PtrUInt;
    BasePriority: LongInt;
    ProcessId, ParentProcessId: DWORD;
    Flags: DWORD;
    CreateTime, ExitTime, KernelTime, UserTime: FILETIME;
    PriorityClass: DWORD;
    PeakVirtualSize, VirtualSize: PtrUInt;
    PageFaultCount: DWORD;
    PeakWorkingSetSize, WorkingSetSize: PtrUInt;
    QuotaPeakPagedPoolUsage, QuotaPagedPoolUsage: PtrUInt;
    QuotaPeakNonPagedPoolUsage, QuotaNonPagedPoolUsage: PtrUInt;
    PagefileUsage, PeakPagefileUsage, PrivateUsage: PtrUInt;
    ExecuteFlags: DWORD;
    ImageFileName: array[0..MAX_PATH - 1] of WideChar;
  end;

  PSS_THREAD_ENTRY = record
    ExitStatus: DWORD;
    TebBaseAddress: Pointer;
    ProcessId, ThreadId: DWORD;
    AffinityMask: PtrUInt;
    Priority, BasePriority: LongInt;
    LastSyscallFirstArgument: Pointer;
    LastSyscallNumber: Word;
    CreateTime, ExitTime, KernelTime, UserTime: FILETIME;
    Win32StartAddress: Pointer;
    CaptureTime: FILETIME;
    Flags: DWORD;
    SuspendCount, SizeOfContextRecord: Word;
    ContextRecord: Pointer;
  end;

function PssCaptureSnapshot(ProcessHandle: THandle; CaptureFlags, ThreadContextFlags: DWORD;
  out SnapshotHandle: HPSS): DWORD; stdcall; external 'pss.dll';
function PssFreeSnapshot(ProcessHandle: THandle; SnapshotHandle: HPSS): DWORD; stdcall; external 'pss.dll';
function PssQuerySnapshot(SnapshotHandle: HPSS; InformationClass: DWORD; Buffer: Pointer;
  BufferLength: DWORD): DWORD; stdcall; external 'pss.dll';
function PssWalkSnapshot(SnapshotHandle: HPSS; InformationClass: DWORD; WalkMarkerHandle: HPSSWALK;
  Buffer: Pointer; BufferLength: DWORD): DWORD; stdcall; external 'pss.dll';
function PssWalkMarkerCreate(Allocator: Pointer; out WalkMarkerHandle: HPSSWALK): DWORD; stdcall;
  external 'pss.dll';
function PssWalkMarkerFree(WalkMarkerHandle: HPSSWALK): DWORD; stdcall; external 'pss.dll';

// The functions return the Win32 error itself.
procedure Check(const Call: string; Error: DWORD);
begin
  if Error = ERROR_SUCCESS then
    Exit;
  WriteLn(StdErr, Call, ': error ', Error);
  Halt(1);
end;

procedure Fail(const Reason: string);
begin
  WriteLn(StdErr, Reason);
  Halt(1);
end;

var
  Snapshot: HPSS;
  Marker: HPSSWALK;
  Process: PSS_PROCESS_INFORMATION;
  Thread: PSS_THREAD_ENTRY;
  Error: DWORD;
  Count: Integer = 0;
  Found: Boolean = False;
begin
  Check('PssCaptureSnapshot', PssCaptureSnapshot(GetCurrentProcess, PSS_CAPTURE_THREADS, 0, Snapshot));
  Check('PssQuerySnapshot', PssQuerySnapshot(Snapshot, PSS_QUERY_PROCESS_INFORMATION, @Process, SizeOf(Process)));
  if Process.ProcessId <> GetCurrentProcessId then
    Fail('captured another process');

  Check('PssWalkMarkerCreate', PssWalkMarkerCreate(nil, Marker));
  repeat
    Error := PssWalkSnapshot(Snapshot, PSS_WALK_THREADS, Marker, @Thread, SizeOf(Thread));
    if Error = ERROR_SUCCESS then
    begin
      Inc(Count);
      Found := Found or (Thread.ThreadId = GetCurrentThreadId);
    end;
  until Error <> ERROR_SUCCESS;
  if Error <> ERROR_NO_MORE_ITEMS then
    Check('PssWalkSnapshot', Error);
  if not Found then
    Fail('this thread is not among those of the snapshot');

  Check('PssWalkMarkerFree', PssWalkMarkerFree(Marker));
  Check('PssFreeSnapshot', PssFreeSnapshot(GetCurrentProcess, Snapshot));
  WriteLn('process ', Process.ProcessId, ': ', Count, ' threads, ', GetCurrentThreadId, ' is this one');
end.
