//! `telemetry-gateway serve` as a whole program: programs send, it keeps, people look.

#![cfg(unix)]

use automagik_telemetry_core::consent::{Answer, Signals, decide};
use automagik_telemetry_core::crashes::{Build, Crash, CrashReport, Exception, Stack};
use automagik_telemetry_core::otlp::{Logs, Metrics, encode_crash};
use automagik_telemetry_core::record::Delta;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{CommandExecuted, Milliseconds, Pseudonym, Record, Secret};
use automagik_telemetry_derive::Schema;
use automagik_telemetry_gateway::tools::simulate::{Simulated, Task, manifest, schema};
use automagik_telemetry_test_support::{at_home, holds, omni, tls};
use flate2::Compression;
use flate2::write::GzEncoder;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};
use prost::Message;
use rcgen::KeyPair;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::panic::Location;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

extern crate automagik_telemetry_core as automagik_telemetry;

/// A server that ends with its test.
struct Server {
    child: Child,
    address: SocketAddr,
    /// Where it takes frames.
    udp: Option<String>,
}

fn serve(state: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry-gateway"));
    command.env_clear().args(["serve", "--listen", "127.0.0.1:0", "--state"]).arg(state).args(arguments);
    command
}

impl Server {
    fn start(state: &Path, arguments: &[&str]) -> Self {
        let mut child = serve(state, arguments).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
        let mut udp = None;
        let mut find = |line: &String| match line.split_once(": udp ") {
            Some((_, address)) => {
                udp = Some(address.to_owned());
                false
            }
            None => line.contains(": open http"),
        };
        let line = lines.find(|line| find(line)).expect("it says where it listens");
        let address = line.rsplit("//").next().unwrap().parse().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address, udp }
    }

    fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Posts a body with these headers, and returns the status and the body; nothing where the server was gone.
    fn try_post(&self, path: &str, headers: &[&str], body: &[u8]) -> Option<(u16, Vec<u8>)> {
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncontent-length: {}\r\n{}\r\n",
            body.len(),
            headers.iter().map(|header| format!("{header}\r\n")).collect::<String>()
        );
        let mut connection = TcpStream::connect(self.address).ok()?;
        connection.write_all(head.as_bytes()).ok()?;
        connection.write_all(body).ok()?;
        read(&mut connection)
    }

    fn post(&self, path: &str, headers: &[&str], body: &[u8]) -> (u16, Vec<u8>) {
        self.try_post(path, headers, body).unwrap()
    }

    fn post_logs(&self, body: &[u8]) -> (u16, Vec<u8>) {
        self.post("/v1/logs", &["content-type: application/x-protobuf"], body)
    }

    fn get_with(&self, path: &str, headers: &[&str]) -> (u16, String) {
        let headers = headers.iter().map(|header| format!("{header}\r\n")).collect::<String>();
        let mut connection = TcpStream::connect(self.address).unwrap();
        write!(connection, "GET {path} HTTP/1.1\r\nconnection: close\r\n{headers}\r\n").unwrap();
        let (status, body) = read(&mut connection).unwrap();
        (status, String::from_utf8(body).unwrap())
    }

    fn get(&self, path: &str) -> String {
        let (status, body) = self.get_with(path, &["host: localhost"]);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn rows(&self, view: &str, project: &str) -> Vec<serde_json::Map<String, serde_json::Value>> {
        serde_json::from_str(&self.get(&format!("/view/{view}.json?project={project}"))).unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read(connection: &mut TcpStream) -> Option<(u16, Vec<u8>)> {
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).ok()?;
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]);
    Some((head.split(' ').nth(1)?.parse().ok()?, answer[end + 4..].to_vec()))
}

fn resource(who: u8) -> Resource {
    let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    Resource::new(schema(), Pseudonym::new(&Secret::new([who; 32], yes), "simulated", 0))
}

fn minute() -> u32 {
    u32::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() / 60).unwrap()
}

/// What installation `who` sends of so many events.
fn logs(who: u8, count: usize) -> Vec<u8> {
    let event = Simulated::Ran(CommandExecuted {
        command: Task::Measure,
        success: true,
        duration: Milliseconds::new(1_500),
    });
    let records = vec![Record::new(&event, Coarse::from_steps(minute())).unwrap(); count];
    let mut buffer = vec![0; 1 << 20];
    Logs::encode(&resource(who), &records, &mut buffer).unwrap().to_vec()
}

