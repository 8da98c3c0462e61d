//! Two publishers in one process: each is told of a panic by the consent that it has, and nobody by another's.

use automagik_telemetry::{Crash, Environment, Inventory, Schema, Telemetry};
use automagik_telemetry_symbolize::crashes;
use automagik_telemetry_test_support::Receiver;
use std::panic::catch_unwind;
use std::path::Path;
use std::time::Duration;

#[derive(Schema)]
#[schema(organization = "automagik", project = "host")]
enum Host {
    Crash(Crash),
}

#[derive(Schema)]
#[schema(organization = "acme", project = "guest", endpoint = "https://telemetry.acme.example")]
enum Guest {
    Crash(Crash),
}

/// The person's variables for both, of whom each has an answer and a collector.
fn environment(home: &Path, answers: [(&str, &str, &Receiver); 2]) -> Environment {
    answers.into_iter().fold(Environment::at(home), |environment, (organization, answer, collector)| {
        environment
            .with(format!("{organization}_TELEMETRY_ENABLED"), answer)
            .with(format!("{organization}_TELEMETRY_ENDPOINT"), collector.endpoint())
    })
}

fn arrived(collector: &Receiver) -> usize {
    let requests = collector.requests();
    requests.iter().map(|request| crashes::read(&request.body).unwrap().len()).sum()
}

/// How many crashes the collectors of both get that the person answered so.
fn told(answers: [&str; 2]) -> [usize; 2] {
    let (home, collectors) = (tempfile::tempdir().unwrap(), [Receiver::start(), Receiver::start()]);
    let said = [("AUTOMAGIK", answers[0], &collectors[0]), ("ACME", answers[1], &collectors[1])];
    let environment = environment(home.path(), said);
    let host =
        Telemetry::<Host>::builder().environment(environment.clone()).report_panics(true).build().unwrap();
    let guest = Telemetry::<Guest>::builder().environment(environment).report_panics(true).build().unwrap();
    // Of one schema, and so of one program: it is told once.
    let twin = host.clone();
    assert!(catch_unwind(|| panic!("MARKED")).is_err());
    for flushed in [host.flush(Duration::from_secs(30)), guest.flush(Duration::from_secs(30))] {
        flushed.unwrap();
    }
    drop(twin);
    collectors.each_ref().map(arrived)
}

#[test]
fn each_publisher_is_told_by_the_consent_that_it_has() {
    assert_eq!(told(["true", "true"]), [1, 1]);
    assert_eq!(told(["true", "false"]), [1, 0]);
    assert_eq!(told(["false", "true"]), [0, 1]);
    assert_eq!(told(["false", "false"]), [0, 0]);
}

#[test]
fn the_inventory_says_what_a_crash_holds_in_bits() {
    let inventory = Inventory::of::<Host>();
    let (shown, markdown) = (inventory.to_string(), inventory.markdown().unwrap());
    for text in [&shown, &markdown] {
        assert!(text.contains("app.crash") && text.contains("exception.stacktrace"), "{text}");
        assert!(text.contains("up to 16 return addresses in the program's own file, 32 bits each, with their depth: 638 bits"), "{text}");
    }
    let json = inventory.json().unwrap();
    assert_eq!(json["events"][1]["fields"][2]["values"]["stack"]["bits"], 638);
}
