//! Real firmwares in QEMU, a Cortex-M3 over UDP, a Cortex-M0 and a RISC-V core over their UARTs, to the program `telemetry-gateway`, and from there to a collector.

#![cfg(unix)]

#[path = "programs/operator.rs"]
mod operator;
#[path = "../../tests/firmware/src/schema.rs"]
#[expect(dead_code, reason = "the device says them")]
mod schema;

use automagik_telemetry_core::crashes::{DeviceCrash, DeviceRestarted};
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::{Count, Counter, FeatureUsed, manifest};
use automagik_telemetry_derive::{Event, Label, Metrics, Schema};
use automagik_telemetry_test_support::{Log, Receiver, Rotel, firmware};
use operator::{KEY, Operator, PATIENCE, account, eventually};
use schema::{Feature, Firmware};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

extern crate automagik_telemetry_core as automagik_telemetry;

/// That of `tests/microbit/src/program.rs`.
#[derive(Metrics)]
struct OfSerial {
    #[metric(name = "serial.turns", by = "feature")]
    turns: Counter<Feature>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "serial", version = "0.0.0", resolution = "second", metrics = OfSerial)]
enum Serial {
    Feature(FeatureUsed<Feature>),
}

fn image() -> Option<PathBuf> {
    Some(firmware::images()?.join("automagik-telemetry-firmware"))
}

/// An operator who knows the firmwares.
fn operator(collector: &Receiver) -> Operator {
    operator_of(collector.endpoint())
}

fn operator_of(collector: String) -> Operator {
    let operator = Operator::with_collector(collector);
    for (name, schema) in
        [("firmware", Checked::<Firmware>::DESCRIPTOR), ("serial", Checked::<Serial>::DESCRIPTOR)]
    {
        let mut bytes = vec![0; manifest::len(schema)];
        manifest::encode(schema, bytes.as_mut_slice()).unwrap();
        operator.write(&format!("manifests/{name}.cbor"), &bytes);
    }
    operator
}

/// A line to `gateway` that drops and repeats so many of a hundred datagrams each way; its port on this machine.
fn line(gateway: SocketAddr, drops: u64, repeats: u64) -> u16 {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut device = None;
    std::thread::spawn(move || {
        let mut buffer = [0; 2_048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let to = if from == gateway { device } else { Some(gateway) };
            if from != gateway {
                device = Some(from);
            }
            let (Some(to), true) = (to, random % 100 >= drops) else { continue };
            for _ in 0..1 + u32::from(random >> 32 & 0x7F < repeats * 128 / 100) {
                socket.send_to(&buffer[..len], to).unwrap();
            }
        }
    });
    port
}

fn features(logs: &[Log]) -> usize {
    logs.iter().filter(|log| log.event == "automagik.feature.used").count()
}

#[test]
fn what_a_device_records_arrives_once_over_a_line_that_drops_and_repeats() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    let operator = operator(&collector);
    let gateway = operator.start(&[]);
    let port = line(gateway.udp, 20, 10);
    let words =
        format!("gateway={port} key={KEY} random=3 consent=yes records=100 interrupts=40 seconds=100");
    let report = firmware::run(&image, &words);
    assert!(report.contains("empty=true interrupts=40"), "{report}");
    eventually("all is delivered", || account(&collector.logs()).0 == 140);
    let logs = collector.logs();
    assert_eq!((features(&logs), account(&logs)), (100, (140, 0)));
    assert_eq!(logs[0].resource["service.name"], "firmware");
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    assert!(
        now.saturating_sub(Duration::from_nanos(logs[0].time)) < Duration::from_secs(200),
        "placed in time"
    );
    // Counts come as metrics.
    eventually("counts are delivered", || {
        collector.requests().iter().any(|request| request.path == "/v1/metrics")
    });
}

#[test]
fn a_device_with_another_key_is_refused_and_one_that_is_reset_begins_anew() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    let operator = operator(&collector);
    let gateway = operator.start(&[]);
    let other = "ffeeddccbbaa99887766554433221100";
    let words = |key: &str, random: u32| {
        format!("gateway={} key={key} random={random} consent=yes records=30 seconds=12", gateway.udp.port())
    };
    let report = firmware::run(&image, &words(other, 1));
    assert!(report.contains("empty=false"), "it keeps what nobody acknowledged: {report}");
    assert!(gateway.refused("bad_tag") > 0 && gateway.metric("telemetry_gateway_records_total") == 0);
    for random in [2, 3] {
        let report = firmware::run(&image, &words(KEY, random));
        assert!(report.contains("empty=true"), "{report}");
    }
    eventually("both are delivered", || account(&collector.logs()) == (60, 0));
    // One installation, two boots.
    let logs = collector.logs();
    let ids: std::collections::BTreeSet<&str> =
        logs.iter().map(|log| log.resource["app.installation.id"].as_str()).collect();
    assert_eq!((ids.len(), gateway.metric("telemetry_gateway_boots")), (1, 2));
}

