// SPDX-License-Identifier: MIT
//! Captures this process, asks the snapshot who it is, and finds the asking thread among its threads.

mod pss;

use pss::*;
use std::mem::{size_of, MaybeUninit};
use std::ptr::{null, null_mut};

/// A call's result: the functions return the Win32 error itself.
fn check(call: &str, error: u32) -> Result<(), String> {
    match error {
        ERROR_SUCCESS => Ok(()),
        _ => Err(format!("{}: error {}", call, error)),
    }
}

/// A snapshot of this process, freed when it goes out of scope.
struct Snapshot(HPSS);

impl Snapshot {
    fn capture(flags: u32) -> Result<Snapshot, String> {
        let mut handle = null_mut();
        check("PssCaptureSnapshot", unsafe {
            PssCaptureSnapshot(GetCurrentProcess(), flags, 0, &mut handle)
        })?;
        Ok(Snapshot(handle))
    }

    fn process(&self) -> Result<PSS_PROCESS_INFORMATION, String> {
        let mut information = MaybeUninit::uninit();
        let length = size_of::<PSS_PROCESS_INFORMATION>() as u32;
        check("PssQuerySnapshot", unsafe {
            PssQuerySnapshot(
                self.0,
                PSS_QUERY_PROCESS_INFORMATION,
                information.as_mut_ptr() as *mut _,
                length,
            )
        })?;
        Ok(unsafe { information.assume_init() })
    }

    fn thread_ids(&self) -> Result<Vec<u32>, String> {
        let mut marker = null_mut();
        check("PssWalkMarkerCreate", unsafe {
            PssWalkMarkerCreate(null(), &mut marker)
        })?;
        let mut ids = Vec::new();
        let mut entry = MaybeUninit::<PSS_THREAD_ENTRY>::uninit();
        let length = size_of::<PSS_THREAD_ENTRY>() as u32;
        let end = loop {
            match unsafe {
                PssWalkSnapshot(
                    self.0,
                    PSS_WALK_THREADS,
                    marker,
                    entry.as_mut_ptr() as *mut _,
                    length,
                )
            } {
                ERROR_SUCCESS => ids.push(unsafe { entry.assume_init_ref() }.ThreadId),
                end => break end,
            }
        };
        unsafe { PssWalkMarkerFree(marker) };
        match end {
            ERROR_NO_MORE_ITEMS => Ok(ids),
            error => Err(format!("PssWalkSnapshot: error {}", error)),
        }
    }
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        unsafe { PssFreeSnapshot(GetCurrentProcess(), self.0) };
    }
}

fn report() -> Result<String, String> {
    let snapshot = Snapshot::capture(PSS_CAPTURE_THREADS)?;
    let process = snapshot.process()?;
    let threads = snapshot.thread_ids()?;
    let own = unsafe { GetCurrentThreadId() };

    if process.ProcessId != std::process::id() {
        return Err(format!(
            "captured process {} instead of {}",
            process.ProcessId,
            std::process::id()
        ));
    }
    if !threads.contains(&own) {
        return Err(format!("thread {} is not among {:?}", own, threads));
    }
    Ok(format!(
        "process {}: {} threads, {} asks",
        process.ProcessId,
        threads.len(),
        own
    ))
}

fn main() -> Result<(), String> {
    // A second thread asks, while this one waits for it.
    let answer = std::thread::spawn(report)
        .join()
        .map_err(|_| "the thread panicked")?;
    println!("{}", answer?);
    Ok(())
}
