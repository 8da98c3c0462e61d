//! Collectors, networks and disks that fail. Whatever happens: events recorded = delivered + counted as dropped, each
//! delivered once, and the host goes on.

use automagik_telemetry::{Builder, Count, Environment, Event, FlushError, Schema, Telemetry};
use automagik_telemetry_test_support::sockets::{Sockets, read_request, reset, write};
use automagik_telemetry_test_support::{Answer, Log, Receiver, logs};
use std::collections::BTreeMap;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

#[derive(Event, Clone, Copy)]
#[event(name = "faulty.numbered")]
struct Numbered {
    number: Count<100_000>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "faulty")]
enum Faulty {
    Numbered(Numbered),
}

const PATIENCE: Duration = Duration::from_secs(120);

fn builder(home: &Path, base: &str) -> Builder<Faulty> {
    let environment = Environment::at(home)
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", base);
    Telemetry::builder().environment(environment).timeout(Duration::from_millis(300))
}

fn record(telemetry: &Telemetry<Faulty>, numbers: std::ops::Range<u32>) {
    numbers.for_each(|number| telemetry.record(Numbered { number: Count::new(number) }));
}

/// How often each number was delivered, and how many events are counted as dropped.
fn account(logs: &[Log]) -> (BTreeMap<u32, u32>, u32) {
    let (mut delivered, mut dropped) = (BTreeMap::new(), 0);
    for log in logs {
        match log.event.as_str() {
            "faulty.numbered" => {
                *delivered.entry(log.attribute("number").parse().unwrap()).or_default() += 1;
            }
            _ => dropped += log.attribute("count").parse::<u32>().unwrap(),
        }
    }
    (delivered, dropped)
}

/// Each of the first `count` numbers was delivered once, but for `dropped` of them.
fn assert_all(collector: &Receiver, count: u32, dropped: u32) {
    let (delivered, told) = account(&collector.logs());
    assert!(delivered.values().all(|times| *times == 1), "delivered more than once: {delivered:?}");
    assert_eq!((delivered.len() as u32, told), (count - dropped, dropped));
}

/// Records to a collector that behaves like `behave` until it has done so `connections` times; then, in the next run, to one
/// that is well. It gets everything, once.
fn delivered_in_the_next_run(
    connections: usize,
    behave: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static,
) {
    let home = tempfile::tempdir().unwrap();
    let faulty = Sockets::start(behave);
    let port = faulty.port();
    let telemetry = builder(home.path(), &faulty.endpoint()).build().unwrap();
    record(&telemetry, 0..250);
    assert_eq!(telemetry.flush(Duration::from_millis(10)), Err(FlushError::Timeout));
    assert!(faulty.wait(PATIENCE, connections), "the collector was not asked");
    drop((telemetry, faulty));
    let well = Receiver::on(port, |_| Answer::status(200));
    builder(home.path(), &well.endpoint()).build().unwrap().flush(PATIENCE).unwrap();
    assert_all(&well, 250, 0);
}

/// Records to a collector that answers like `answers`, and waits until everything is over. It gets everything once but for
/// what it refused for good, which is counted.
fn delivered_in_the_same_run(answers: impl FnMut(usize) -> Answer + Send + 'static) -> Receiver {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::answering(answers);
    let telemetry = builder(home.path(), &collector.endpoint()).build().unwrap();
    record(&telemetry, 0..250);
    telemetry.flush(PATIENCE).unwrap();
    let refused: usize = collector
        .requests()
        .iter()
        .filter(|request| request.answered == 500)
        .map(|request| logs(&request.body).len())
        .sum();
    assert_all(&collector, 250, refused as u32);
    collector
}

#[test]
fn a_black_hole_costs_nothing_but_time() {
    delivered_in_the_next_run(2, |_, connection| {
        read_request(connection);
        read_request(connection); // until the other side gives up
    });
}

#[test]
fn an_answer_that_drips_is_given_up() {
    delivered_in_the_next_run(1, |_, connection| {
        read_request(connection);
        for byte in b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n".iter().cycle().take(500) {
            std::thread::sleep(Duration::from_millis(20));
            if *byte == b'\n' || !write(connection, &[*byte]) {
                return;
            }
        }
    });
}

#[test]
fn a_reset_in_the_middle_of_a_body_is_tried_again() {
    delivered_in_the_next_run(2, |_, connection| reset(connection));
}

#[test]
fn a_reset_instead_of_an_answer_is_tried_again() {
    delivered_in_the_next_run(2, |_, connection| {
        read_request(connection);
        reset(connection);
    });
}

#[test]
fn an_answer_that_is_no_http_is_tried_again() {
    delivered_in_the_next_run(2, |_, connection| {
        read_request(connection);
        write(connection, b"\xFF\xFE garbage \r\n\r\n");
    });
}

#[test]
fn nobody_at_the_port_is_tried_again() {
    let home = tempfile::tempdir().unwrap();
    let port = Receiver::start().port();
    let nobody = format!("http://127.0.0.1:{port}");
    let telemetry = builder(home.path(), &nobody).build().unwrap();
    record(&telemetry, 0..250);
    assert_eq!(telemetry.flush(Duration::from_millis(100)), Err(FlushError::Timeout));
    let somebody = Receiver::on(port, |_| Answer::status(200));
    telemetry.flush(PATIENCE).unwrap();
    assert_all(&somebody, 250, 0);
}

