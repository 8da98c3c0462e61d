//! How much a gateway takes: simulated devices over UDP, a collector that only counts, both in this process.
//!
//! usage: cargo run --release -p automagik-telemetry-gateway --example load -- DEVICES EVENTS PER_FRAME FRAMES_PER_SECOND

use automagik_telemetry_gateway::known::keys::parse;
use automagik_telemetry_gateway::run::Gateway;
use automagik_telemetry_gateway::run::settings::Settings;
use automagik_telemetry_gateway::tools::simulate::{self, Plan};
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

const KEY: &str = "00112233445566778899aabbccddeeff";

/// Microseconds of processor that this thread's process has used, threads by name.
fn processor() -> Vec<(String, u64)> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let of = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).ok()?;
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(") ")?;
        let columns: Vec<&str> = rest.split(' ').collect();
        let ticks: u64 = columns[11].parse::<u64>().ok()? + columns[12].parse::<u64>().ok()?;
        Some((name.to_owned(), ticks * 10))
    };
    tasks.filter_map(of).collect()
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned()
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).map(|number| number.parse().unwrap()).collect();
    let [devices, events, per_frame, rate] = numbers[..] else { panic!("see the first lines") };
    let received = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&received);
    let sink = Router::new()
        .route(
            "/v1/logs",
            post(async move |body: Bytes| {
                let _ = count.fetch_add(body.len() as u64, Ordering::Relaxed);
            }),
        )
        .layer(axum::extract::DefaultBodyLimit::disable());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let collector = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, sink).await });

    let folder = tempfile::tempdir().unwrap();
    for name in ["keys", "manifests"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("keys/fleet.key"), KEY).unwrap();
    std::fs::write(folder.path().join("manifests/simulated.cbor"), simulate::manifest()).unwrap();
    let settings = Settings {
        state: Some(folder.path().join("state")),
        keys: Some(folder.path().join("keys")),
        manifests: Some(folder.path().join("manifests")),
        collector: Some(collector),
        udp: vec!["127.0.0.1:0".parse().unwrap()],
        health: Some("127.0.0.1:0".parse().unwrap()),
        ..Settings::default()
    };
    let gateway = Gateway::start(settings.ready().unwrap().0).await.unwrap();
    let to = gateway.udp()[0];
    let plan = Plan {
        devices,
        events,
        per_frame,
        one_way: true,
        frames_per_second: (rate > 0).then_some(rate),
        patience: Duration::from_secs(120),
        ..Plan::default()
    };
    let started = Instant::now();
    let thread = std::thread::Builder::new().name("devices".to_owned());
    let report =
        thread.spawn(move || simulate::run(&plan, &parse(KEY).unwrap(), to, |_| ()).unwrap()).unwrap();
    while !report.is_finished() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let report = report.join().unwrap();
    // Until all that arrived is delivered.
    let mut before = u64::MAX;
    while before != received.load(Ordering::Relaxed) || gateway.waiting() > 0 {
        before = received.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let seconds = started.elapsed().as_secs_f64() - 0.3;
    let counts = gateway.counts();
    let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!(
        "sent {} events in {} datagrams in {:.1} s; all delivered after {seconds:.1} s",
        report.events,
        report.datagrams,
        report.milliseconds as f64 / 1e3
    );
    println!(
        "taken {} events in {} frames, delivered {} ({:.0} events a second, {:.0} frames); dropped by the kernel {}; {} MB of OTLP",
        of(&counts.records),
        of(&counts.frames),
        of(&counts.delivered),
        of(&counts.delivered) as f64 / seconds,
        of(&counts.frames) as f64 / seconds,
        automagik_telemetry_gateway::links::udp::dropped_by_kernel(to),
        received.load(Ordering::Relaxed) >> 20,
    );
    println!("{}; processor in ms: {:?}", memory(), processor());
    gateway.stop();
}
