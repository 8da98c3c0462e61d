//! Delivery for programs that are over before a request is: a process of their own that a run leaves behind when it ends, as the Go
//! toolchain does. It is the same program with the same arguments, told by a variable to deliver what waits and to exit.
//!
//! ```text
//!  a run ends ── events wait, nobody was left behind ──► token in the variable, the same in a file without a name ──► process
//!  the process ── variable and standard input agree ──► delivers, looks once more, exits; in a minute at most
//! ```
//!
//! The variable alone ends no program: it counts only where standard input is a file that says the same, and no program is given one
//! by accident. A process that was left behind never does the program's work, whatever became of consent since.

use crate::files::disk;
use crate::kept::spool::Spool;
use crate::person::environment::Environment;
use crate::person::organization::Organization;
use crate::person::signals::Standing;
use crate::run::pipeline::Pipeline;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set in the process that is left behind (`ACME_TELEMETRY_UPLOAD_AND_EXIT`). Not for people.
pub(crate) const UPLOAD: &str = "UPLOAD_AND_EXIT";

/// Longest that it lives.
pub(crate) const UPLOAD_TIME_MAX: Duration = Duration::from_secs(60);

/// How long it waits for further runs first: a script that calls the program often makes one request of them, and one process.
const LINGER: Duration = Duration::from_millis(500);

/// Bytes of a token, in hexadecimal.
const TOKEN_LEN: u64 = 32;

/// A console of its own that nobody sees: closing the program's does not end it.
#[cfg(windows)]
const CREATE_NO_WINDOW: u32 = 0x0800_0000;

/// Ctrl-C in the program's console is not meant for it.
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// Leaves a process behind where more than losses waits and no other was left behind. Whether that works or not, the host goes
/// on.
pub(crate) fn start(spool: &Spool, organization: Organization) {
    // In this order: where one is there already, nobody looks through the folder.
    if !matches!(spool.left_behind(), Ok(Some(_))) || !spool.has_events() {
        return;
    }
    if is_awaited() {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut token = [0; 16];
    if getrandom::fill(&mut token).is_err() {
        return;
    }
    let token = format!("{:032x}", u128::from_le_bytes(token));
    let Ok(input) = disk::unnamed(spool.folder(), token.as_bytes()) else { return };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(organization.variable(UPLOAD), token);
    command.stdin(input).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C in the terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    std::os::windows::process::CommandExt::creation_flags(
        &mut command,
        CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP,
    );
    if let Ok(mut child) = command.spawn() {
        // A program that lives on must not keep it as a zombie.
        let _ = std::thread::Builder::new().name("telemetry".to_owned()).spawn(move || child.wait());
    }
}

/// Delivers what waits in `spool` by `pipeline`, as long as the person agrees, in a thread of its own.
pub(crate) fn deliver(
    spool: &Spool,
    organization: Organization,
    pipeline: Pipeline,
    standing: impl Fn() -> Standing + Send + 'static,
) {
    // Only one is there at a time; whoever finds it taken leaves all to that one.
    let Ok(Some(right)) = spool.left_behind() else { return };
    std::thread::sleep(LINGER);
    let thread = std::thread::spawn(move || pipeline.upload(UPLOAD_TIME_MAX, standing));
    let is_done = matches!(thread.join(), Ok(Ok(true)));
    drop(right);
    if is_done {
        // What a run recorded while this one was about to go, it left to this one.
        start(spool, organization);
    }
}

/// Whether this process is one that was left behind: its variable says what its standard input says.
pub(crate) fn is_left_behind(environment: &Environment) -> bool {
    let given = environment.setting_text(UPLOAD).filter(|_| environment.is_of_process());
    let Some(given) = given.filter(|given| given.len() as u64 == TOKEN_LEN) else { return false };
    let Ok(mut input) = input() else { return false };
    // Anything else is the program's to read.
    if !input.metadata().is_ok_and(|found| found.is_file() && found.len() == TOKEN_LEN) {
        return false;
    }
    let mut kept = Vec::new();
    let is_read = input.seek(SeekFrom::Start(0)).and_then(|_| input.read_to_end(&mut kept));
    is_read.is_ok() && kept == given.as_bytes()
}

/// Standard input, as a file.
fn input() -> io::Result<File> {
    #[cfg(unix)]
    return std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned().map(File::from);
    #[cfg(windows)]
    return std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned().map(File::from);
    #[cfg(not(any(unix, windows)))]
    Err(io::ErrorKind::Unsupported.into())
}

/// Whether somebody may wait for the end of a pipe that this process writes to or reads from. On Windows a child inherits such a
/// pipe, and only unsafe code could keep it from that or close it there: so none is left behind, and what waits is
/// delivered by the next run.
#[cfg(windows)]
fn is_awaited() -> bool {
    use winapi_util::{HandleRef, file};
    let is_pipe = |handle| file::typ(&handle).is_ok_and(|kind| kind.is_pipe());
    [HandleRef::stdin(), HandleRef::stdout(), HandleRef::stderr()].into_iter().any(is_pipe)
}

/// Elsewhere what is inherited is closed: see [`close_inherited`].
#[cfg(not(windows))]
fn is_awaited() -> bool {
    false
}

/// Closes what the process inherited: a pipe whose reader waits for its end, a lock of whoever started the program. What was inherited
/// has no `CLOEXEC`, or it would not be here; what this process has opened, such as the descriptors of an async runtime around
/// [`start`](crate::Builder::start), has it. Only Linux tells which is which without unsafe code.
pub(crate) fn close_inherited() {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let Ok(entries) = std::fs::read_dir("/proc/self/fdinfo") else { return };
        let descriptors: Vec<i32> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
        for descriptor in descriptors.into_iter().filter(|descriptor| *descriptor > 2) {
            let state = std::fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}"));
            if state.is_ok_and(|state| is_inherited(&state)) {
                let _ = nix::unistd::close(descriptor);
            }
        }
    }
}

/// Whether a descriptor of this state, as in `/proc/self/fdinfo`, would outlive another `exec`, as it did the last one.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn is_inherited(state: &str) -> bool {
    let flags = state.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & rustix::fs::OFlags::CLOEXEC.bits() == 0)
}