#[test]
fn unavailable_and_then_well_delivers_everything_once() {
    let collector = delivered_in_the_same_run(|n| Answer::status(if n < 2 { 503 } else { 200 }));
    assert_eq!(collector.requests().iter().filter(|request| request.answered == 503).count(), 2);
}

#[test]
fn an_internal_error_is_final_and_its_batch_is_counted() {
    let collector = delivered_in_the_same_run(|n| Answer::status(if n == 0 { 500 } else { 200 }));
    assert_eq!(collector.requests().iter().filter(|request| request.answered == 500).count(), 1);
}

#[test]
fn too_many_requests_are_sent_again_after_the_time_that_was_asked_for() {
    let mut first = None;
    let (sent, arrived) = std::sync::mpsc::channel();
    delivered_in_the_same_run(move |n| {
        let first = *first.get_or_insert_with(std::time::Instant::now);
        let _ = sent.send(first.elapsed());
        if n == 0 { Answer::status(429).header("retry-after", "1") } else { Answer::status(200) }
    });
    assert!(arrived.iter().nth(1).unwrap() >= Duration::from_secs(1));
}

#[test]
fn a_huge_answer_is_not_read_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let collector = Sockets::start(|_, connection| {
        read_request(connection);
        let mut sent = write(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n");
        let piece = vec![0; 1 << 16];
        while sent {
            sent = write(connection, &piece);
        }
    });
    let telemetry = builder(home.path(), &collector.endpoint()).timeout(PATIENCE).build().unwrap();
    record(&telemetry, 0..1);
    telemetry.flush(PATIENCE).unwrap();
    assert!(collector.wait(PATIENCE, 1), "the answer was read on");
}

#[test]
fn what_is_refused_in_part_is_counted_and_never_sent_again() {
    // ExportLogsServiceResponse { partial_success { rejected_log_records: 7 } }
    let partly = |n| Answer::status(200).body(if n == 0 { vec![0x0A, 0x02, 0x08, 0x07] } else { Vec::new() });
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::answering(partly);
    let telemetry = builder(home.path(), &collector.endpoint()).build().unwrap();
    record(&telemetry, 0..100);
    telemetry.flush(PATIENCE).unwrap();
    let (delivered, dropped) = account(&collector.logs());
    assert_eq!((delivered.len(), dropped), (100, 7));
    assert!(delivered.values().all(|times| *times == 1));
}

#[test]
fn a_collector_that_refuses_everything_is_not_asked_for_ever() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::answering(|_| Answer::status(400));
    let telemetry = builder(home.path(), &collector.endpoint()).build().unwrap();
    record(&telemetry, 0..250);
    telemetry.flush(PATIENCE).unwrap();
    let asked = collector.requests().len();
    telemetry.flush(PATIENCE).unwrap();
    drop(telemetry);
    assert_eq!(collector.requests().len(), asked);
    // The next run tells of them.
    let port = collector.port();
    drop(collector);
    let well = Receiver::on(port, |_| Answer::status(200));
    builder(home.path(), &well.endpoint()).build().unwrap().flush(PATIENCE).unwrap();
    assert_eq!(account(&well.logs()), (BTreeMap::new(), 250));
}

#[test]
fn a_queue_that_runs_over_is_counted() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let telemetry = builder(home.path(), &collector.endpoint()).build().unwrap();
    record(&telemetry, 0..50_000);
    telemetry.flush(PATIENCE).unwrap();
    let (delivered, dropped) = account(&collector.logs());
    assert_eq!(delivered.len() as u32 + dropped, 50_000);
}

#[test]
fn one_event_and_the_end_is_delivered_by_the_next_run() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    record(&builder(home.path(), &collector.endpoint()).build().unwrap(), 0..1);
    assert_eq!(collector.connections(), 0, "the network is not touched at exit");
    let next = builder(home.path(), &collector.endpoint()).build().unwrap();
    assert!(collector.wait_for_logs(PATIENCE, 1));
    drop(next);
    assert_all(&collector, 1, 0);
}

#[test]
fn who_waits_at_exit_delivers_in_the_same_run() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    record(&builder(home.path(), &collector.endpoint()).wait_at_exit(PATIENCE).build().unwrap(), 0..7);
    assert_all(&collector, 7, 0);
}

#[test]
fn several_programs_at_once_deliver_everything_once() {
    let home = tempfile::tempdir().unwrap();
    let collector = Receiver::start();
    let base = collector.endpoint();
    std::thread::scope(|scope| {
        for program in 0..6 {
            let (home, base) = (home.path(), base.as_str());
            scope.spawn(move || {
                let telemetry = builder(home, base).interval(Duration::from_millis(50)).build().unwrap();
                for start in (program * 200..program * 200 + 200).step_by(20) {
                    record(&telemetry, start..start + 20);
                    std::thread::sleep(Duration::from_millis(10));
                }
                telemetry.flush(PATIENCE).unwrap();
            });
        }
    });
    assert_all(&collector, 1_200, 0);
}

#[test]
fn without_a_place_on_disk_events_are_delivered_from_memory() {
    let home = tempfile::tempdir().unwrap();
    // A file where the folder should be.
    std::fs::create_dir_all(home.path().join(".local")).unwrap();
    std::fs::write(home.path().join(".local/state"), "").unwrap();
    let collector = Receiver::start();
    let telemetry = builder(home.path(), &collector.endpoint()).build().unwrap();
    record(&telemetry, 0..250);
    telemetry.flush(PATIENCE).unwrap();
    assert_all(&collector, 250, 0);
}
