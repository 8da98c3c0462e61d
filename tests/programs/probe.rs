//! A program for tests of whole processes, whose every event can be told apart. It is no example for people.
//!
//! `probe <process> <count> [linger=<ms>] [wait] [background] [fork=<ms>] [drop] [hold=<ms>] [on=<file>]`

use automagik_telemetry::{
    Count, Counter, Event, Histogram, Label, Metrics, Milliseconds, Schema, Telemetry,
};
use std::time::Duration;

#[derive(Label, Clone, Copy)]
enum Feature {
    Export,
}

#[derive(Event, Clone, Copy)]
#[event(name = "probe.step")]
struct Step {
    #[event(harmless = "a number that a test gives")]
    process: Count<1023>,
    sequence: Count<0xF_FFFF>,
}

#[derive(Metrics)]
struct Counted {
    #[metric(name = "probe.calls", by = "feature")]
    calls: Counter<Feature>,
    #[metric(name = "probe.time", by = "feature")]
    time: Histogram<Feature, Milliseconds>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "probe", metrics = Counted)]
enum Probe {
    Step(Step),
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |text: &str| text.parse::<u32>().unwrap();
    let is_said = |word: &str| arguments.iter().any(|argument| argument == word);
    let value =
        |key: &str| arguments.iter().find_map(|argument| argument.strip_prefix(key)?.parse::<u64>().ok());
    let mut builder = Telemetry::<Probe>::builder().upload_in_background(is_said("background"));
    if is_said("wait") {
        builder = builder.wait_at_exit(Duration::from_secs(5));
    }
    let telemetry = builder.start();
    for sequence in 0..number(&arguments[1]) {
        let process = Count::new(number(&arguments[0]));
        telemetry.record(Step { process, sequence: Count::new(sequence) });
        Counted::global().calls.add(Feature::Export);
        Counted::global().time.record(Feature::Export, Milliseconds::new(sequence % 1_000));
    }
    if let Some(file) = arguments.iter().find_map(|argument| argument.strip_prefix("on="))
        && telemetry.is_on()
    {
        std::fs::write(file, "").unwrap();
    }
    println!("recorded");
    if let Some(milliseconds) = value("hold=") {
        // All descriptors are in use for a while, in which five more events are recorded.
        std::thread::sleep(Duration::from_millis(200));
        let held: Vec<std::fs::File> = std::iter::from_fn(|| std::fs::File::open("/dev/null").ok()).collect();
        for sequence in 1_000..1_005 {
            let process = Count::new(number(&arguments[0]));
            telemetry.record(Step { process, sequence: Count::new(sequence) });
        }
        std::thread::sleep(Duration::from_millis(milliseconds));
        drop(held);
    }
    #[cfg(unix)]
    if let Some(milliseconds) = value("fork=") {
        std::thread::sleep(Duration::from_millis(milliseconds));
        if let Ok(fork::Fork::Child) = fork::fork() {
            // It lives on, and does nothing of ours.
            std::thread::sleep(Duration::from_secs(60));
            std::process::exit(0);
        }
    }
    let linger = Duration::from_millis(value("linger=").unwrap_or(0));
    if is_said("drop") {
        drop(telemetry);
        std::thread::sleep(linger);
    } else {
        std::thread::sleep(linger);
    }
}