#[test]
fn an_event_of_a_real_program_is_on_the_page_when_it_has_arrived() {
    let (state, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(state.path(), &[]);
    let (_, front) = server.get_with("/", &[&format!("host: {}", server.address)]);
    assert!(front.contains(&format!("AUTOMAGIK_TELEMETRY_ENDPOINT={}<", server.endpoint())), "{front}");
    let mut live = TcpStream::connect(server.address).unwrap();
    write!(live, "GET /live?project=omni HTTP/1.1\r\nhost: localhost\r\n\r\n").unwrap();
    let mut lines = BufReader::new(live).lines().map(Result::unwrap);
    assert_eq!(lines.next().unwrap(), "HTTP/1.1 200 OK");
    let mut program = at_home(home.path(), omni());
    program.env("AUTOMAGIK_TELEMETRY_ENABLED", "true").env("AUTOMAGIK_TELEMETRY_ENDPOINT", server.endpoint());
    assert!(program.args(["instance", "list"]).output().unwrap().status.success());
    let event = lines.find_map(|line| line.strip_prefix("data: ").map(str::to_owned)).unwrap();
    let event: serde_json::Value = serde_json::from_str(&event).unwrap();
    assert_eq!(event["event"], "automagik.cli.command");
    assert_eq!(event["attributes"]["command"], "omni instance list");
    assert!(server.get("/").contains("/project?project=omni"));
    let page = server.get("/project?project=omni");
    for shown in ["omni instance list", "automagik.cli.command", "linux", "What could be said"] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(server.rows("words", "omni")[0]["value"], "omni instance list");
    let csv = server.get("/view/versions.csv?project=omni");
    assert!(csv.starts_with("version,events,most installations in a day\n"), "{csv}");
}

#[test]
fn either_form_is_taken_packed_or_not_and_of_metrics_each_class_is_counted() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(state.path(), &[]);
    let protobuf = logs(1, 3);
    let json = serde_json::to_vec(&ExportLogsServiceRequest::decode(protobuf.as_slice()).unwrap()).unwrap();
    for (form, body) in [("x-protobuf", &protobuf), ("json", &json)] {
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        packed.write_all(body).unwrap();
        let form = format!("content-type: application/{form}");
        assert_eq!(server.post("/v1/logs", &[&form], body).0, 200);
        assert_eq!(
            server.post("/v1/logs", &[&form, "content-encoding: gzip"], &packed.finish().unwrap()).0,
            200
        );
    }
    let end = Coarse::from_steps(minute());
    let delta = |metric, cell, count| Record::from_delta(&Delta { metric, cell, count, start: end, end });
    let mut buffer = vec![0; 1 << 16];
    // A counter's second word, and two classes of a histogram.
    let records = [delta(0, 1, 7), delta(1, 3, 20), delta(1, 9, 5)];
    let metrics = Metrics::encode(&resource(1), &records, &mut buffer).unwrap();
    assert_eq!(server.post("/v1/metrics", &["content-type: application/x-protobuf"], metrics).0, 200);
    let events = server.rows("events", "simulated");
    assert_eq!((&events[0]["count"], events.len()), (&12.into(), 1), "{events:?}");
    assert_eq!(server.rows("counters", "simulated")[0]["count"], 7);
    let values = server.rows("values", "simulated");
    let counts: Vec<_> = values.iter().map(|row| (&row["count"], &row["half are at least"])).collect();
    assert_eq!(counts.iter().map(|(count, _)| count.as_u64().unwrap()).sum::<u64>(), 12 + 25, "{values:?}");
}

#[test]
fn what_is_not_kept_is_told_and_counted() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(state.path(), &[]);
    let mut request = ExportLogsServiceRequest::decode(logs(1, 3).as_slice()).unwrap();
    let records = &mut request.resource_logs[0].scope_logs[0].log_records;
    records[0].event_name.clear();
    records[1].body = Some(AnyValue { value: Some(Value::StringValue("a text".to_owned())) });
    let (status, body) = server.post_logs(&request.encode_to_vec());
    let told = ExportLogsServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!((status, told.rejected_log_records), (200, 2));
    assert_eq!(told.error_message, "only events are kept: log records with an event_name");
    assert_eq!(server.rows("events", "simulated")[0]["count"], 1);
    assert_eq!(server.rows("notes", "simulated")[0]["count"], 2);
    assert_eq!(server.post_logs(b"\xFF\xFF").0, 400);
    assert_eq!(server.post_logs(&vec![0; (1 << 20) + 1]).0, 413);
    assert_eq!(server.post("/v1/logs", &["content-type: text/plain"], b"").0, 415);
}

