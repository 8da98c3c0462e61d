//! Delivery for programs that are over before a request is: a process of their own that a run leaves behind, as the Go
//! toolchain does. It is the same program with the same arguments, told by a variable to deliver what waits and to exit.

use crate::spool::Spool;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Set in the process that is left behind. Not for people.
pub(crate) const UPLOAD: &str = "AUTOMAGIK_TELEMETRY_UPLOAD_AND_EXIT";

/// Longest that it lives.
pub(crate) const UPLOAD_TIME_MAX: Duration = Duration::from_secs(60);

/// How often a run leaves one behind at most, in seconds.
const EVERY_SECONDS: u64 = 60;

/// Leaves a process behind where something waits and none was left behind lately. Whether that works or not, the host
/// goes on.
pub(crate) fn start(spool: &Spool) {
    if !spool.take_turn(EVERY_SECONDS) {
        return;
    }
    let Ok(program) = std::env::current_exe() else { return };
    let mut command = Command::new(program);
    command.args(std::env::args_os().skip(1)).env(UPLOAD, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C in the terminal is not meant for it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let _ = command.spawn();
}
