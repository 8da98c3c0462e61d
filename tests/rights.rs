//! What a person may see, take along and delete: the policy's "Transparency" and "Data Subject Rights".

use automagik_telemetry::{
    Became, Count, Counter, Environment, Event, Histogram, Includes, Label, Metrics, Milliseconds, Rights,
    Schema, Telemetry,
};
use automagik_telemetry_test_support::{Answer, Receiver, at_home, omni};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use prost::Message;
use std::path::Path;
use std::process::Output;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Event, Clone, Copy)]
#[event(name = "rights.numbered")]
struct Numbered {
    number: Count<100_000>,
}

#[derive(Label, Clone, Copy)]
enum Kind {
    Plain,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "rights")]
enum App {
    Numbered(Numbered),
}

#[derive(Metrics)]
struct Counted {
    #[metric(name = "counting.things", by = "kind")]
    things: Counter<Kind>,
    #[metric(name = "counting.time", by = "kind")]
    time: Histogram<Kind, Milliseconds>,
}

/// Metrics are one for a process: those of a schema are for one test.
#[derive(Schema)]
#[schema(organization = "automagik", project = "counting", metrics = Counted)]
enum Counting {
    Numbered(Numbered),
}

fn environment(home: &Path, collector: &Receiver) -> Environment {
    Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint())
}

fn rights(environment: Environment) -> Rights<App> {
    Telemetry::<App>::builder().environment(environment).rights()
}

fn record<S: Schema + Includes<Numbered>>(telemetry: &Telemetry<S>, numbers: std::ops::Range<u32>) {
    numbers.for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
}

/// Numbers of events as people are shown them.
fn numbers<'a>(shown: impl IntoIterator<Item = &'a serde_json::Map<String, serde_json::Value>>) -> Vec<u64> {
    shown.into_iter().filter_map(|event| event.get("number")?.as_u64()).collect()
}

#[test]
fn what_was_sent_is_shown_as_it_was_sent_and_what_became_of_it() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::answering(|n| Answer::status(if n == 0 { 400 } else { 200 }));
    let environment = environment(home.path(), &collector);
    let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
    record(&telemetry, 0..3);
    telemetry.flush(PATIENCE).unwrap();
    record(&telemetry, 3..5);
    telemetry.flush(PATIENCE).unwrap();
    let sent = rights(environment).sent();
    assert_eq!(sent[0].became, Became::Refused);
    assert_eq!(numbers(&sent[0].shown), [0, 1, 2]);
    assert!(sent[1..].iter().all(|request| request.became == Became::Accepted));
    assert_eq!(numbers(sent[1..].iter().flat_map(|request| &request.shown)), [3, 4]);
    let first = &sent[0].shown[0];
    assert_eq!(first["event"], "rights.numbered");
    assert_eq!(first["anonymous_user_id"].as_str().unwrap().len(), 32);
}

#[test]
fn where_nobody_was_reached_nothing_was_sent() {
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::at(home.path())
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://127.0.0.1:9");
    let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
    record(&telemetry, 0..3);
    telemetry.flush(Duration::from_millis(300)).unwrap_err();
    drop(telemetry);
    let rights = rights(environment);
    assert!(rights.sent().is_empty());
    assert_eq!(numbers(&rights.waiting().shown), [0, 1, 2]);
}

#[test]
fn the_export_is_what_was_sent_in_otlps_own_json() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let environment = environment(home.path(), &collector);
    let telemetry = Telemetry::<Counting>::builder().environment(environment.clone()).build().unwrap();
    record(&telemetry, 0..150);
    Counted::global().things.add(Kind::Plain);
    Counted::global().time.record(Kind::Plain, Milliseconds::new(130));
    telemetry.flush(PATIENCE).unwrap();
    let exported = Telemetry::<Counting>::builder().environment(environment).rights().export();
    let requests = collector.requests();
    assert_eq!(exported.len(), requests.len());
    for (line, request) in exported.iter().zip(&requests) {
        // Read by the official types as a collector would read it, and written as protobuf: what was sent, byte by byte.
        let line = line.to_string();
        let bytes = if request.path == "/v1/metrics" {
            serde_json::from_str::<ExportMetricsServiceRequest>(&line).unwrap().encode_to_vec()
        } else {
            serde_json::from_str::<ExportLogsServiceRequest>(&line).unwrap().encode_to_vec()
        };
        assert!(bytes == request.body, "{line}");
    }
    assert!(requests.iter().any(|request| request.path == "/v1/metrics"));
}

#[test]
fn a_no_deletes_what_waits_and_never_sends_it_first() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let environment = environment(home.path(), &collector);
    // Programs that are over before a request is full: none of them connects.
    for first in [0, 80, 160] {
        let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
        record(&telemetry, first..first + 80);
    }
    let rights = rights(environment);
    assert_eq!(rights.waiting().shown.len(), 240);
    let (_, deleted) = rights.turn_off().unwrap();
    assert_eq!(deleted, 240);
    assert!(!rights.decision().enabled());
    assert_eq!(rights.waiting().shown.len() + rights.waiting().others, 0);
    assert_eq!(collector.connections(), 0);
}

#[test]
fn a_program_that_runs_notices_a_no_and_sends_nothing_more() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let environment = environment(home.path(), &collector);
    let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
    record(&telemetry, 0..3);
    telemetry.flush(PATIENCE).unwrap();
    rights(environment.clone()).turn_off().unwrap();
    let requests = collector.requests().len();
    record(&telemetry, 3..200);
    let _ = telemetry.flush(Duration::from_secs(1));
    record(&telemetry, 200..300);
    drop(telemetry);
    assert_eq!(collector.requests().len(), requests);
    let waiting = rights(environment).waiting();
    assert_eq!(waiting.shown.len() + waiting.others, 0, "nothing is kept either");
}

