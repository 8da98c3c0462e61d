//! A real firmware, a Cortex-M3 in QEMU, over UDP to the program `telemetry-gateway`, and from there to a collector.

#![cfg(unix)]

#[path = "programs/operator.rs"]
mod operator;

use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::{Count, Counter, FeatureUsed, manifest};
use automagik_telemetry_derive::{Event, Label, Metrics, Schema};
use automagik_telemetry_test_support::{Log, Receiver, firmware};
use operator::{KEY, Operator, account, eventually};
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

extern crate automagik_telemetry_core as automagik_telemetry;

/// That of `tests/firmware/src/main.rs`.
#[expect(dead_code, reason = "the device says them")]
#[derive(Label, Clone, Copy)]
enum Feature {
    Pump,
    Lamp,
}

#[derive(Event, Clone, Copy)]
#[event(name = "firmware.interrupted")]
struct Interrupted {
    number: Count<4095>,
}

#[derive(Metrics)]
struct Counted {
    #[metric(name = "firmware.turns", by = "feature")]
    turns: Counter<Feature>,
}

#[derive(Schema)]
#[schema(organization = "automagik", project = "firmware", version = "0.0.0", resolution = "second", metrics = Counted)]
enum Firmware {
    Feature(FeatureUsed<Feature>),
    Interrupted(Interrupted),
}

fn image() -> Option<PathBuf> {
    Some(firmware::images()?.join("automagik-telemetry-firmware"))
}

/// An operator who knows the firmware.
fn operator(collector: &Receiver) -> Operator {
    let operator = Operator::new(collector);
    let schema = Checked::<Firmware>::DESCRIPTOR;
    let mut bytes = vec![0; manifest::len(schema)];
    manifest::encode(schema, bytes.as_mut_slice()).unwrap();
    operator.write("manifests/firmware.cbor", &bytes);
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
