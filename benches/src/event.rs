//! One event with a word, a size class and a flag: in our types, and as a user of the reference SDK writes it.

use crate::Command;
use automagik_telemetry::consent::{Answer, Signals, decide};
use automagik_telemetry::resource::Resource;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::time::Coarse;
use automagik_telemetry::{
    Counter, Environment, Event, Histogram, Label, Metrics, Milliseconds, Pseudonym, Record, Schema, Secret,
    Telemetry, endpoint, signals,
};
use opentelemetry::logs::{LogRecord as _, Logger, Severity};
use std::hint::black_box;

/// A vocabulary.
#[derive(Label, Clone, Copy, Debug)]
pub enum Tool {
    /// A word.
    Compile,
    /// A word.
    Format,
}

/// The event.
#[derive(Event, Clone, Copy, Debug)]
#[event(name = "bench.tool.ran")]
pub struct Ran {
    /// A word.
    pub tool: Tool,
    /// A size class.
    pub duration_ms: Milliseconds,
    /// A flag.
    pub success: bool,
}

/// What is counted here.
#[derive(Metrics)]
pub struct BenchMetrics {
    /// How often each command ran.
    #[metric(name = "bench.commands", by = "command")]
    pub commands: Counter<Command>,
    /// How long it took.
    #[metric(name = "bench.command.duration", by = "command")]
    pub durations: Histogram<Command, Milliseconds>,
}

/// Counts one run of one of five commands.
pub fn count(number: u32) {
    let commands = [Command::List, Command::Create, Command::Remove, Command::Start, Command::Stop];
    let command = commands[number as usize % commands.len()];
    BenchMetrics::global().commands.add(command);
    BenchMetrics::global().durations.record(command, Milliseconds::new(100 * number));
}

/// All that is sent here.
#[derive(Schema)]
#[schema(organization = "automagik", project = "bench", metrics = BenchMetrics)]
pub enum Bench {
    /// The event.
    Ran(Ran),
}

/// One of them, whose values the compiler does not know.
#[must_use]
#[inline]
pub fn ran() -> Ran {
    Ran {
        tool: black_box(Tool::Format),
        duration_ms: Milliseconds::new(black_box(130)),
        success: black_box(true),
    }
}

/// The words of [`Tool`].
pub const TOOLS: [&str; 2] = ["compile", "format"];

/// One of many whose values are spread evenly over all that there are, each time the same for the same `number`.
#[must_use]
pub fn nth(number: u32) -> Ran {
    let mut random = number.wrapping_add(1).wrapping_mul(0x9E37_79B9);
    random = (random ^ random >> 16).wrapping_mul(0x85EB_CA6B);
    random ^= random >> 13;
    // Every power of two is as likely as any other.
    let power = 1 << (random >> 5 & 31);
    Ran {
        tool: if random & 1 == 0 { Tool::Compile } else { Tool::Format },
        duration_ms: Milliseconds::new(power | random.rotate_left(9) & (power - 1)),
        success: random & 2 == 0,
    }
}

/// The first `count` of them, as records.
#[must_use]
pub fn records(count: u32) -> Vec<Record> {
    let time = Coarse::from_unix_seconds(1_795_000_000, Bench::RESOLUTION);
    (0..count).filter_map(|number| Record::new(&Bench::Ran(nth(number)), time).ok()).collect()
}

/// Who speaks.
///
/// # Panics
///
/// Never: a yes is a yes.
#[must_use]
pub fn resource() -> Resource {
    let consent = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent();
    let secret = Secret::new([7; 32], consent.expect("a yes"));
    Resource::new(Checked::<Bench>::DESCRIPTOR, Pseudonym::new(&secret, "bench", 0))
}

/// A handle that is on, with its files in `home`, and sends to a collector at `url`.
#[must_use]
pub fn telemetry(home: &std::path::Path, url: &str) -> Telemetry<Bench> {
    let environment = Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", url);
    Telemetry::<Bench>::builder().environment(environment).start()
}

/// The same event as [`ran`], as the reference SDK's documentation shows it.
pub fn emit<L: Logger>(logger: &L) {
    emit_values(logger, black_box("format"), black_box(128), black_box(true));
}

/// One with these values.
#[inline]
pub fn emit_values<L: Logger>(logger: &L, tool: &'static str, duration_ms: i64, success: bool) {
    let mut record = logger.create_log_record();
    record.set_event_name("bench.tool.ran");
    record.set_severity_number(Severity::Info);
    record.add_attribute("tool", tool);
    record.add_attribute("duration_ms", duration_ms);
    record.add_attribute("success", success);
    logger.emit(record);
}
