// SPDX-License-Identifier: MIT
// Captures this process, finds an event among its handles, and reads from the clone what has changed since.

using System;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Threading;

static class Program
{
    static readonly Process self = Process.GetCurrentProcess();

    [DllImport("kernel32.dll", SetLastError = true)]
    static extern bool ReadProcessMemory(IntPtr process, IntPtr address, out int value, IntPtr size,
        out IntPtr read);

    static void Require(bool truth, string what)
    {
        if (!truth)
            throw new InvalidOperationException("it does not hold that " + what);
    }

    static void CheckProcess(IntPtr snapshot)
    {
        Pss.ProcessInformation process;
        Pss.Check(Pss.PssQuerySnapshot(snapshot, Pss.QueryProcessInformation, out process,
            Marshal.SizeOf<Pss.ProcessInformation>()));
        Require(process.ProcessId == self.Id, "this is the captured process");
    }

    // Counts the handles; the type of one of them has to be the given one.
    static int WalkHandles(IntPtr snapshot, IntPtr wanted, string type)
    {
        int count = 0, error;
        string found = null;
        IntPtr marker;
        Pss.Check(Pss.PssWalkMarkerCreate(IntPtr.Zero, out marker));
        try
        {
            Pss.HandleEntry entry;
            int size = Marshal.SizeOf<Pss.HandleEntry>();
            while ((error = Pss.PssWalkSnapshot(snapshot, Pss.WalkHandles, marker, out entry, size)) == 0)
            {
                count++;
                if (entry.Handle == wanted)
                    found = Marshal.PtrToStringUni(entry.TypeName, entry.TypeNameLength / 2);
            }
        }
        finally
        {
            Pss.PssWalkMarkerFree(marker);
        }
        if (error != Pss.NoMoreItems)
            Pss.Check(error);
        Require(found == type, "the handle is of the type " + type);
        return count;
    }

    static int ReadClone(IntPtr snapshot, IntPtr address)
    {
        Pss.VaCloneInformation clone;
        Pss.Check(Pss.PssQuerySnapshot(snapshot, Pss.QueryVaCloneInformation, out clone,
            Marshal.SizeOf<Pss.VaCloneInformation>()));
        int value;
        IntPtr read, size = (IntPtr)sizeof(int);
        Require(ReadProcessMemory(clone.VaCloneHandle, address, out value, size, out read),
            "the clone is readable");
        return value;
    }

    static void Run(EventWaitHandle known, IntPtr memory)
    {
        IntPtr snapshot;
        Marshal.WriteInt32(memory, 1);
        Pss.Capture flags = Pss.Capture.VaClone | Pss.Capture.Handles;
        Pss.Check(Pss.PssCaptureSnapshot(self.Handle, flags, 0, out snapshot));
        try
        {
            Marshal.WriteInt32(memory, 2);
            CheckProcess(snapshot);
            int handles = WalkHandles(snapshot, known.SafeWaitHandle.DangerousGetHandle(), "Event");
            int then = ReadClone(snapshot, memory);
            Require(then == 1, "the clone has the old value");
            Console.WriteLine("process {0}: {1} handles, one is the event; the memory was {2} and is {3}",
                self.Id, handles, then, Marshal.ReadInt32(memory));
        }
        finally
        {
            Pss.PssFreeSnapshot(self.Handle, snapshot);
        }
    }

    static int Main()
    {
        IntPtr memory = Marshal.AllocHGlobal(sizeof(int));
        using (var known = new EventWaitHandle(false, EventResetMode.AutoReset))
        {
            try
            {
                Run(known, memory);
                return 0;
            }
            catch (Exception exception)
            {
                Console.Error.WriteLine(exception.Message);
                return 1;
            }
            finally
            {
                Marshal.FreeHGlobal(memory);
            }
        }
    }
}
