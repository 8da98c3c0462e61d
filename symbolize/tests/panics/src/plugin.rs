//! A library that a program loads, with telemetry of its own: its panics are told as offsets in its own file.

use automagik_telemetry::{Crash, Schema, Telemetry};
use std::time::Duration;

#[derive(Schema)]
#[schema(organization = "automagik", project = "plugin")]
enum Plugin {
    Crash(Crash),
}

/// Panics, and catches that, or delivers what it told of it; returns the line.
#[unsafe(no_mangle)]
pub extern "C" fn run_plugin(report: bool) -> u32 {
    let telemetry = Telemetry::<Plugin>::builder().report_panics(true).start();
    if report {
        let _ = telemetry.flush(Duration::from_secs(30));
    } else {
        let _ = std::panic::catch_unwind(fall);
    }
    FALL
}

const FALL: u32 = line!() + 4;

#[inline(never)]
fn fall() {
    panic!("MARKED in a plugin");
}
