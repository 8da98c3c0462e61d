//! An operator of the program `telemetry-gateway`, for tests of the whole program.

#![allow(dead_code, reason = "each file of tests uses its part")]

use automagik_telemetry_gateway::tools::simulate;
use automagik_telemetry_test_support::{Log, Receiver};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
pub(crate) const KEY: &str = "00112233445566778899aabbccddeeff";

pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry-gateway"));
    command.env_clear();
    command
}

/// What an operator has prepared: a folder of keys, one of manifests, one for the state.
pub(crate) struct Operator {
    folder: TempDir,
    collector: String,
}

impl Operator {
    pub(crate) fn new(collector: &Receiver) -> Self {
        Self::with_collector(collector.endpoint())
    }

    pub(crate) fn with_collector(collector: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["keys", "manifests"] {
            std::fs::create_dir(folder.path().join(name)).unwrap();
        }
        let operator = Self { folder, collector };
        operator.write("keys/fleet.key", format!("{KEY} # fleet\n").as_bytes());
        operator.write("manifests/simulated.cbor", &simulate::manifest());
        operator
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        std::fs::write(self.path(name), bytes).unwrap();
    }

    /// Starts the program with the lines of `settings` in its file.
    pub(crate) fn start_with(&self, settings: &str) -> Gateway {
        self.write("gateway.toml", settings.as_bytes());
        let path = self.path("gateway.toml");
        self.start(&["--config", path.to_str().unwrap()])
    }

    fn has_http(&self) -> bool {
        std::fs::read_to_string(self.path("gateway.toml")).is_ok_and(|settings| settings.contains("http = "))
    }

    /// Starts the program, its links at ports that are free.
    pub(crate) fn start(&self, arguments: &[&str]) -> Gateway {
        self.start_at("127.0.0.1:0", arguments)
    }

    pub(crate) fn start_at(&self, udp: &str, arguments: &[&str]) -> Gateway {
        let mut command = program();
        command.arg("run").arg("--collector").arg(&self.collector);
        for name in ["state", "keys", "manifests"] {
            command.arg(format!("--{name}")).arg(self.path(name));
        }
        command.args(["--udp", udp, "--tcp", "127.0.0.1:0", "--health", "127.0.0.1:0"]).args(arguments);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut address = |what: &str| -> SocketAddr {
            let line =
                lines.by_ref().map(Result::unwrap).find(|line| line.contains(&format!(": {what} "))).unwrap();
            line.rsplit(' ').next().unwrap().parse().unwrap()
        };
        let (udp, tcp) = (address("udp"), address("tcp"));
        let takes_http = arguments.contains(&"--http") || self.has_http();
        let http = takes_http.then(|| address("http"));
        let health = address("health");
        // What it says is kept, and never blocks it.
        let said = std::thread::spawn(move || lines.map_while(Result::ok).collect());
        Gateway { child, udp, tcp, http, health, said: Some(said) }
    }
}

pub(crate) struct Gateway {
    child: Child,
    pub(crate) udp: SocketAddr,
    pub(crate) tcp: SocketAddr,
    http: Option<SocketAddr>,
    health: SocketAddr,
    said: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Gateway {
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), signal).unwrap();
    }

    /// Where it takes requests of programs.
    pub(crate) fn http(&self) -> SocketAddr {
        self.http.unwrap()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut connection = TcpStream::connect(self.health).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer
    }

    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.get("/metrics");
        let line = text
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")))
            .unwrap_or_else(|| panic!("{name}: {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    pub(crate) fn refused(&self, reason: &str) -> u64 {
        self.metric(&format!("telemetry_gateway_frames_refused_total{{reason=\"{reason}\"}}"))
    }

    /// Asks it to end, and returns what it said.
    pub(crate) fn stop(mut self) -> Vec<String> {
        self.signal(rustix::process::Signal::TERM);
        assert!(self.child.wait().unwrap().success());
        self.said.take().unwrap().join().unwrap()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Events that arrived, and how many are told as lost.
pub(crate) fn account(logs: &[Log]) -> (u64, u64) {
    let lost = logs.iter().filter(|log| log.event == "automagik.telemetry.dropped");
    let told = lost.clone().map(|log| log.attribute("count").parse::<u64>().unwrap()).sum();
    (logs.len() as u64 - lost.count() as u64, told)
}

/// A port of this machine that nobody has, for a program that is started at it again.
pub(crate) fn port() -> String {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().to_string()
}
