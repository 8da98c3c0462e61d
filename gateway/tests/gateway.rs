//! The program `telemetry-gateway` over real sockets, between simulated devices and a collector that decodes with the official types.

#![cfg(unix)]

#[path = "programs/operator.rs"]
mod operator;

use automagik_telemetry_core::frames::{Boot, Hello, Key, MTU_MAX, Session};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Pseudonym, Record};
use automagik_telemetry_gateway::known::keys::hex;
use automagik_telemetry_gateway::links::stream::{Splitter, encoded};
use automagik_telemetry_gateway::tools::simulate::{self, Plan, Report};
use automagik_telemetry_test_support::{Answer, Log, Receiver};
use operator::{KEY, Operator, PATIENCE, account, eventually, port, program};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

fn key() -> Key {
    automagik_telemetry_gateway::known::keys::parse(KEY).unwrap()
}

fn simulate(plan: Plan, to: SocketAddr) -> Report {
    simulate::run(&Plan { patience: PATIENCE, ..plan }, &key(), to, |_| ()).unwrap()
}

/// A device that does what a test says.
struct Device {
    session: Session,
    hello: Hello,
    socket: UdpSocket,
}

impl Device {
    fn new(key: Key, boot: u64, to: SocketAddr) -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.connect(to).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
        Self { session: Session::new(key, Boot::random(boot.to_le_bytes()), None), hello, socket }
    }

    fn hello(&mut self) -> Vec<u8> {
        let mut buffer = [0; MTU_MAX];
        let sealed = self.session.hello(&self.hello, &mut buffer).unwrap();
        buffer[..sealed.len].to_vec()
    }

    fn data(&mut self, records: u32, steps: u32) -> (u32, Vec<u8>) {
        let records = vec![Record::dropped(Reason::Refused, 1, Coarse::from_steps(steps)); records as usize];
        let (records, mut buffer) = (records.as_slice(), [0; MTU_MAX]);
        let sealed =
            self.session.data(&self.hello, &records, &mut Cursor::default(), &mut buffer).unwrap().unwrap();
        (sealed.sequence, buffer[..sealed.len].to_vec())
    }

    fn send(&self, frame: &[u8]) {
        self.socket.send(frame).unwrap();
    }

    /// What comes back, or nothing within the time of a test.
    fn answer(&self) -> Option<Vec<u8>> {
        let mut buffer = [0; 64];
        let len = self.socket.recv(&mut buffer).ok()?;
        Some(buffer[..len].to_vec())
    }

    fn hears_nothing(&self) {
        self.socket.set_read_timeout(Some(Duration::from_millis(700))).unwrap();
        assert_eq!(self.answer(), None);
        self.socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    }
}

#[test]
fn every_event_of_a_line_that_loses_repeats_and_reorders_arrives_once() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let gateway = operator.start(&[]);
    let plan = Plan { devices: 20, events: 200, loss: 20, repeated: 10, reordered: 10, ..Plan::default() };
    let report = simulate(plan, gateway.udp);
    assert_eq!((report.events, report.events_acknowledged), (4_000, 4_000));
    eventually("all is delivered", || account(&collector.logs()).0 >= 4_000);
    let (delivered, told) = account(&collector.logs());
    // A device that hears no answer says its hello again; a frame may be counted as missing only while it is.
    assert_eq!((delivered, told), (4_000, 0));
    let devices: std::collections::BTreeSet<String> =
        collector.logs().iter().map(|log| log.resource["app.installation.id"].clone()).collect();
    assert_eq!(devices.len(), 20);
    let log = &collector.logs()[0];
    assert_eq!(
        (log.resource["service.name"].as_str(), log.resource["service.version"].as_str()),
        ("simulated", "1.0.0")
    );
    assert!(gateway.refused("replayed") > 0);
    assert_eq!(gateway.metric("telemetry_gateway_records_total"), 4_000);
}

#[test]
fn what_is_lost_on_a_way_without_answers_is_told_to_the_event() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    operator.write("gateway.toml", b"[store]\ngap_seconds = 2\n");
    let gateway = operator.start(&["--config", operator.path("gateway.toml").to_str().unwrap()]);
    let plan = Plan {
        devices: 50,
        events: 400,
        loss: 20,
        one_way: true,
        frames_per_second: Some(4_000),
        ..Plan::default()
    };
    let report = simulate(plan, gateway.udp);
    assert_eq!(report.events, 20_000);
    eventually("what is missing is given up", || {
        let (delivered, told) = account(&collector.logs());
        // Behind a device's last frame that arrived nobody knows of more: a frame of it in five.
        delivered > 10_000
            && told > 1_000
            && delivered + told > 19_000
            && gateway.metric("telemetry_gateway_store_bytes") == 0
    });
    let (delivered, told) = account(&collector.logs());
    assert!(delivered + told <= 20_000 + 50, "{delivered} {told}");
    assert_eq!(gateway.metric("telemetry_gateway_records_given_up_total"), told);
}

