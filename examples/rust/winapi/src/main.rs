// SPDX-License-Identifier: MIT
//! Starts a process, captures it with the functions of the winapi crate, and finds its program among its regions.

mod structures;

use std::env;
use std::error::Error;
use std::io::{self, BufRead, BufReader};
use std::mem::{size_of, zeroed};
use std::os::windows::io::AsRawHandle;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::ptr::{null, null_mut};
use structures::{PSS_PROCESS_INFORMATION, PSS_VA_SPACE_ENTRY};
use winapi::shared::winerror::{ERROR_NO_MORE_ITEMS, ERROR_SUCCESS};
use winapi::um::processsnapshot::*;
use winapi::um::processthreadsapi::GetCurrentProcess;
use winapi::um::winnt::{HANDLE, MEM_IMAGE, PVOID};

// winapi looks for its functions in kernel32; the linker takes what comes first, and that is this.
#[link(name = "pss")]
extern "system" {}

fn captured_id(snapshot: HPSS) -> Result<u32, String> {
    let mut process: PSS_PROCESS_INFORMATION = unsafe { zeroed() };
    let length = size_of::<PSS_PROCESS_INFORMATION>() as u32;
    let buffer = &mut process as *mut _ as PVOID;
    match unsafe { PssQuerySnapshot(snapshot, PSS_QUERY_PROCESS_INFORMATION, buffer, length) } {
        ERROR_SUCCESS => Ok(process.ProcessId),
        error => Err(format!("PssQuerySnapshot: error {}", error)),
    }
}

fn is_image_of(region: &PSS_VA_SPACE_ENTRY, program: &str) -> bool {
    if region.Type != MEM_IMAGE || region.MappedFileName.is_null() {
        return false;
    }
    let length = region.MappedFileNameLength as usize / 2; // The field counts bytes.
    let name = unsafe { std::slice::from_raw_parts(region.MappedFileName, length) };
    String::from_utf16_lossy(name).ends_with(program)
}

/// The number of all regions, and of those which belong to the image of the program.
fn count_regions(snapshot: HPSS, program: &str) -> Result<(usize, usize), String> {
    let (mut all, mut image) = (0, 0);
    let mut marker = null_mut();
    let mut region: PSS_VA_SPACE_ENTRY = unsafe { zeroed() };
    let buffer = &mut region as *mut _ as PVOID;
    let length = size_of::<PSS_VA_SPACE_ENTRY>() as u32;
    let mut error = unsafe { PssWalkMarkerCreate(null(), &mut marker) };
    while error == ERROR_SUCCESS {
        error = unsafe { PssWalkSnapshot(snapshot, PSS_WALK_VA_SPACE, marker, buffer, length) };
        if error == ERROR_SUCCESS {
            all += 1;
            image += is_image_of(&region, program) as usize;
        }
    }
    unsafe { PssWalkMarkerFree(marker) };
    match error {
        ERROR_NO_MORE_ITEMS => Ok((all, image)),
        _ => Err(format!("the walk ended with error {}", error)),
    }
}

fn look_at(child: &Child, program: &str) -> Result<String, String> {
    let flags = PSS_CAPTURE_VA_SPACE | PSS_CAPTURE_VA_SPACE_SECTION_INFORMATION;
    let mut snapshot = null_mut();
    match unsafe { PssCaptureSnapshot(child.as_raw_handle() as HANDLE, flags, 0, &mut snapshot) } {
        ERROR_SUCCESS => (),
        error => return Err(format!("PssCaptureSnapshot: error {}", error)),
    }
    let id = captured_id(snapshot);
    let counts = count_regions(snapshot, program);
    unsafe { PssFreeSnapshot(GetCurrentProcess(), snapshot) };
    match (id?, counts?) {
        (id, _) if id != child.id() => {
            Err(format!("captured process {} instead of {}", id, child.id()))
        }
        (_, (all, 0)) => Err(format!("none of {} regions belongs to {}", all, program)),
        (id, (all, image)) => Ok(format!(
            "process {}: {} regions, {} belong to {}",
            id, all, image, program
        )),
    }
}

/// What the started process does: it says that it runs, and waits until its input closes.
fn wait() -> io::Result<()> {
    println!("ready");
    io::stdin().read_line(&mut String::new()).map(|_| ())
}

fn start(program: &Path) -> io::Result<Child> {
    let mut child = Command::new(program)
        .arg("wait")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    if let Some(output) = &mut child.stdout {
        BufReader::new(output).read_line(&mut String::new())?;
    }
    Ok(child)
}

fn main() -> Result<(), Box<dyn Error>> {
    if env::args().nth(1).as_deref() == Some("wait") {
        return Ok(wait()?);
    }
    let program = env::current_exe()?;
    let name = program.file_name().ok_or("this program has no name")?;
    let mut child = start(&program)?;
    let seen = look_at(&child, &name.to_string_lossy());
    drop(child.stdin.take());
    child.wait()?;
    println!("{}", seen?);
    Ok(())
}