#[test]
fn with_manifests_no_text_gets_in() {
    let (state, manifests) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(manifests.path().join("simulated.cbor"), manifest()).unwrap();
    let server = Server::start(state.path(), &["--manifests", manifests.path().to_str().unwrap()]);
    let honest = logs(1, 2);
    assert_eq!(server.post_logs(&honest).0, 200);
    let mut request = ExportLogsServiceRequest::decode(honest.as_slice()).unwrap();
    let value = AnyValue { value: Some(Value::StringValue("MARKED ada@example.org".to_owned())) };
    let attribute = KeyValue { key: "MARKED key".to_owned(), value: Some(value), ..KeyValue::default() };
    request.resource_logs[0].scope_logs[0].log_records[1].attributes.push(attribute.clone());
    let (_, body) = server.post_logs(&request.encode_to_vec());
    let told = ExportLogsServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
    assert_eq!(told.rejected_log_records, 1);
    request.resource_logs[0].resource.as_mut().unwrap().attributes.push(attribute);
    server.post_logs(&request.encode_to_vec());
    assert_eq!(server.rows("events", "simulated")[0]["count"], 3);
    assert!(!holds(state.path(), b"MARKED"));
    // Said by nobody, and listed.
    assert!(server.get("/project?project=simulated").contains("calibrate"), "the inventory is shown");
}

/// A program that tells its crashes.
#[derive(Schema)]
#[schema(organization = "automagik", project = "falls", version = "1.0.0")]
enum Falls {
    Crash(Crash),
}

/// The request of a crash of it.
fn crash(addresses: &[u32], build: Build) -> ExportLogsServiceRequest {
    let yes = decide(&Signals { variable: Answer::Yes, ..Signals::default() }).consent().unwrap();
    let schema = Checked::<Falls>::DESCRIPTOR;
    let resource = Resource::new(schema, Pseudonym::new(&Secret::new([7; 32], yes), "falls", 0));
    let mut stack = Stack::new();
    addresses.iter().for_each(|address| stack.push(*address));
    stack.push_elsewhere();
    let seconds = u64::from(minute()) * 60;
    let place = Some(Location::caller());
    let report = CrashReport::new(schema, Exception::Assertion, place, stack, build, seconds);
    let mut buffer = [0; 4_096];
    ExportLogsServiceRequest::decode(encode_crash(&resource, &report, &mut buffer).unwrap()).unwrap()
}

#[test]
fn with_manifests_a_crash_gets_in_and_no_text_in_its_place() {
    let (state, manifests) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let schema = Checked::<Falls>::DESCRIPTOR;
    let mut bytes = vec![0; automagik_telemetry_core::manifest::len(schema)];
    automagik_telemetry_core::manifest::encode(schema, &mut bytes[..]).unwrap();
    std::fs::write(manifests.path().join("falls.cbor"), bytes).unwrap();
    let server = Server::start(state.path(), &["--manifests", manifests.path().to_str().unwrap()]);
    let honest = crash(&[0x1a2b4, 0x1b000, 0x1b000, 0x1b000], Build::gnu(&[0xAB; 20]).unwrap());
    assert_eq!(server.post_logs(&honest.encode_to_vec()), (200, Vec::new()), "nothing of it is refused");
    let attributes = honest.resource_logs[0].scope_logs[0].log_records[0].attributes.len();
    // A text in the place of each value, and one more.
    for at in 0..=attributes {
        let mut request = honest.clone();
        let attributes = &mut request.resource_logs[0].scope_logs[0].log_records[0].attributes;
        let marked = Some(AnyValue { value: Some(Value::StringValue("MARKED".to_owned())) });
        match attributes.get_mut(at) {
            Some(attribute) => attribute.value = marked,
            None => {
                attributes.push(KeyValue { key: "MARKED".to_owned(), value: marked, ..KeyValue::default() })
            }
        }
        let (_, body) = server.post_logs(&request.encode_to_vec());
        let told = ExportLogsServiceResponse::decode(body.as_slice()).unwrap().partial_success.unwrap();
        assert_eq!(told.rejected_log_records, 1, "{at}");
    }
    assert!(!holds(state.path(), b"MARKED"));
    let crashes = server.rows("crashes", "falls");
    assert_eq!((crashes.len(), &crashes[0]["count"]), (1, &1.into()), "{crashes:?}");
    assert!(crashes[0]["stack"].as_str().unwrap().contains("0x1b000 3 times"), "{crashes:?}");
}

