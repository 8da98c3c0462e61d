//! A real firmware on a Cortex-M3 (QEMU's lm3s6965evb, 64 KiB of RAM), over its network card to a receiver on this machine,
//! which decodes with OTLP's official types. `tests/firmware/run` installs what this needs.

#![cfg(unix)]

use automagik_telemetry_test_support::firmware::{self, images};
use automagik_telemetry_test_support::sockets::{Sockets, read_request, reset, write};
use automagik_telemetry_test_support::tls::{Issuer, authority, collector_of};
use automagik_telemetry_test_support::{Answer, Log, Receiver, logs};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{metric, number_data_point};
use prost::Message;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::OnceLock;
use std::sync::mpsc::channel;
use std::time::Duration;

/// The image, built once; `None` where this machine can't, which is said.
fn image() -> Option<&'static Path> {
    static IMAGE: OnceLock<Option<PathBuf>> = OnceLock::new();
    IMAGE.get_or_init(|| Some(images()?.join("automagik-telemetry-firmware"))).as_deref()
}

/// Starts the image with `words` on its command line.
fn start(image: &Path, port: u16, words: &str) -> Child {
    firmware::start(image, &format!("port={port} {words}"))
}

/// Runs the image, and returns what it reports in the end.
fn run(image: &Path, port: u16, words: &str) -> String {
    firmware::run(image, &format!("port={port} {words}"))
}

/// Events by name.
fn named<'a>(logs: &'a [Log], name: &str) -> Vec<&'a Log> {
    logs.iter().filter(|log| log.event == name).collect()
}

/// What counters counted, over all requests.
fn counted(collector: &Receiver) -> i64 {
    let requests = collector.requests();
    let metrics = requests.iter().filter(|request| request.path == "/v1/metrics" && request.answered == 200);
    let mut total = 0;
    for request in metrics {
        let decoded = ExportMetricsServiceRequest::decode(request.body.as_slice()).unwrap();
        assert!(decoded.encode_to_vec() == request.body, "the bytes are not prost's");
        for metric in
            decoded.resource_metrics.into_iter().flat_map(|of| of.scope_metrics).flat_map(|of| of.metrics)
        {
            let Some(metric::Data::Sum(sum)) = metric.data else { panic!("a sum") };
            for point in sum.data_points {
                let Some(number_data_point::Value::AsInt(count)) = point.value else { panic!("an integer") };
                total += count;
            }
        }
    }
    total
}

#[test]
fn what_a_task_and_an_interrupt_record_arrives_with_the_counts() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    let report = run(image, collector.port(), "consent=yes records=60 interrupts=40 seconds=60");
    assert!(report.contains("on=true empty=true interrupts=40"), "{report}");
    let logs = collector.logs();
    assert_eq!(named(&logs, "automagik.feature.used").len(), 60);
    let numbers: Vec<String> =
        named(&logs, "firmware.interrupted").iter().map(|log| log.attribute("number").to_owned()).collect();
    assert_eq!(numbers, (0..40).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(counted(&collector), 60);
    // 100 events in one request, through a socket of 1 KiB.
    assert_eq!(collector.requests().iter().filter(|request| request.path == "/v1/logs").count(), 1);
}

#[test]
fn a_collector_that_comes_up_later_gets_everything_once() {
    let Some(image) = image() else { return };
    let port = nobody();
    let collector = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_secs(3));
        Receiver::on(port, |_| Answer::status(200))
    });
    let report = run(image, port, "consent=yes records=60 seconds=100");
    assert!(report.contains("empty=true"), "{report}");
    let collector = collector.join().unwrap();
    assert_eq!(collector.logs().len(), 60);
    assert_eq!(counted(&collector), 60);
}

#[test]
fn a_collector_that_is_busy_is_left_alone_as_long_as_it_asks() {
    let Some(image) = image() else { return };
    let mut first = None;
    let (sender, arrived) = channel();
    let collector = Receiver::answering(move |n| {
        let first = *first.get_or_insert_with(std::time::Instant::now);
        let _ = sender.send(first.elapsed());
        if n == 0 { Answer::status(503).header("retry-after", "3") } else { Answer::status(200) }
    });
    run(image, collector.port(), "consent=yes records=10 seconds=100");
    let arrived: Vec<Duration> = arrived.try_iter().collect();
    assert!(arrived[1] >= Duration::from_secs(2), "{arrived:?}");
    let taken: usize = collector
        .requests()
        .iter()
        .filter(|request| request.answered == 200 && request.path == "/v1/logs")
        .map(|request| logs(&request.body).len())
        .sum();
    assert_eq!(taken, 10);
}

