//! A day without a collector, on a clock of the test: what waits is on disk, survives restarts, and arrives once, each event at its time.

use automagik_telemetry_core::frames::{Boot, Hello, Key, MTU_MAX, Session};
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{CommandExecuted, Milliseconds, Pseudonym, Record};
use automagik_telemetry_gateway::counts::Counts;
use automagik_telemetry_gateway::forward::request::Devices;
use automagik_telemetry_gateway::intake::held::Held;
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::taker::{Answer, Taker};
use automagik_telemetry_gateway::kept::Kept;
use automagik_telemetry_gateway::known::keys::Keys;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate::{self, Simulated, Task};
use std::sync::Arc;

const BEGAN: u64 = 1_800_000_017;
const DEVICES: u64 = 20;
const MINUTES: u64 = 24 * 60;

fn known() -> (Keys, Manifests) {
    let (mut keys, mut manifests) = (Keys::default(), Manifests::default());
    keys.add(Key::new([7; 16]));
    manifests.add(Vocabulary::read(&simulate::manifest()).unwrap()).unwrap();
    (keys, manifests)
}

#[test]
fn a_day_without_a_collector_and_three_restarts_lose_nothing_and_move_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let counts = Arc::new(Counts::default());
    let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
    let mut devices: Vec<(Session, Vec<u8>)> = (0..DEVICES)
        .map(|number| {
            let boot = Boot::random((number + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
            (Session::new(Key::new([7; 16]), boot, None), Vec::new())
        })
        .collect();
    let mut buffer = [0; MTU_MAX];
    for (session, said) in &mut devices {
        let sealed = session.hello(&hello, &mut buffer).unwrap();
        said.extend_from_slice(&buffer[..sealed.len]);
    }
    let mut minute = 0;
    for day_quarter in 1..=4 {
        let kept = Kept::open(folder.path()).unwrap();
        let (keys, manifests) = known();
        let mut taker = Taker::new(keys, manifests, Arc::clone(&counts));
        while minute < MINUTES * day_quarter / 4 {
            // Each device says once a minute what it did in it, within half a minute.
            for (number, (session, said)) in devices.iter_mut().enumerate() {
                let now = Now(BEGAN + minute * 60 + 31 + number as u64 % 29);
                let room = u64::MAX;
                if minute % 60 == 0 {
                    taker.take(said, &kept, room, now);
                }
                let event = CommandExecuted {
                    command: Task::Measure,
                    success: true,
                    duration: Milliseconds::new(number as u32),
                };
                let record = Record::new(&Simulated::Ran(event), Coarse::from_steps(minute as u32)).unwrap();
                let records = [record; 2];
                let sealed = session
                    .data(&hello, &records.as_slice(), &mut Cursor::default(), &mut buffer)
                    .unwrap()
                    .unwrap();
                let answer = taker.take(&buffer[..sealed.len], &kept, room, now);
                assert!(matches!(answer, Answer::Taken(_)), "{answer:?}");
            }
            minute += 1;
            if minute % 30 == 0 {
                kept.commit(&taker.batch()).unwrap();
            }
        }
    }
    let kept = Kept::open(folder.path()).unwrap();
    assert!(kept.waiting() < 8 << 20, "{} bytes", kept.waiting());
    let manifests = known().1;
    let mut times: Vec<u32> = Vec::new();
    for (_, bytes) in kept.entries(None, usize::MAX).unwrap() {
        let mut rest = bytes.as_slice();
        let frames = std::iter::from_fn(|| Held::take(&mut rest));
        let found = Devices::of(frames, &manifests, true);
        assert_eq!((found.moved, found.unknown), (0, 0));
        times.extend(
            found.devices.iter().flat_map(|device| &device.records).map(|record| record.time().steps()),
        );
    }
    times.sort_unstable();
    // Each minute has two events of each device, in its step or the next.
    assert_eq!(times.len() as u64, 2 * DEVICES * MINUTES);
    for (at, time) in times.iter().enumerate() {
        let exact = (BEGAN / 60) as u32 + at as u32 / (2 * DEVICES as u32);
        assert!(time.abs_diff(exact) <= 1, "{at}: {time} {exact}");
    }
}