#[test]
fn who_is_forgotten_is_somebody_new() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let environment = environment(home.path(), &collector);
    let pseudonym = || {
        let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
        record(&telemetry, 0..1);
        telemetry.flush(PATIENCE).unwrap();
        let sent = rights(environment.clone()).sent();
        sent.last().unwrap().shown[0]["anonymous_user_id"].as_str().unwrap().to_owned()
    };
    let first = pseudonym();
    assert_eq!(pseudonym(), first);
    let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
    record(&telemetry, 0..7);
    drop(telemetry);
    let deleted = rights(environment.clone()).forget().unwrap();
    assert!(deleted.identity.is_some());
    assert_eq!(deleted.records, 7);
    assert!(deleted.requests >= 2);
    assert!(!home.path().join(".local/state/automagik-telemetry").exists(), "something is left");
    assert_ne!(pseudonym(), first);
}

#[test]
fn what_is_not_ours_is_not_deleted() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let environment = environment(home.path(), &collector);
    let telemetry = Telemetry::<App>::builder().environment(environment.clone()).build().unwrap();
    record(&telemetry, 0..1);
    telemetry.flush(PATIENCE).unwrap();
    drop(telemetry);
    let state = home.path().join(".local/state/automagik-telemetry");
    for folder in ["", "rights", "rights/sent"] {
        std::fs::write(state.join(folder).join("notes.txt"), "mine").unwrap();
    }
    rights(environment).forget().unwrap();
    for folder in ["", "rights", "rights/sent"] {
        assert_eq!(std::fs::read_to_string(state.join(folder).join("notes.txt")).unwrap(), "mine");
    }
}

#[test]
fn without_consent_nothing_is_noted() {
    let home = tempfile::tempdir().unwrap();
    let rights = rights(Environment::at(home.path()));
    assert!(rights.sent().is_empty() && rights.export().is_empty() && rights.waiting().shown.is_empty());
    let _ = (rights.status().to_string(), rights.inventory().to_string(), rights.forget().unwrap());
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

/// The example program's commands, as a person types them.
fn omni_with(home: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    at_home(home, omni()).args(arguments).envs(variables.iter().copied()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_short_program_shows_what_it_sends_whole_and_before_it_ends() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let endpoint = collector.endpoint().replace("http://", "http://me:secret@");
    let variables =
        [("AUTOMAGIK_TELEMETRY_ENABLED", "true"), ("AUTOMAGIK_TELEMETRY_ENDPOINT", endpoint.as_str())];
    for (variable, flag) in
        [(Some(("AUTOMAGIK_TELEMETRY_VERBOSE", "true")), None), (None, Some("--telemetry-verbose"))]
    {
        let variables: Vec<_> = variables.into_iter().chain(variable).collect();
        let arguments: Vec<_> = ["instance", "list"].into_iter().chain(flag).collect();
        let output = omni_with(home.path(), &variables, &arguments);
        let shown = text(&output.stderr);
        assert_eq!(text(&output.stdout), "no instances\n");
        let to = format!("[Telemetry] To {}/v1/logs:\n", collector.endpoint());
        assert!(shown.starts_with(&to), "{shown}");
        assert!(shown.contains("[Telemetry] Sending event: automagik.cli.command\n{\n"), "{shown}");
        assert!(shown.contains("\"command\": \"omni instance list\""), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }
    assert_eq!(collector.logs().len(), 2, "each was delivered before the program ended");
}

#[test]
fn the_commands_say_what_they_did() {
    let home = tempfile::tempdir().unwrap();
    let nobody = [("AUTOMAGIK_TELEMETRY_ENDPOINT", "http://127.0.0.1:9")];
    let omni = |arguments: &[&str]| {
        let output = omni_with(home.path(), &nobody, arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        text(&output.stdout)
    };
    assert!(omni(&["telemetry", "status"]).starts_with("Telemetry is off: nobody has agreed to it."));
    assert!(omni(&["telemetry", "on"]).starts_with("Telemetry is on"));
    omni(&["instance", "list"]);
    assert!(omni(&["telemetry", "status"]).contains("Waiting for delivery: 1, in "));
    assert!(omni(&["telemetry", "show"]).contains("omni instance list"));
    let page = omni(&["telemetry", "view", "--print"]);
    assert!(page.starts_with("<!doctype html>") && page.contains("<td>omni instance list</td>"), "{page}");
    let exported = omni(&["telemetry", "export"]);
    serde_json::from_str::<ExportLogsServiceRequest>(exported.trim()).unwrap();
    assert!(omni(&["telemetry", "inventory"]).contains("omni instance create"));
    assert!(omni(&["telemetry", "off"]).contains("1 waiting record was deleted; nothing was sent."));
    assert!(omni(&["telemetry", "status"]).starts_with("Telemetry is off: you answered no."));
    assert!(omni(&["telemetry", "forget"]).contains("The identity was deleted"));
    let json: serde_json::Value = serde_json::from_str(&omni(&["telemetry", "status", "--json"])).unwrap();
    assert_eq!(json["enabled"], false);
}

#[test]
fn a_yes_that_does_not_count_is_said_to_and_why() {
    let home = tempfile::tempdir().unwrap();
    let output = omni_with(home.path(), &[("DO_NOT_TRACK", "1")], &["telemetry", "on"]);
    assert!(output.status.success());
    assert!(text(&output.stdout).contains("stays off all the same: DO_NOT_TRACK is set"), "{output:?}");
}