#[test]
fn a_connection_that_is_cut_in_the_middle_of_a_body_is_made_again() {
    let Some(image) = image() else { return };
    let (sender, delivered) = channel();
    let sender = std::sync::Mutex::new(sender);
    let collector = Sockets::start(move |n, connection| {
        if n == 0 {
            let _ = connection.read(&mut [0; 700]);
            reset(connection);
        } else {
            let request = read_request(connection);
            let head =
                request.windows(4).position(|end| end == b"\r\n\r\n").map_or(request.len(), |end| end + 4);
            write(connection, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            let is_logs = request.starts_with(b"POST /v1/logs ");
            let _ = sender.lock().unwrap().send(if is_logs { logs(&request[head..]).len() } else { 0 });
        }
    });
    let report = run(image, collector.port(), "consent=yes records=60 seconds=100");
    assert!(report.contains("empty=true"), "{report}");
    assert_eq!(delivered.try_iter().sum::<usize>(), 60);
}

#[test]
fn what_a_full_queue_dropped_is_counted_and_told() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    run(image, collector.port(), "consent=yes records=500 seconds=60");
    let logs = collector.logs();
    let arrived = named(&logs, "automagik.feature.used").len();
    let dropped: usize = named(&logs, "automagik.telemetry.dropped")
        .iter()
        .map(|log| {
            assert_eq!(log.attribute("reason"), "queue_full");
            log.attribute("count").parse::<usize>().unwrap()
        })
        .sum();
    assert!(dropped > 0, "a queue of 1 KiB does not hold 500 records");
    assert_eq!(arrived + dropped, 500);
    assert_eq!(counted(&collector), 500, "a count needs no room");
}

#[test]
fn without_consent_not_one_packet_is_sent_and_nothing_is_kept() {
    let Some(image) = image() else { return };
    for consent in ["", "consent=no", "consent=perhaps"] {
        let collector = Receiver::start();
        let report = run(image, collector.port(), &format!("{consent} records=60 interrupts=9 seconds=10"));
        assert!(report.contains("on=false empty=true interrupts=9"), "{report}");
        assert_eq!(collector.connections(), 0, "{consent}");
    }
}

#[test]
fn a_consent_that_is_withdrawn_deletes_what_waits_and_sends_nothing() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    let report = run(image, collector.port(), "consent=yes records=60 then=withdraw seconds=10");
    assert!(report.contains("on=false empty=true"), "{report}");
    assert_eq!(collector.connections(), 0);
}

/// The certificate of `issuer` in a file.
fn certificate(issuer: &Issuer) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(issuer.der()).unwrap();
    file
}

#[test]
fn over_tls_the_collector_that_the_authority_vouches_for_gets_everything() {
    let Some(image) = image() else { return };
    let authority = authority();
    let (collector, requests) = collector_of("collector.test", &authority);
    let certificate = certificate(&authority);
    let words = format!("authority={} consent=yes records=60 seconds=110", certificate.path().display());
    let report = run(image, collector.port(), &words);
    assert!(report.contains("on=true empty=true"), "{report}");
    let mut arrived = 0;
    for request in requests.all().iter().filter(|request| request.starts_with(b"POST /v1/logs ")) {
        let head = request.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        assert!(String::from_utf8_lossy(&request[..head]).contains("\r\nHost: collector.test:"));
        arrived += named(&logs(&request[head..]), "automagik.feature.used").len();
    }
    assert_eq!(arrived, 60);
}

#[test]
fn over_tls_a_collector_that_another_authority_vouches_for_gets_nothing() {
    let Some(image) = image() else { return };
    let (collector, requests) = collector_of("collector.test", &authority());
    let certificate = certificate(&authority());
    let words = format!("authority={} consent=yes records=60 seconds=12", certificate.path().display());
    let report = run(image, collector.port(), &words);
    assert!(report.contains("on=true empty=false"), "{report}");
    assert!(collector.wait(Duration::ZERO, 1), "it was tried");
    assert!(requests.all().is_empty());
}

/// A port where nobody listens.
fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Flash that was never written, in a file.
fn blank_flash() -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&[0xFF; FLASH_LEN]).unwrap();
    file
}

const FLASH_LEN: usize = 14 * 1024;
/// Behind it is the backlog.
const PROVISION_LEN: usize = 2 * 1024;