#[test]
fn a_gateway_that_is_killed_again_and_again_loses_nothing_that_it_acknowledged_and_delivers_nothing_twice() {
    // It answers late, so that kills hit requests too; a kill between its answer and the removal repeats a request.
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    operator.write("gateway.toml", b"record_uid = true\n");
    let path = operator.path("gateway.toml");
    let settings = ["--config", path.to_str().unwrap()];
    let at = port();
    let mut gateway = operator.start_at(&at, &settings);
    let to = gateway.udp;
    let device = std::thread::spawn(move || {
        simulate(
            Plan { devices: 30, events: 600, loss: 5, frames_per_second: Some(400), ..Plan::default() },
            to,
        )
    });
    for _ in 0..6 {
        std::thread::sleep(Duration::from_millis(500));
        drop(gateway);
        gateway = operator.start_at(&at, &settings);
    }
    let report = device.join().unwrap();
    assert_eq!((report.events, report.events_acknowledged), (18_000, 18_000));
    eventually("all is delivered", || gateway.metric("telemetry_gateway_store_bytes") == 0);
    let (delivered, told) = account(&collector.logs());
    assert_eq!(told, 0);
    // Each kill may repeat one request, and no more than that.
    let largest = collector
        .requests()
        .iter()
        .map(|request| automagik_telemetry_test_support::logs(&request.body).len())
        .max();
    assert!((18_000..=18_000 + 6 * largest.unwrap() as u64).contains(&delivered), "{delivered}");
    // And whoever wants one of each has it by name.
    let names: std::collections::BTreeSet<String> =
        collector.logs().iter().map(|log| log.attribute("log.record.uid").to_owned()).collect();
    assert_eq!((names.len(), names.iter().all(|name| name.len() == 32)), (18_000, true));
}

#[test]
fn frames_that_are_replayed_change_nothing_before_a_restart_and_after_it() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let at = port();
    let gateway = operator.start_at(&at, &[]);
    let mut device = Device::new(key(), 7, gateway.udp);
    let hello = device.hello();
    let frames: Vec<(u32, Vec<u8>)> = (0..5).map(|_| device.data(3, 1)).collect();
    let send_all = |device: &Device| {
        device.send(&hello);
        assert!(device.session.is_acknowledged(0, &device.answer().unwrap()));
        for (sequence, frame) in &frames {
            device.send(frame);
            assert!(
                device.session.is_acknowledged(*sequence, &device.answer().unwrap()),
                "it is acknowledged again"
            );
        }
    };
    send_all(&device);
    send_all(&device);
    assert_eq!((gateway.refused("replayed"), gateway.metric("telemetry_gateway_records_total")), (6, 15));
    gateway.stop();
    let gateway = operator.start_at(&at, &[]);
    send_all(&device);
    assert_eq!((gateway.refused("replayed"), gateway.metric("telemetry_gateway_records_total")), (6, 0));
    eventually("all is delivered", || gateway.metric("telemetry_gateway_store_bytes") == 0);
    assert_eq!(account(&collector.logs()), (0, 15));
}

