//! The examples that teach, run as their readers run them. `examples/firmware.rs` runs in `tests/firmware.rs`.

#![cfg(unix)]

use automagik_telemetry_test_support::{Receiver, at_home, example};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use prost::Message;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(20);

/// The example for a person who has this home and nothing else.
fn program(name: &'static str, home: &Path, collector: &Receiver) -> Command {
    let mut command = at_home(home, example(name));
    command.env("AUTOMAGIK_TELEMETRY_ENDPOINT", collector.endpoint());
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// How often each route was asked for, over all requests that arrived.
fn counted(collector: &Receiver) -> BTreeMap<String, u64> {
    let mut counted = BTreeMap::new();
    for request in collector.requests().iter().filter(|request| request.path == "/v1/metrics") {
        let decoded = ExportMetricsServiceRequest::decode(request.body.as_slice()).unwrap();
        let metrics = decoded.resource_metrics.into_iter().flat_map(|of| of.scope_metrics);
        for metric in metrics.flat_map(|of| of.metrics) {
            let Some(Data::Histogram(histogram)) = metric.data else { panic!("a histogram") };
            for point in histogram.data_points {
                let route =
                    format!("{:?}", point.attributes[0].value.as_ref().unwrap().value.as_ref().unwrap());
                *counted.entry(route).or_default() += point.count;
            }
        }
    }
    counted
}

fn get(port: &str, path: &str) {
    let mut connection = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    // In one piece: the example reads once and answers.
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n");
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
}

/// Ends with the test, whatever becomes of it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_is_asked_to_end_sends_what_it_counted() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let mut command = program("server", home.path(), &collector);
    command.env("AUTOMAGIK_TELEMETRY_ENABLED", "true").arg("0");
    let mut server = Running(command.spawn().unwrap());
    let mut line = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(' ').next().unwrap();
    for path in ["/contacts", "/contacts/7", "/contacts/secret-name", "/favicon.ico"] {
        get(port, path);
    }
    kill_process(Pid::from_child(&server.0), Signal::TERM).unwrap();
    assert!(server.0.wait().unwrap().success());

    assert_eq!(
        collector.logs().iter().map(|log| log.event.as_str()).collect::<Vec<_>>(),
        ["automagik.health"]
    );
    let counted = counted(&collector);
    let of = |route: &str| counted.iter().find(|(key, _)| key.contains(route)).map(|(_, count)| *count);
    assert_eq!(of("GET /contacts/{id}"), Some(2), "{counted:?}");
    assert_eq!((of("GET /contacts\""), of("unknown")), (Some(1), Some(1)), "{counted:?}");
}

/// Clicks, and returns what the application showed.
fn clicks(mut desktop: Child, clicks: &str) -> String {
    desktop.stdin.take().unwrap().write_all(clicks.as_bytes()).unwrap();
    let output = desktop.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_desktop_application_asks_once_in_its_own_dialog_and_its_switch_has_effect_at_once() {
    let (home, collector) = (tempfile::tempdir().unwrap(), Receiver::start());
    let open = || program("desktop", home.path(), &collector).spawn().unwrap();
    let shown = clicks(open(), "later\nsave\nquit\n");
    assert!(shown.contains("[yes] [no] [later]"), "{shown}");
    assert_eq!(collector.connections(), 0, "no answer is no yes");

    let shown = clicks(open(), "yes\nsave\nquit\n");
    assert!(shown.contains("[yes] [no] [later]"), "{shown}");
    // The next run delivers what the first left, and asks nothing.
    let mut desktop = open();
    let mut stdin = desktop.stdin.take().unwrap();
    stdin.write_all(b"save\n").unwrap();
    assert!(collector.wait_for_logs(PATIENCE, 2), "{} arrived", collector.logs().len());
    stdin.write_all(b"off\nsave\nstatus\nquit\n").unwrap();
    drop(stdin);
    let shown = String::from_utf8(desktop.wait_with_output().unwrap().stdout).unwrap();
    assert!(!shown.contains("[yes] [no] [later]") && shown.contains("It is off."), "{shown}");

    let shown = clicks(open(), "save\non\nquit\n");
    assert!(shown.contains("Thank you.") && !shown.contains("[yes]"), "{shown}");
    assert_eq!(collector.logs().len(), 2, "what was done while it was off is not sent");
}