#[test]
fn what_waits_in_flash_is_sent_after_a_reset_and_the_answer_and_the_pseudonym_outlive_it() {
    let Some(image) = image() else { return };
    let flash = blank_flash();
    let path = flash.path().display();
    let words = format!("flash={path} consent=yes random=1 records=60 interrupts=10 seconds=60");
    let report = run(image, nobody(), &words);
    assert!(report.contains("on=true empty=true interrupts=10"), "all is in flash: {report}");

    let collector = Receiver::start();
    let words = format!("flash={path} random=2 records=1 quiet=6 seconds=60");
    let report = run(image, collector.port(), &words);
    assert!(report.contains("on=true empty=true"), "{report}");
    let sent = collector.logs();
    assert_eq!(named(&sent, "automagik.feature.used").len(), 61);
    let numbers: Vec<String> =
        named(&sent, "firmware.interrupted").iter().map(|log| log.attribute("number").to_owned()).collect();
    assert_eq!(numbers, (0..10).map(|number| number.to_string()).collect::<Vec<_>>());
    assert_eq!(counted(&collector), 61);
    let mut pseudonyms: Vec<&str> =
        sent.iter().map(|log| log.resource["app.installation.id"].as_str()).collect();
    pseudonyms.dedup();
    assert_eq!(pseudonyms.len(), 1, "{pseudonyms:?}");

    // Nothing is sent twice.
    let again = Receiver::start();
    run(image, again.port(), &format!("flash={path} seconds=60"));
    assert_eq!(again.connections(), 0);
}

#[test]
fn a_no_erases_the_flash_and_outlives_a_reset() {
    let Some(image) = image() else { return };
    let flash = blank_flash();
    let path = flash.path().display();
    run(image, nobody(), &format!("flash={path} consent=yes random=165 records=60 seconds=60"));
    let is_written = |bytes: &[u8]| bytes[PROVISION_LEN..].iter().any(|byte| *byte != 0xFF);
    assert!(is_written(&std::fs::read(flash.path()).unwrap()));

    let collector = Receiver::start();
    for consent in ["consent=no", ""] {
        let report = run(image, collector.port(), &format!("flash={path} {consent} records=9 seconds=10"));
        assert!(report.contains("on=false empty=true"), "{report}");
    }
    assert_eq!(collector.connections(), 0);
    let bytes = std::fs::read(flash.path()).unwrap();
    assert!(!is_written(&bytes));
    assert!(!bytes.windows(8).any(|window| window == [165; 8]), "the secret is still there");
}

#[test]
fn a_consent_that_is_withdrawn_while_it_runs_erases_the_backlog() {
    let Some(image) = image() else { return };
    let flash = blank_flash();
    let path = flash.path().display();
    run(image, nobody(), &format!("flash={path} consent=yes random=1 records=60 seconds=60"));
    run(image, nobody(), &format!("flash={path} then=withdraw seconds=60"));
    let bytes = std::fs::read(flash.path()).unwrap();
    assert!(bytes[PROVISION_LEN..].iter().all(|byte| *byte == 0xFF));
}

#[test]
fn the_example_sends_after_a_yes_and_not_after_a_no() {
    let Some(images) = images() else { return };
    let (flash, collector) = (blank_flash(), Receiver::start());
    let words = |answer: &str| format!("flash={} answer={answer}", flash.path().display());
    let mut pump = start(&images.join("example"), collector.port(), &words("yes"));
    let arrived = collector.wait_for_logs(Duration::from_secs(60), 3);
    pump.kill().unwrap();
    pump.wait().unwrap();
    assert!(arrived, "{} arrived", collector.logs().len());
    let logs = collector.logs();
    assert!(logs.iter().all(|log| log.event == "pump.ran"));
    assert_eq!((logs[0].attribute("cause"), logs[1].attribute("cause")), ("timer", "button"));

    let connections = collector.connections();
    let mut pump = start(&images.join("example"), collector.port(), &words("no"));
    std::thread::sleep(Duration::from_secs(5));
    pump.kill().unwrap();
    pump.wait().unwrap();
    assert_eq!(collector.connections(), connections, "it connected after a no");
}

#[test]
fn a_firmware_that_falls_tells_it_in_its_next_life() {
    let Some(image) = image() else { return };
    let ways = [
        ("hard", "usage.undefined_instruction", "software"),
        ("panic", "panic", "software"),
        ("watchdog", "watchdog", "watchdog"),
    ];
    for (way, fault, reason) in ways {
        let collector = Receiver::start();
        let report = run(image, collector.port(), &format!("consent=yes records=1 seconds=60 fall={way}"));
        assert!(report.contains("on=true empty=true"), "{way}: {report}");
        let logs = collector.logs();
        let (crashes, restarts) =
            (named(&logs, "automagik.device.crash"), named(&logs, "automagik.device.restart"));
        assert_eq!((crashes.len(), restarts.len()), (1, 1), "{way}");
        assert_eq!((crashes[0].attribute("fault"), restarts[0].attribute("reason")), (fault, reason));
        let requests = collector.requests();
        let is_marked = |body: &[u8]| body.windows(6).any(|window| window == b"MARKED");
        assert!(!requests.iter().any(|request| is_marked(&request.body)), "no message leaves");
    }
}