#[cfg(unix)]
#[test]
fn a_manifest_that_comes_later_is_read_at_sighup_and_a_wrong_one_changes_nothing() {
    let (state, manifests) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::start(state.path(), &["--manifests", manifests.path().to_str().unwrap()]);
    let refused = || {
        let (_, body) = server.post_logs(&logs(1, 1));
        let told = ExportLogsServiceResponse::decode(body.as_slice()).unwrap().partial_success;
        told.is_some_and(|told| told.rejected_log_records == 1)
    };
    let reload = || {
        let child = rustix::process::Pid::from_child(&server.child);
        rustix::process::kill_process(child, rustix::process::Signal::HUP).unwrap();
    };
    assert!(refused());
    std::fs::write(manifests.path().join("simulated.cbor"), manifest()).unwrap();
    reload();
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while refused() {
        assert!(std::time::Instant::now() < deadline, "it is not read");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(server.get("/project?project=simulated").contains("calibrate"), "the inventory is shown");
    std::fs::write(manifests.path().join("wrong.cbor"), b"MARKED").unwrap();
    reload();
    std::thread::sleep(Duration::from_millis(300));
    assert!(!refused(), "what was known stays");
}

/// Where this file is loaded.
#[cfg(target_os = "linux")]
fn base() -> usize {
    let exe = std::env::current_exe().unwrap();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let first = maps.lines().find(|line| line.ends_with(exe.to_str().unwrap())).unwrap();
    usize::from_str_radix(first.split('-').next().unwrap(), 16).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn crashes_of_two_builds_with_the_same_functions_are_shown_as_one_with_functions() {
    let (state, builds) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    // This file, and one that is the same but for the linker's id, which stands behind the head of a note.
    let mut program = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let head = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";
    let at = program.windows(head.len()).position(|bytes| bytes == head).unwrap() + head.len();
    let ids = [0, 1].map(|change| {
        program[at] ^= change;
        std::fs::write(builds.path().join(format!("build-{change}")), &program).unwrap();
        Build::gnu(&program[at..at + 20]).unwrap()
    });
    let server = Server::start(state.path(), &["--builds", builds.path().to_str().unwrap()]);
    // A return address in a function that is here.
    let address = u32::try_from(minute as *const () as usize - base() + 1).unwrap();
    for id in ids {
        server.post_logs(&crash(&[address], id).encode_to_vec());
    }
    // A file that the server doesn't have.
    server.post_logs(&crash(&[address], Build::gnu(&[0xAB; 20]).unwrap()).encode_to_vec());
    let crashes = server.rows("crashes", "falls");
    assert_eq!(crashes.len(), 2, "{crashes:?}");
    assert_eq!((&crashes[0]["count"], &crashes[1]["count"]), (&2.into(), &1.into()), "{crashes:?}");
    assert!(crashes[0]["stack"].as_str().unwrap().contains("serve::minute"), "{crashes:?}");
    assert!(crashes[1]["stack"].as_str().unwrap().contains(&format!("{address:#x}")), "{crashes:?}");
}

#[test]
fn what_devices_say_in_frames_is_on_the_page_too_whoever_else_may_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["keys", "manifests"] {
        std::fs::create_dir(path(name)).unwrap();
    }
    std::fs::write(path("keys/fleet.key"), "00112233445566778899aabbccddeeff\n").unwrap();
    std::fs::write(path("manifests/simulated.cbor"), manifest()).unwrap();
    std::fs::write(path("token"), "0123456789abcdef\n").unwrap();
    let (keys, manifests, token) = (path("keys"), path("manifests"), path("token"));
    let arguments =
        ["--udp", "127.0.0.1:0", "--keys", &keys, "--manifests", &manifests, "--write-token", &token];
    let server = Server::start(&folder.path().join("state"), &arguments);
    let mut simulate = Command::new(env!("CARGO_BIN_EXE_telemetry-gateway"));
    simulate.args([
        "simulate",
        "--devices",
        "3",
        "--events",
        "20",
        "--keys",
        &keys,
        "--to",
        server.udp.as_ref().unwrap(),
    ]);
    assert!(simulate.output().unwrap().status.success());
    let begun = std::time::Instant::now();
    loop {
        let events = server.rows("events", "simulated");
        let count: u64 = events.iter().map(|row| row["count"].as_u64().unwrap()).sum();
        if count == 60 {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "{events:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(server.rows("days", "simulated")[0]["installations"], 3);
}

#[test]
fn nothing_of_a_connection_is_kept() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(state.path(), &[]);
    let headers = [
        "content-type: application/x-protobuf",
        "user-agent: MARKED/1.0",
        "x-forwarded-for: 203.0.113.77",
        "cookie: MARKED=1",
    ];
    assert_eq!(server.post("/v1/logs", &headers, &logs(1, 1)).0, 200);
    server.get("/project?project=simulated");
    for mark in ["MARKED", "203.0.113.77", "127.0.0.1"] {
        assert!(!holds(state.path(), mark.as_bytes()), "{mark}");
    }
    // Nobody else on the machine may look.
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(state.path().join("details")).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn only_whoever_has_the_secret_writes_or_reads() {
    let folder = tempfile::tempdir().unwrap();
    let secret = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (token, password) = (secret("token", "0123456789abcdef\n"), secret("password", "fedcba9876543210\n"));
    let state = folder.path().join("state");
    let server = Server::start(&state, &["--write-token", &token, "--read-password", &password]);
    let form = "content-type: application/x-protobuf";
    for wrong in [
        "accept: */*",
        "authorization: Bearer 0123456789abcdeX",
        "authorization: Basic MDEyMzQ1Njc4OWFiY2RlZg==",
    ] {
        assert_eq!(server.post("/v1/logs", &[form, wrong], &logs(1, 1)).0, 401, "{wrong}");
    }
    assert_eq!(
        server.post("/v1/logs", &[form, "authorization: Bearer 0123456789abcdef"], &logs(1, 1)).0,
        200
    );
    // `reader:fedcba9876543210`, and one with another password.
    let (right, wrong) =
        ("authorization: Basic cmVhZGVyOmZlZGNiYTk4NzY1NDMyMTA=", "authorization: Basic cmVhZGVyOm5v");
    for path in
        ["/", "/project?project=simulated", "/view/words.csv?project=simulated", "/live?project=simulated"]
    {
        assert_eq!(server.get_with(path, &["host: anywhere.example"]).0, 401, "{path}");
        assert_eq!(server.get_with(path, &["host: anywhere.example", wrong]).0, 401, "{path}");
    }
    assert_eq!(server.get_with("/", &["host: anywhere.example", right]).0, 200);
    assert!(!holds(&state, b"0123456789abcdef"));
}

#[test]
fn with_tls_a_real_program_sends_and_without_it_nobody_is_heard() {
    let folder = tempfile::tempdir().unwrap();
    let authority = tls::authority();
    let key = KeyPair::generate().unwrap();
    let certificate = tls::named("localhost").signed_by(&key, &authority).unwrap();
    let write = |name: &str, text: String| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (chain, key) = (write("chain.pem", certificate.pem()), write("key.pem", key.serialize_pem()));
    let server =
        Server::start(&folder.path().join("state"), &["--tls-certificates", &chain, "--tls-key", &key]);
    assert_eq!(server.try_post("/v1/logs", &["content-type: application/json"], b"{}"), None);
    let trusted = write("authority.pem", authority.pem());
    let mut program = at_home(folder.path(), omni());
    program.env("AUTOMAGIK_TELEMETRY_ENABLED", "true").env("AUTOMAGIK_TELEMETRY_CERTIFICATE", trusted);
    program.env("AUTOMAGIK_TELEMETRY_ENDPOINT", format!("https://localhost:{}", server.address.port()));
    let output = program.args(["telemetry", "test"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn what_is_wrong_with_a_question_is_said() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(state.path(), &[]);
    for (path, status, said) in [
        ("/view/words.csv", 400, "?project=omni"),
        ("/project", 400, "?project=omni"),
        ("/view/words.csv?project=omni&from=yesterday", 400, "2026-11-27"),
        ("/view/words.csv?project=omni&to=2026-11-31", 400, "2026-11-27"),
        ("/view/words.xml?project=omni", 404, "as .csv and .json"),
        ("/view/secrets.csv?project=omni", 404, "there are days, months"),
        ("/view/words.csv?project=omni&from=&to=", 200, "event,attribute,value,count"),
    ] {
        let (answered, body) = server.get_with(path, &["host: localhost"]);
        assert_eq!((answered, body.contains(said)), (status, true), "{path}: {body}");
    }
}

#[test]
fn a_page_whose_name_leads_here_reads_nothing() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(state.path(), &[]);
    for (host, status) in [
        ("host: localhost:4318", 200),
        ("host: 127.0.0.1", 200),
        ("host: [::1]:4318", 200),
        ("host: evil.example:4318", 403),
        ("host: localhost.evil.example", 403),
        ("host: 192.0.2.1", 403),
    ] {
        assert_eq!(server.get_with("/", &[host]).0, status, "{host}");
    }
}

#[test]
fn what_is_wrong_with_a_setting_is_said_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let short = folder.path().join("short");
    std::fs::write(&short, "secret").unwrap();
    let missing = folder.path().join("missing");
    let (short, missing) = (short.to_str().unwrap(), missing.to_str().unwrap());
    for (arguments, said) in [
        (&["--listen", "0.0.0.0:0"][..], "set --read-password"),
        (&["--write-token", missing], "can't be read"),
        (&["--read-password", short], "16 characters or more"),
        (&["--manifests", missing], "make the folder, or name another one"),
        (&["--tls-key", short], "--tls-certificates"),
        (&["--udp", "127.0.0.1:0"], "--keys"),
        (&["--tls-key", short, "--tls-certificates", short], "is no such file of PEM"),
        (&["--details-days", "0"], "0 is not in 1..=3650"),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_telemetry-gateway"));
        command.arg("serve").arg("--state").arg(folder.path().join("state")).args(arguments);
        let output = command.output().unwrap();
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && error.contains(said), "{arguments:?}: {error}");
    }
}

#[test]
fn a_server_that_is_full_or_busy_says_so_and_a_program_comes_again() {
    let state = tempfile::tempdir().unwrap();
    let server = Server::start(state.path(), &["--disk-max", "0"]);
    let (status, body) = server.post("/v1/logs", &["content-type: application/json"], &json_logs());
    assert_eq!(status, 503);
    assert!(String::from_utf8(body).unwrap().contains("--disk-max"));
    drop(server);
    let server = Server::start(state.path(), &["--rate-max", "1"]);
    let statuses: Vec<u16> = (0..20).map(|_| server.post_logs(&logs(1, 1)).0).collect();
    assert!(statuses.contains(&200) && statuses.contains(&429), "{statuses:?}");
}

fn json_logs() -> Vec<u8> {
    serde_json::to_vec(&ExportLogsServiceRequest::decode(logs(1, 1).as_slice()).unwrap()).unwrap()
}

/// So many times the server is killed while eight installations send; whatever was answered with 200 is there afterwards.
fn killed(rounds: u32) {
    let state = tempfile::tempdir().unwrap();
    let mut answered = 0;
    for round in 0..rounds {
        let mut server = Server::start(state.path(), &[]);
        std::thread::scope(|scope| {
            let senders: Vec<_> = (0..8)
                .map(|who| {
                    let server = &server;
                    scope.spawn(move || {
                        let mut answered = 0;
                        while let Some((status, _)) = server.try_post(
                            "/v1/logs",
                            &["content-type: application/x-protobuf"],
                            &logs(who, 5),
                        ) {
                            answered += if status == 200 { 5 } else { 0 };
                        }
                        answered
                    })
                })
                .collect();
            // Not the same moment of its work each time.
            std::thread::sleep(Duration::from_millis(20 + u64::from(round * 7 % 60)));
            rustix::process::kill_process(
                rustix::process::Pid::from_child(&server.child),
                rustix::process::Signal::KILL,
            )
            .unwrap();
            answered += senders.into_iter().map(|sender| sender.join().unwrap()).sum::<u64>();
        });
        server.child.wait().unwrap();
    }
    let server = Server::start(state.path(), &[]);
    let kept = server.rows("events", "simulated").first().map_or(0, |row| row["count"].as_u64().unwrap());
    println!("{rounds} rounds: {answered} answered, {kept} kept");
    assert!(answered > 0 && kept >= answered, "{answered} answered, {kept} kept");
    // What was not answered may be kept all the same: one request of each sender.
    assert!(kept <= answered + u64::from(rounds) * 8 * 5);
}

#[test]
fn a_server_that_is_killed_again_and_again_keeps_all_that_it_answered_for() {
    killed(8);
}

#[test]
#[ignore = "minutes: .ci/run runs it"]
fn two_hundred_times_killed() {
    killed(200);
}
