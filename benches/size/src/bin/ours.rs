//! With ours: asked once, an event and a count; with the feature `panics`, its panics too.

use automagik_telemetry::{
    CommandExecuted, Counter, Label, Metrics, Milliseconds, Schema, Stopwatch, Telemetry, Terminal,
};

#[derive(Label, Clone, Copy)]
enum Command {
    #[label("omni instance")]
    Instance,
}

#[derive(Metrics)]
struct OmniMetrics {
    #[metric(name = "omni.commands", by = "command")]
    commands: Counter<Command>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni", metrics = OmniMetrics)]
enum Omni {
    Command(CommandExecuted<Command>),
    #[cfg(feature = "panics")]
    Crash(automagik_telemetry::Crash),
}

fn main() {
    let builder = Telemetry::<Omni>::builder().upload_in_background(true).ask(Terminal::new());
    #[cfg(feature = "panics")]
    let builder = builder.report_panics(true);
    let telemetry = builder.start();
    let stopwatch = Stopwatch::start();
    short_program::work();
    OmniMetrics::global().commands.add(Command::Instance);
    let duration: Milliseconds = stopwatch.elapsed();
    telemetry.record(CommandExecuted { command: Command::Instance, success: true, duration });
}
