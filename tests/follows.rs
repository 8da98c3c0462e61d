//! A handle follows the person, both ways, for as long as the program runs.

use automagik_telemetry::consent::Because;
use automagik_telemetry::{Builder, Count, Environment, Event, Schema, Telemetry};
use automagik_telemetry_test_support::Receiver;
use std::path::Path;
use std::time::{Duration, Instant};

#[derive(Event, Clone, Copy)]
#[event(name = "follows.numbered")]
struct Numbered {
    number: Count<1_000>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "follows")]
enum Follows {
    Numbered(Numbered),
}

const PATIENCE: Duration = Duration::from_secs(30);

fn builder(home: &Path, collector: &Receiver) -> Builder<Follows> {
    let environment = Environment::at(home).with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    Telemetry::builder().environment(environment).interval(Duration::from_millis(50))
}

fn record(telemetry: &Telemetry<Follows>, number: u32) {
    telemetry.record(Numbered { number: Count::new(number) });
}

fn numbers(collector: &Receiver) -> Vec<u32> {
    let logs = collector.logs();
    logs.iter()
        .filter(|log| log.event == "follows.numbered")
        .map(|log| log.attribute("number").parse().unwrap())
        .collect()
}

#[test]
fn a_yes_in_the_settings_begins_without_a_restart_and_a_no_ends_at_once() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let telemetry = builder(home.path(), &collector).start();
    let clone = telemetry.clone();
    record(&telemetry, 1);
    assert_eq!((telemetry.is_on(), telemetry.decision().because()), (false, Because::NothingSaid));

    telemetry.turn_on().unwrap();
    assert_eq!((clone.is_on(), clone.decision().because()), (true, Because::StoredYes));
    record(&clone, 2);
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(numbers(&collector), [2], "from then on, and nothing before");

    let (_, deleted) = telemetry.turn_off().unwrap();
    record(&clone, 3);
    assert_eq!((deleted, clone.is_on(), clone.decision().because()), (0, false, Because::StoredNo));
    clone.flush(PATIENCE).unwrap();

    telemetry.turn_on().unwrap();
    record(&clone, 4);
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(numbers(&collector), [2, 4]);
}

#[test]
fn what_waits_is_deleted_by_a_no_and_never_sent_after_a_yes() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let telemetry = builder(home.path(), &collector).interval(PATIENCE).start();
    telemetry.turn_on().unwrap();
    // However far the worker has come with it.
    for _ in 0..30 {
        record(&telemetry, 1);
        telemetry.turn_off().unwrap();
        telemetry.turn_on().unwrap();
    }
    record(&telemetry, 2);
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(numbers(&collector), [2]);
}

#[test]
fn it_follows_what_another_program_is_told() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    // Another program of the same person.
    let other = builder(home.path(), &collector).rights();
    other.turn_on().unwrap();
    let telemetry = builder(home.path(), &collector).start();
    record(&telemetry, 1);
    telemetry.flush(PATIENCE).unwrap();

    other.turn_off().unwrap();
    assert_eq!((telemetry.is_on(), telemetry.decision().because()), (false, Because::StoredNo));
    std::thread::sleep(Duration::from_millis(1_100));
    record(&telemetry, 2);
    std::thread::sleep(Duration::from_secs(1));

    other.turn_on().unwrap();
    let until = Instant::now() + PATIENCE;
    while !telemetry.is_on() {
        assert!(Instant::now() < until, "it does not follow");
        std::thread::sleep(Duration::from_millis(20));
    }
    record(&telemetry, 3);
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(numbers(&collector), [1, 3]);
}

#[test]
fn one_that_was_never_on_begins_when_it_is_told_to_look() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let telemetry = builder(home.path(), &collector).start();
    builder(home.path(), &collector).rights().turn_on().unwrap();
    assert!(!telemetry.is_on(), "nobody told it");
    assert!(telemetry.follow().enabled());
    record(&telemetry, 1);
    telemetry.flush(PATIENCE).unwrap();
    assert_eq!(numbers(&collector), [1]);
}

#[test]
fn another_no_keeps_it_off_and_is_said() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let telemetry = builder(home.path(), &collector).opt_out(true).start();
    telemetry.turn_on().unwrap();
    assert_eq!((telemetry.is_on(), telemetry.decision().because()), (false, Because::ApplicationOptOut));
}