#[test]
fn what_is_not_known_is_refused_counted_and_taken_once_it_is_known() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    std::fs::remove_file(operator.path("manifests/simulated.cbor")).unwrap();
    let gateway = operator.start(&[]);
    let mut device = Device::new(key(), 7, gateway.udp);
    let (hello, (sequence, data)) = (device.hello(), device.data(3, 1));
    device.send(&hello);
    device.hears_nothing();
    device.send(&data);
    assert!(device.session.is_asked(&device.answer().unwrap()));
    let mut other = Device::new(Key::new([9; 16]), 8, gateway.udp);
    other.send(&[1; 9]);
    let stranger = other.hello();
    other.send(&stranger);
    other.hears_nothing();
    assert_eq!(
        ["unknown_schema", "unknown_session", "bad_tag", "malformed"].map(|reason| gateway.refused(reason)),
        [1; 4]
    );

    operator.write("manifests/simulated.cbor", &simulate::manifest());
    gateway.signal(rustix::process::Signal::HUP);
    // The device repeats itself, as devices do.
    eventually("it is known", || {
        device.send(&hello);
        device.socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        device.answer().is_some_and(|answer| device.session.is_acknowledged(0, &answer))
    });
    device.send(&data);
    assert!(device.session.is_acknowledged(sequence, &device.answer().unwrap()));
    eventually("it is delivered", || account(&collector.logs()) == (0, 3));

    // A file that is wrong changes nothing, and is named.
    operator.write("manifests/other.cbor", b"none");
    gateway.signal(rustix::process::Signal::HUP);
    std::thread::sleep(Duration::from_millis(300));
    let (sequence, data) = device.data(1, 1);
    device.send(&data);
    assert!(device.session.is_acknowledged(sequence, &device.answer().unwrap()));
    let said = gateway.stop().join("\n");
    assert!(said.contains("other.cbor") && said.contains("what was known stays"), "{said}");
    assert!(!said.contains("127.0.0.1") && !said.contains(KEY), "{said}");
}

#[test]
fn an_acknowledgement_of_the_collector_waits_for_it() {
    let answer = std::sync::Arc::new(AtomicU16::new(503));
    let status = std::sync::Arc::clone(&answer);
    let collector = Receiver::answering(move |_| Answer::status(status.load(Ordering::SeqCst)));
    let operator = Operator::new(&collector);
    let gateway = operator.start(&["--acknowledge", "collector"]);
    let mut device = Device::new(key(), 7, gateway.udp);
    let (hello, (sequence, data)) = (device.hello(), device.data(3, 1));
    device.send(&hello);
    assert!(device.session.is_acknowledged(0, &device.answer().unwrap()));
    device.send(&data);
    device.send(&data);
    device.hears_nothing();
    answer.store(200, Ordering::SeqCst);
    let answers = [device.answer().unwrap(), device.answer().unwrap()];
    assert!(answers.iter().all(|answer| device.session.is_acknowledged(sequence, answer)));
}

#[test]
fn events_that_a_collector_refuses_are_told_to_it_once() {
    let collector = Receiver::answering(|request| Answer::status(if request == 0 { 400 } else { 200 }));
    let operator = Operator::new(&collector);
    let gateway = operator.start(&[]);
    let report = simulate(Plan { devices: 1, events: 30, per_frame: 30, ..Plan::default() }, gateway.udp);
    assert_eq!(report.events_acknowledged, 30);
    eventually("the loss is told", || account(&collector.logs()) == (0, 30));
    assert_eq!(gateway.metric("telemetry_gateway_records_refused_by_collector_total"), 30);
}

#[test]
fn frames_come_by_streams_and_are_answered_there() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let gateway = operator.start(&[]);
    let mut device = Device::new(key(), 7, gateway.udp);
    let mut connection = TcpStream::connect(gateway.tcp).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let (hello, (sequence, data)) = (device.hello(), device.data(3, 1));
    // Noise on the line in front of them.
    connection.write_all(b"\x07noise\0").unwrap();
    for frame in [&hello, &data] {
        for byte in encoded(frame) {
            connection.write_all(&[byte]).unwrap();
        }
    }
    let (mut splitter, mut answers) = (Splitter::default(), Vec::new());
    while answers.len() < 2 {
        let mut buffer = [0; 64];
        let len = connection.read(&mut buffer).unwrap();
        splitter.push(&buffer[..len], |frame| answers.push(frame.to_vec()));
    }
    assert!(
        device.session.is_acknowledged(0, &answers[0])
            && device.session.is_acknowledged(sequence, &answers[1])
    );
    eventually("it is delivered", || account(&collector.logs()) == (0, 3));
}

