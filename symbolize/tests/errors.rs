//! An error that is recorded, sent, received, and found again in the source by the program's own file.

use automagik_telemetry::{Environment, ErrorAt, ErrorCategory, Inventory, Label, Schema, Telemetry};
use automagik_telemetry_symbolize::program::Program;
use automagik_telemetry_test_support::Receiver;
use std::io;
use std::time::Duration;

#[derive(Label, Clone, Copy)]
enum Code {
    #[label("OMNI-1001")]
    Refused,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni")]
enum Omni {
    Error(ErrorAt<Code>),
}

/// Fails, and says in which line that is recorded. The message stays here.
fn connect(telemetry: &Telemetry<Omni>) -> Result<(), (io::Error, u32)> {
    let connected: io::Result<()> = Err(io::Error::other("no route to ada@example.org"));
    connected
        .inspect_err(|_| telemetry.record(ErrorAt::new(Code::Refused, ErrorCategory::Network)))
        .map_err(|error| (error, line!() - 1))
}

#[test]
fn the_place_of_an_error_arrives_as_a_number_and_is_a_line_of_this_file() {
    let (collector, home) = (Receiver::start(), tempfile::tempdir().unwrap());
    let environment = Environment::at(home.path())
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    let telemetry = Telemetry::<Omni>::builder().environment(environment).build().unwrap();
    let (_, line) = connect(&telemetry).unwrap_err();
    telemetry.flush(Duration::from_secs(30)).unwrap();
    let logs = collector.logs();
    assert_eq!((logs.len(), logs[0].event.as_str()), (1, "automagik.error"));
    assert_eq!(logs[0].attribute("error_code"), "OMNI-1001");
    let place: u32 = logs[0].attribute("error_place").parse().unwrap();
    let body = &collector.requests()[0].body;
    // All of it: the first letters alone can be digits of the pseudonym.
    let message = b"ada@example.org";
    assert!(!body.windows(message.len()).any(|window| window == message), "nor does the message");
    assert!(!body.windows(9).any(|window| window == b"errors.rs"), "the file's name does not leave");

    let program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let found = Program::read(&program).unwrap().place(place).unwrap();
    assert_eq!((found.file.as_str(), found.line), ("symbolize/tests/errors.rs", line));
}

#[test]
fn the_inventory_says_what_a_place_is() {
    let inventory = Inventory::of::<Omni>();
    assert!(inventory.to_string().contains("a place in the program"), "{inventory}");
    let manifest = inventory.manifest().unwrap();
    let field = manifest.events().nth(1).unwrap().fields().nth(2).unwrap();
    assert_eq!((field.name, field.cardinality(), field.bits()), ("error_place", 1 << 28, 28));
}
