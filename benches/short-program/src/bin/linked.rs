//! The example `omni` with telemetry linked and never called: what the larger program costs the loader.

use automagik_telemetry::{CommandExecuted, Label, Milliseconds, Schema, Telemetry};
use std::time::Instant;

#[derive(Label, Clone, Copy)]
enum Command {
    #[label("omni instance list")]
    InstanceList,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Command(CommandExecuted<Command>),
}

fn main() {
    let started = Instant::now();
    let command = short_program::work();
    // Never true, which the compiler can't know.
    if command.is_empty() {
        let telemetry = Telemetry::<Omni>::builder().upload_in_background(true).start();
        telemetry.record(CommandExecuted {
            command: Command::InstanceList,
            success: true,
            duration: Milliseconds::from(started.elapsed()),
        });
    }
}
