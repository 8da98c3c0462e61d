//! A real collector: `rotel`, which nobody here wrote. Skipped, and said so, where `rotel-agent` is neither on the path
//! nor named by `ROTEL_AGENT`; `.ci/run` installs it.

use automagik_telemetry::{
    Counter, Environment, FeatureUsed, Histogram, Label, Metrics, Milliseconds, Schema, Telemetry,
};
use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

#[derive(Label, Clone, Copy)]
enum Feature {
    ListContacts,
}

#[derive(Metrics)]
struct OmniMetrics {
    #[metric(name = "automagik.feature.count", by = "feature_name")]
    features: Counter<Feature>,
    #[metric(name = "omni.wait")]
    wait: Histogram<(), Milliseconds>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "omni", metrics = OmniMetrics)]
enum Omni {
    Feature(FeatureUsed<Feature>),
}

const PATIENCE: Duration = Duration::from_secs(30);

struct Rotel {
    process: Child,
    lines: Receiver<String>,
    port: u16,
}

impl Drop for Rotel {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A running collector, or `None` where there is no binary.
fn rotel() -> Option<Rotel> {
    let binary = std::env::var("ROTEL_AGENT").unwrap_or_else(|_| "rotel-agent".to_owned());
    let (port, grpc) = (free_port(), free_port());
    let mut process = Command::new(&binary)
        .args([
            "start",
            "--exporter",
            "blackhole",
            "--debug-log",
            "logs",
            "--debug-log",
            "metrics",
            "--debug-log-verbosity",
            "detailed",
        ])
        .args(["--otlp-http-endpoint", &format!("127.0.0.1:{port}")])
        .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()?;
    let (sender, lines) = channel();
    let outputs: [Box<dyn std::io::Read + Send>; 2] =
        [Box::new(process.stdout.take()?), Box::new(process.stderr.take()?)];
    for output in outputs {
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
    }
    let rotel = Rotel { process, lines, port };
    let deadline = Instant::now() + PATIENCE;
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < deadline, "rotel does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    Some(rotel)
}

#[test]
fn rotel_takes_the_policys_example_and_shows_it() {
    let Some(rotel) = rotel() else {
        // Not `eprintln!`, which a passing test hides.
        let _ = writeln!(
            std::io::stderr(),
            "SKIPPED: there is no rotel-agent; `pip install rotel` and set ROTEL_AGENT to its binary"
        );
        return;
    };
    let home = tempfile::tempdir().unwrap();
    let environment = Environment::at(home.path())
        .with("AUTOMAGIK_TELEMETRY_ENABLED", "true")
        .with("AUTOMAGIK_TELEMETRY_ENDPOINT", format!("http://127.0.0.1:{}", rotel.port));
    let telemetry = Telemetry::<Omni>::builder().environment(environment).build().unwrap();
    telemetry.record(FeatureUsed { feature: Feature::ListContacts });
    (0..7).for_each(|_| OmniMetrics::global().features.add(Feature::ListContacts));
    OmniMetrics::global().wait.record((), Milliseconds::new(12));
    telemetry.flush(PATIENCE).unwrap();

    let mut shown = String::new();
    let deadline = Instant::now() + PATIENCE;
    while !(shown.contains("feature_name") && shown.contains("omni.wait")) {
        let rest = deadline.saturating_duration_since(Instant::now());
        let Ok(line) = rotel.lines.recv_timeout(rest) else { panic!("rotel showed only:\n{shown}") };
        shown.push_str(&line);
        shown.push('\n');
    }
    while let Ok(line) = rotel.lines.recv_timeout(Duration::from_millis(300)) {
        shown.push_str(&line);
        shown.push('\n');
    }
    println!("{shown}");
    for expected in [
        "automagik.feature.used",
        "service.name: Str(omni)",
        "feature_name: Str(list_contacts)",
        "os.type: Str(",
        "app.installation.id: Str(",
    ] {
        assert!(shown.contains(expected), "`{expected}` is missing in:\n{shown}");
    }
    for personal in ["host.name", "host.id", "process.", "user.", "device.id", "service.instance.id"] {
        assert!(!shown.contains(personal), "`{personal}` stands in:\n{shown}");
    }
}