#[test]
fn a_gateway_that_is_away_for_a_while_gets_everything_once() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    let operator = operator(&collector);
    let gateway = operator.start(&[]);
    let (at, port) = (gateway.udp.to_string(), gateway.udp.port());
    drop(gateway);
    let words = format!("gateway={port} key={KEY} random=5 consent=yes records=60 seconds=100");
    let device = std::thread::spawn(move || firmware::run(&image, &words));
    std::thread::sleep(Duration::from_secs(6));
    let _gateway = operator.start_at(&at, &[]);
    assert!(device.join().unwrap().contains("empty=true"));
    eventually("all is delivered", || account(&collector.logs()) == (60, 0));
}

#[test]
fn a_device_that_no_gateway_hears_keeps_its_frames_in_flash_and_sends_them_after_a_reset() {
    let Some(image) = image() else { return };
    let collector = Receiver::start();
    let operator = operator(&collector);
    let gateway = operator.start(&[]);
    let (at, port) = (gateway.udp.to_string(), gateway.udp.port());
    drop(gateway);
    let flash = operator.path("flash");
    std::fs::write(&flash, vec![0xFF; 14 * 1024]).unwrap();
    let flash = flash.display();
    let words = |more: &str| format!("gateway={port} key={KEY} flash={flash} {more} seconds=60");
    let report = firmware::run(&image, &words("consent=yes random=7 records=60"));
    assert!(report.contains("empty=true"), "what nobody hears leaves the queue for the flash: {report}");
    let _gateway = operator.start_at(&at, &[]);
    let report = firmware::run(&image, &words("random=8 records=5 quiet=8"));
    assert!(report.contains("empty=true"), "{report}");
    eventually("all is delivered", || account(&collector.logs()).0 >= 65);
    assert_eq!(account(&collector.logs()), (65, 0), "of two boots, each once");
}

/// Bytes of flash that the image takes, and of RAM but for the stack.
fn size(image: &Path) -> (u32, u32) {
    let elf = std::fs::read(image).unwrap();
    let word = |at: usize| u32::from_le_bytes(elf[at..at + 4].try_into().unwrap());
    let half = |at: usize| usize::from(u16::from_le_bytes(elf[at..at + 2].try_into().unwrap()));
    let (start, size, count) = (word(0x20) as usize, half(0x2E), half(0x30));
    let (mut flash, mut ram) = (0, 0);
    for at in (0..count).map(|section| start + section * size) {
        let (kind, flags, address, len) = (word(at + 4), word(at + 8), word(at + 12), word(at + 20));
        // It is there when the program runs; nothing of it lies in flash where it is only zeros.
        if flags & 2 != 0 {
            flash += if kind == 8 { 0 } else { len };
            ram += if address >= 0x2000_0000 { len } else { 0 };
        }
    }
    (flash, ram)
}

/// What is started with a port as its serial line ends when all is acknowledged, and all is delivered once.
fn speaks_over_its_serial_line(start: impl FnOnce(u16) -> Child) {
    let collector = Receiver::start();
    let operator = operator(&collector);
    let gateway = operator.start(&[]);
    let mut device = start(gateway.tcp.port());
    eventually("it ends", || device.try_wait().unwrap().is_some());
    assert!(device.wait().unwrap().success());
    eventually("all is delivered", || account(&collector.logs()) == (60, 0));
    assert_eq!(collector.logs()[0].resource["service.name"], "serial");
}

#[test]
fn a_cortex_m0_speaks_over_its_serial_line_in_24_kib_of_flash_and_4_of_ram() {
    let Some(image) = firmware::microbit() else { return };
    let (flash, ram) = size(image);
    assert!(flash <= 24 << 10 && ram <= 4 << 10, "{flash} {ram}");
    speaks_over_its_serial_line(|port| firmware::start_microbit(image, port));
}

#[test]
fn a_risc_v_core_speaks_over_its_serial_line() {
    let Some(image) = firmware::riscv() else { return };
    speaks_over_its_serial_line(|port| firmware::start_riscv(image, port));
}

#[test]
fn a_collector_that_nobody_here_wrote_shows_what_a_cortex_m0_said() {
    let (Some(image), Some(rotel)) = (firmware::microbit(), Rotel::start()) else { return };
    let operator = operator_of(rotel.endpoint());
    let gateway = operator.start(&[]);
    let mut device = firmware::start_microbit(image, gateway.tcp.port());
    let shown =
        rotel.shows(PATIENCE, &["feature_name: Str(pump)", "feature_name: Str(lamp)", "serial.turns"]);
    for expected in ["automagik.feature.used", "service.name: Str(serial)", "app.installation.id: Str("] {
        assert!(shown.contains(expected), "`{expected}` is missing in:\n{shown}");
    }
    assert!(!shown.contains("service.instance.id"), "{shown}");
    let _ = device.kill();
    let _ = device.wait();
}