#[test]
fn a_full_store_takes_no_more_and_everything_else_arrives_when_the_collector_is_back() {
    let answer = std::sync::Arc::new(AtomicU16::new(503));
    let status = std::sync::Arc::clone(&answer);
    let collector = Receiver::answering(move |_| {
        Answer::status(status.load(Ordering::SeqCst)).header("retry-after", "1")
    });
    let operator = Operator::new(&collector);
    operator.write("gateway.toml", b"[store]\nbytes = 20000\n");
    let gateway = operator.start(&["--config", operator.path("gateway.toml").to_str().unwrap()]);
    let to = gateway.udp;
    let device =
        std::thread::spawn(move || simulate(Plan { devices: 10, events: 500, ..Plan::default() }, to));
    eventually("it is full", || gateway.refused("store_full") > 0);
    assert!(gateway.metric("telemetry_gateway_store_bytes") <= 20_000);
    answer.store(200, Ordering::SeqCst);
    assert_eq!(device.join().unwrap().events_acknowledged, 5_000);
    eventually("all is delivered", || gateway.metric("telemetry_gateway_store_bytes") == 0);
    let taken = collector.requests().into_iter().filter(|request| request.answered == 200);
    let logs: Vec<Log> =
        taken.flat_map(|request| automagik_telemetry_test_support::logs(&request.body)).collect();
    assert_eq!(account(&logs), (5_000, 0));
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn folder(operator: &Operator, name: &str) -> String {
    operator.path(name).to_str().unwrap().to_owned()
}

#[test]
fn settings_are_checked_and_errors_name_the_thing_and_the_remedy() {
    let operator = Operator::with_collector("http://127.0.0.1:4318".to_owned());
    let check = |arguments: &[&str]| program().args(["run", "--check"]).args(arguments).output().unwrap();
    let (keys, manifests, state) =
        (folder(&operator, "keys"), folder(&operator, "manifests"), folder(&operator, "state"));
    let all = [
        "--keys",
        &keys,
        "--manifests",
        &manifests,
        "--state",
        &state,
        "--udp",
        "127.0.0.1:0",
        "--collector",
        "http://localhost:4318",
    ];
    let output = check(&all);
    assert!(
        output.status.success() && said(&output).contains("1 keys, 1 manifests: all is well"),
        "{}",
        said(&output)
    );
    assert!(!Path::new(&state).exists(), "it only looks");
    operator.write("keys/other.key", b"\nnot a key\n");
    let output = check(&all);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("other.key, line 2: is no key: write 32 hexadecimal digits"),
        "{}",
        said(&output)
    );
    let output = check(&["--collector", "localhost:4318", "--state", &state]);
    assert!(said(&output).contains("collector has another scheme than http or https"), "{}", said(&output));
}

#[test]
fn keys_are_made_and_listed_and_none_is_shown() {
    let operator = Operator::with_collector(String::new());
    let made = program().args(["key", "make"]).output().unwrap();
    let made = String::from_utf8(made.stdout).unwrap();
    assert_eq!(made.trim().len(), 32);
    operator.write("keys/pump.key", format!("{} # pump 7", made.trim()).as_bytes());
    let listed = said(&program().args(["key", "list", &folder(&operator, "keys")]).output().unwrap());
    assert!(
        listed.contains("pump 7") && listed.contains("fleet") && !listed.contains(made.trim()),
        "{listed}"
    );
}

#[test]
fn a_captured_frame_is_decoded_for_people() {
    let operator = Operator::with_collector(String::new());
    let mut device = Device::new(key(), 7, (Ipv4Addr::LOCALHOST, 9).into());
    let (hello, (_, data)) = (device.hello(), device.data(1, 5));
    let (keys, manifests) = (folder(&operator, "keys"), folder(&operator, "manifests"));
    let decode = |frames: &[String]| {
        program().args(["decode", "--keys", &keys, "--manifests", &manifests]).args(frames).output().unwrap()
    };
    let output = decode(&[hex(&hello), hex(&data)]);
    let text = said(&output);
    assert!(output.status.success() && text.contains("\"project\":\"simulated\""), "{text}");
    assert!(text.contains("\"reason\":\"refused\"") && text.contains("\"time\":5"), "{text}");
    let output = decode(&[hex(&data)]);
    assert!(
        !output.status.success() && said(&output).contains("it needs the hello of its boot"),
        "{}",
        said(&output)
    );
}

#[test]
fn a_review_sees_what_a_new_version_could_say_more() {
    let operator = Operator::with_collector(String::new());
    let same = folder(&operator, "manifests/simulated.cbor");
    assert!(program().args(["manifest", "compare", &same, &same]).status().unwrap().success());
    let text = said(&program().args(["manifest", "print", &same]).output().unwrap());
    assert!(
        text.contains("simulated 1.0.0 of automagik")
            && text.contains("measure | report | calibrate | sleep"),
        "{text}"
    );
    let output =
        program().args(["manifest", "print", &folder(&operator, "keys/fleet.key")]).output().unwrap();
    assert!(!output.status.success() && said(&output).contains("fleet.key: "), "{}", said(&output));
}
