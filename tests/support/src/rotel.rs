//! A real collector: `rotel`, which nobody here wrote. It is `rotel-agent` on the path, or what `ROTEL_AGENT` names; `.ci/run` installs it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A running collector. It ends when it is dropped.
pub struct Rotel {
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

impl Rotel {
    /// A running collector, or `None` where there is no binary, which is said.
    ///
    /// # Panics
    ///
    /// Where it does not listen within half a minute.
    #[must_use]
    pub fn start() -> Option<Self> {
        Self::exporting(&["--exporter", "blackhole"])
    }

    /// One that hands what it takes on to the collector at `endpoint`, by OTLP over HTTP.
    ///
    /// # Panics
    ///
    /// Where it does not listen within half a minute.
    #[must_use]
    pub fn forwarding(endpoint: &str) -> Option<Self> {
        Self::exporting(&[
            "--exporter",
            "otlp",
            "--otlp-exporter-protocol",
            "http",
            "--otlp-exporter-endpoint",
            endpoint,
        ])
    }

    /// One that writes what it takes into the tables of `database` at `endpoint` whose names begin with `prefix`, by ClickHouse's HTTP interface; attributes as JSON
    /// where `is_json`.
    ///
    /// # Panics
    ///
    /// Where it does not listen within half a minute.
    #[must_use]
    pub fn writing(endpoint: &str, database: &str, prefix: &str, is_json: bool) -> Option<Self> {
        let mut arguments = vec!["--exporter", "clickhouse", "--clickhouse-exporter-compression", "none"];
        arguments.extend([
            "--clickhouse-exporter-endpoint",
            endpoint,
            "--clickhouse-exporter-database",
            database,
        ]);
        arguments.extend(["--clickhouse-exporter-table-prefix", prefix, "--batch-timeout", "100ms"]);
        arguments.extend(is_json.then_some("--clickhouse-exporter-enable-json"));
        Self::exporting(&arguments)
    }

    fn exporting(arguments: &[&str]) -> Option<Self> {
        let binary = std::env::var("ROTEL_AGENT").unwrap_or_else(|_| "rotel-agent".to_owned());
        let (port, grpc) = (free_port(), free_port());
        let spawned = Command::new(&binary)
            .args([
                "start",
                "--debug-log",
                "logs",
                "--debug-log",
                "metrics",
                "--debug-log-verbosity",
                "detailed",
            ])
            .args(arguments)
            .args(["--otlp-http-endpoint", &format!("127.0.0.1:{port}")])
            .args(["--otlp-grpc-endpoint", &format!("127.0.0.1:{grpc}")])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let Ok(mut process) = spawned else {
            // Not `eprintln!`, which a passing test hides.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: there is no rotel-agent; `pip install rotel` and set ROTEL_AGENT to its binary"
            );
            return None;
        };
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
        let rotel = Self { process, lines, port };
        let deadline = Instant::now() + PATIENCE;
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(Instant::now() < deadline, "rotel does not listen");
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(rotel)
    }

    /// Where it takes OTLP over HTTP.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What it shows of what it has taken, once all of `parts` are among that, and a moment later.
    ///
    /// # Panics
    ///
    /// Where that is not within `patience`.
    #[must_use]
    pub fn shows(&self, patience: Duration, parts: &[&str]) -> String {
        let mut shown = String::new();
        let deadline = Instant::now() + patience;
        while !parts.iter().all(|part| shown.contains(part)) {
            let rest = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = self.lines.recv_timeout(rest) else { panic!("rotel showed only:\n{shown}") };
            shown.push_str(&line);
            shown.push('\n');
        }
        while let Ok(line) = self.lines.recv_timeout(Duration::from_millis(300)) {
            shown.push_str(&line);
            shown.push('\n');
        }
        shown
    }
}
