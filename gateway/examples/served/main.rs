//! How much `serve` takes and how fast it answers: events and points of many virtual days, through the store as the server uses it.
//!
//! Where there is ClickHouse, the same questions are asked there too, of the same rows.
//!
//! usage: cargo run --release -p automagik-telemetry-gateway --example served -- FOLDER EVENTS POINTS DAYS

mod clickhouse;

use automagik_telemetry_gateway::serve::days::{self, DAY};
use automagik_telemetry_gateway::serve::said::{CLASS, Kind, Program, Said, Tuple};
use automagik_telemetry_gateway::serve::store::{Rules, Store};
use automagik_telemetry_gateway::serve::views::answer::{self, Given};
use automagik_telemetry_gateway::serve::views::question::{Filter, View};
use automagik_telemetry_gateway::serve::views::stacks::Stacks;
use clickhouse::ClickHouse;
use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

/// 2026-09-01.
const START: u64 = 20_697 * DAY;

/// Events of an installation in a request.
const REQUEST: u64 = 20;

/// Requests in a step on disk.
const STEP: u64 = 100;

/// Installations in all.
const INSTALLATIONS: u64 = 20_000;

/// xorshift64*: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % most
    }

    /// Small ones are frequent: the product of two.
    fn skewed(&mut self, most: u64) -> u64 {
        self.below(most) * self.below(most) / most
    }
}

fn event(numbers: &mut Numbers) -> Tuple {
    let (name, attributes) = match numbers.below(4) {
        0 => ("omni.feature.used", format!("{{\"feature\":\"feature-{}\"}}", numbers.skewed(60))),
        1 => (
            "omni.api.request",
            format!(
                "{{\"duration_ms\":{},\"endpoint\":\"/v1/route-{}\",\"status_class\":\"{}xx\"}}",
                1_u64 << numbers.skewed(16),
                numbers.skewed(30),
                2 + numbers.skewed(4)
            ),
        ),
        2 => (
            "omni.cli.command",
            format!(
                "{{\"command\":\"command-{}\",\"duration_ms\":{},\"success\":{}}}",
                numbers.skewed(40),
                1_u64 << numbers.skewed(16),
                numbers.below(20) > 0
            ),
        ),
        _ => (
            "omni.error",
            format!(
                "{{\"category\":\"category-{}\",\"code\":\"E{}\"}}",
                numbers.below(6),
                numbers.skewed(80)
            ),
        ),
    };
    Tuple { kind: Kind::Event, name: name.to_owned(), attributes }
}

fn point(numbers: &mut Numbers) -> Tuple {
    let attributes = format!(
        "{{\"{CLASS}\":{},\"command\":\"command-{}\"}}",
        1_u64 << numbers.skewed(16),
        numbers.skewed(40)
    );
    Tuple { kind: Kind::Class, name: "omni.command.duration".to_owned(), attributes }
}

fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default().to_owned()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().expect("see the first lines");
    let numbers: Vec<u64> = arguments.map(|number| number.parse().unwrap()).collect();
    let [events, points, days] = numbers[..] else { panic!("see the first lines") };
    let folder = Path::new(&folder);
    let rules = Rules { details_days: days, sums_days: 365, k: 1 };
    let mut store = Store::open(folder, rules).unwrap();
    let mut beside = ClickHouse::begin(&folder.with_extension("beside"));
    let mut numbers = Numbers(7);
    let (mut written, mut closed) = (Duration::ZERO, Duration::ZERO);
    for day in 0..days {
        let begun = Instant::now();
        store.close_days(START / DAY + day).unwrap();
        closed += begun.elapsed();
        let (mut left, mut step) = (events / days, 0);
        let mut points_left = points / days;
        while left > 0 {
            let now = START + day * DAY + step * 7 % DAY;
            step += 1;
            let said: Vec<Said> = (0..STEP.min(left.div_ceil(REQUEST)))
                .map(|_| {
                    let who = numbers.below(INSTALLATIONS);
                    let program = Program {
                        project: "omni".to_owned(),
                        version: format!("1.{}.0", (day / 20 + who % 3).min(6)),
                        system: ["linux amd64", "linux arm64", "darwin arm64", "windows amd64"]
                            [(who % 4) as usize]
                            .to_owned(),
                    };
                    let mut counts: Vec<_> = (0..REQUEST.min(left))
                        .map(|_| (event(&mut numbers), now - numbers.below(120), 1))
                        .collect();
                    left -= counts.len() as u64;
                    for _ in 0..2.min(points_left) {
                        counts.push((point(&mut numbers), now, 1 + numbers.below(9)));
                        points_left -= 1;
                    }
                    let mut pseudonym = [0; 16];
                    pseudonym[..8].copy_from_slice(&(who.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_le_bytes());
                    Said { program, pseudonym, counts }
                })
                .collect();
            if let Some(beside) = &mut beside {
                beside.write(&said, now);
            }
            let begun = Instant::now();
            store.append(&said, now).unwrap();
            written += begun.elapsed();
        }
    }
    let end = START + days * DAY;
    let begun = Instant::now();
    store.close_days(end / DAY).unwrap();
    closed += begun.elapsed();
    let details: u64 =
        days::kept(folder).unwrap().iter().map(|day| days::size(&days::path(folder, *day))).sum();
    println!(
        "{} events a second taken in and kept; {} ms to close a day; {:.1} bytes an event before rollup, {:.1} MB of sums; {}",
        u128::from(events) * 1_000_000 / written.as_micros().max(1),
        closed.as_millis() / u128::from(days.max(1)),
        details as f64 / (events + points) as f64,
        (store.size() - details) as f64 / 1e6,
        memory()
    );
    let filter = Filter { project: "omni".to_owned(), from: START / DAY, to: end / DAY, ..Filter::default() };
    let stacks = Stacks::default();
    let given = Given { state: folder, now: end - 1, is_of_many: false, stacks: &stacks };
    let mut times = BTreeMap::new();
    for view in View::ALL {
        let mut of_view: Vec<u128> = (0..5)
            .map(|_| {
                let begun = Instant::now();
                let sums = answer::open(folder, 1).unwrap();
                answer::answer(view, &sums, &filter, given).unwrap();
                begun.elapsed().as_micros()
            })
            .collect();
        of_view.sort_unstable();
        times.insert(view.word(), format!("{:.1}", of_view[2] as f64 / 1e3));
    }
    println!("{}", memory());
    let peer = beside.map(ClickHouse::ask).unwrap_or_default();
    println!("{:>18} {:>10} {:>10}", "milliseconds", "serve", "ClickHouse");
    let names: std::collections::BTreeSet<&str> =
        times.keys().copied().chain(peer.keys().map(String::as_str)).collect();
    for name in names {
        let of = |time: Option<&String>| time.map_or("-", String::as_str).to_owned();
        println!("{name:>18} {:>10} {:>10}", of(times.get(name)), of(peer.get(name)));
    }
}
