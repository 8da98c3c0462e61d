//! Devices that are none: many, over a real socket that loses, repeats and reorders as much as is asked. For load, for tests, to show.

use super::carriers::{Carrier, Datagrams};
use automagik_telemetry_core::frames::{Boot, Clear, Hello, Key, MTU_MAX, Session};
use automagik_telemetry_core::manifest;
use automagik_telemetry_core::record::Cursor;
use automagik_telemetry_core::schema::{Checked, SchemaDescriptor};
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_core::{
    CommandExecuted, Counter, FeatureUsed, HealthStatus, Histogram, Label as _, Milliseconds, Pseudonym,
    Record, Secret, ServiceHealth, consent,
};
use automagik_telemetry_derive::{Label, Metrics, Schema};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// What a simulated device does.
#[derive(Label, Clone, Copy, Debug)]
pub enum Task {
    /// A word.
    Measure,
    /// A word.
    Report,
    /// A word.
    Calibrate,
    /// A word.
    Sleep,
}

/// What a simulated device counts.
#[derive(Metrics)]
pub struct SimulatedMetrics {
    /// How often.
    #[metric(name = "simulated.tasks", by = "task")]
    pub tasks: Counter<Task>,
    /// How long.
    #[metric(name = "simulated.task.duration", by = "task")]
    pub durations: Histogram<Task, Milliseconds>,
}

/// All that a simulated device can say.
#[derive(Schema, Clone, Copy, Debug)]
#[schema(organization = "automagik", project = "simulated", version = "1.0.0", metrics = SimulatedMetrics)]
pub enum Simulated {
    /// A feature was used.
    Feature(FeatureUsed<Task>),
    /// A task has run.
    Ran(CommandExecuted<Task>),
    /// How it goes.
    Health(ServiceHealth<Task>),
}

/// The schema of simulated devices.
#[must_use]
pub fn schema() -> &'static SchemaDescriptor {
    Checked::<Simulated>::DESCRIPTOR
}

/// Their manifest, which a gateway needs to take their frames.
#[must_use]
pub fn manifest() -> Vec<u8> {
    let mut bytes = vec![0; manifest::len(schema())];
    // It is as long as that.
    let _ = manifest::encode(schema(), bytes.as_mut_slice());
    bytes
}

/// How many devices, and how they are.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How many devices.
    pub devices: u32,
    /// How many events each has.
    pub events: u32,
    /// How many stand in a frame.
    pub per_frame: u32,
    /// Of a hundred frames and answers, how many are lost.
    pub loss: u8,
    /// Of a hundred frames, how many arrive twice.
    pub repeated: u8,
    /// Of a hundred frames, how many arrive after the one behind them.
    pub reordered: u8,
    /// Whether devices hear no answers: they say each frame once.
    pub one_way: bool,
    /// Most frames a second, all devices together.
    pub frames_per_second: Option<u32>,
    /// Longest that it takes: afterwards what was not acknowledged is given up.
    pub patience: Duration,
    /// The same numbers make the same devices.
    pub seed: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            devices: 10,
            events: 100,
            per_frame: 10,
            loss: 0,
            repeated: 0,
            reordered: 0,
            one_way: false,
            frames_per_second: None,
            patience: Duration::from_secs(60),
            seed: 1,
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Events that were said.
    pub events: u64,
    /// Frames of data that were made.
    pub frames: u64,
    /// Frames that were sent, repeated ones among them.
    pub datagrams: u64,
    /// Frames that were acknowledged.
    pub acknowledged: u64,
    /// Events in them.
    pub events_acknowledged: u64,
    /// Questions who a session is.
    pub asked: u64,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

/// How long a device waits before it repeats a frame.
const AGAIN: Duration = Duration::from_millis(300);

/// After how many frames a device that hears no answers says again who it is.
const HELLO_EVERY: u32 = 8;

struct Device {
    session: Session,
    hello: Vec<u8>,
    hello_is_known: bool,
    events_left: u32,
    /// The frame that is under way: its bytes, its sequence, how many events are in it, when it was sent last.
    under_way: Option<(Vec<u8>, u32, u32, Instant)>,
    frames: u32,
}

/// Numbers that are the same each time: xorshift64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn is(&mut self, percent: u8) -> bool {
        percent > 0 && self.next() % 100 < u64::from(percent)
    }
}

/// Runs `plan` against the gateway that takes datagrams at `to`; `progress` hears of the share that is done, in thousandths.
///
/// # Errors
///
/// Where there is no socket.
pub fn run(plan: &Plan, key: &Key, to: SocketAddr, progress: impl FnMut(u32)) -> io::Result<Report> {
    Ok(run_over(plan, key, &mut Datagrams::to(to)?, progress))
}

/// The same, over whatever carries frames.
pub fn run_over(plan: &Plan, key: &Key, carrier: &mut dyn Carrier, mut progress: impl FnMut(u32)) -> Report {
    let mut random = Random(plan.seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let mut devices: Vec<Device> =
        (0..plan.devices).map(|number| device(number, plan, key, &mut random)).collect();
    let mut by_session: HashMap<u16, Vec<usize>> = HashMap::new();
    for (at, device) in devices.iter().enumerate() {
        by_session.entry(device.session.boot().session()).or_default().push(at);
    }
    let (started, mut report, mut late) = (Instant::now(), Report::default(), None);
    let total = u64::from(plan.devices) * u64::from(plan.events);
    let mut round = 0_u64;
    loop {
        let mut is_done = true;
        for (at, device) in devices.iter_mut().enumerate() {
            let sent = step(device, plan, &mut random, &mut report);
            is_done &= device.events_left == 0 && device.under_way.is_none();
            for frame in sent {
                transmit(carrier, (at, frame), plan, &mut random, &mut late, &mut report);
                if let Some(most) = plan.frames_per_second {
                    let due = Duration::from_secs_f64(report.datagrams as f64 / f64::from(most));
                    if let Some(early) =
                        due.checked_sub(started.elapsed()).filter(|early| early.as_micros() > 500)
                    {
                        std::thread::sleep(early);
                    }
                }
            }
        }
        let heard = if plan.one_way {
            0
        } else {
            listen(carrier, plan, &mut devices, &by_session, &mut random, &mut report)
        };
        if is_done || started.elapsed() > plan.patience {
            break;
        }
        round += 1;
        if round.is_multiple_of(16) {
            let done = if plan.one_way { report.events } else { report.events_acknowledged };
            progress(u32::try_from(done * 1_000 / total.max(1)).unwrap_or(1_000));
        }
        if heard == 0 && !plan.one_way {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    if let Some((at, frame)) = late {
        carrier.send(at, &frame);
    }
    report.milliseconds = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    progress(1_000);
    report
}

fn device(number: u32, plan: &Plan, key: &Key, random: &mut Random) -> Device {
    let boot = Boot::random(random.next().to_le_bytes());
    let mut session = Session::new(key.clone(), boot, None);
    let mut buffer = [0; MTU_MAX];
    let hello = hello(number);
    let len = session.hello(&hello, &mut buffer).map_or(0, |sealed| sealed.len);
    Device {
        session,
        hello: buffer[..len].to_vec(),
        hello_is_known: false,
        events_left: plan.events,
        under_way: None,
        frames: 0,
    }
}

fn hello(number: u32) -> Hello {
    // Nobody is asked: there is nobody.
    let decision =
        consent::decide(&consent::Signals { variable: consent::Answer::Yes, ..consent::Signals::default() });
    let pseudonym = decision.consent().map_or(Pseudonym::NOBODY, |consent| {
        let mut secret = [0; 32];
        secret[..4].copy_from_slice(&number.to_le_bytes());
        Pseudonym::new(&Secret::new(secret, consent), "simulated", 0)
    });
    Hello::new(schema(), pseudonym, None)
}

/// What a device sends now.
fn step(device: &mut Device, plan: &Plan, random: &mut Random, report: &mut Report) -> Vec<Vec<u8>> {
    let now = Instant::now();
    let mut frames = Vec::new();
    if let Some((frame, _, _, at)) = &mut device.under_way {
        if plan.one_way {
            device.under_way = None;
        } else if at.elapsed() >= AGAIN {
            *at = now;
            if !device.hello_is_known {
                frames.push(device.hello.clone());
            }
            frames.push(frame.clone());
        }
        return frames;
    }
    if device.events_left == 0 {
        return frames;
    }
    if (plan.one_way && device.frames.is_multiple_of(HELLO_EVERY)) || device.frames == 0 {
        frames.push(device.hello.clone());
    }
    let count = plan.per_frame.min(device.events_left);
    let records: Vec<Record> = (0..count).filter_map(|_| record(random, device.frames)).collect();
    let mut buffer = [0; MTU_MAX];
    let hello = Hello::new(schema(), Pseudonym::NOBODY, None);
    let records = records.as_slice();
    let Ok(Some(sealed)) = device.session.data(&hello, &records, &mut Cursor::default(), &mut buffer) else {
        device.events_left = 0;
        return frames;
    };
    device.events_left -= sealed.records;
    device.frames += 1;
    report.events += u64::from(sealed.records);
    report.frames += 1;
    let frame = buffer[..sealed.len].to_vec();
    if !plan.one_way {
        device.under_way = Some((frame.clone(), sealed.sequence, sealed.records, now));
    }
    frames.push(frame);
    frames
}

fn record(random: &mut Random, frame: u32) -> Option<Record> {
    let number = random.next();
    let task =
        [Task::Measure, Task::Report, Task::Calibrate, Task::Sleep][number as usize % Task::WORDS.len()];
    let duration = Milliseconds::new((number >> 8) as u32 % 10_000);
    let event = match number >> 60 {
        0..=4 => Simulated::Feature(FeatureUsed { feature: task }),
        5..=12 => Simulated::Ran(CommandExecuted { command: task, success: number & 0x40 == 0, duration }),
        _ => Simulated::Health(ServiceHealth { service: task, status: HealthStatus::Healthy }),
    };
    Record::new(&event, Coarse::from_steps(frame / 8)).ok()
}

/// A frame, and the number of its device.
type Numbered = (usize, Vec<u8>);

fn transmit(
    carrier: &mut dyn Carrier,
    (device, frame): Numbered,
    plan: &Plan,
    random: &mut Random,
    late: &mut Option<Numbered>,
    report: &mut Report,
) {
    if random.is(plan.loss) {
        return;
    }
    let mut send = |device: usize, frame: &[u8]| {
        report.datagrams += 1;
        carrier.send(device, frame);
    };
    if late.is_none() && random.is(plan.reordered) {
        *late = Some((device, frame));
        return;
    }
    send(device, &frame);
    if random.is(plan.repeated) {
        send(device, &frame);
    }
    if let Some((device, frame)) = late.take() {
        send(device, &frame);
    }
}

fn listen(
    carrier: &mut dyn Carrier,
    plan: &Plan,
    devices: &mut [Device],
    by_session: &HashMap<u16, Vec<usize>>,
    random: &mut Random,
    report: &mut Report,
) -> u32 {
    let mut heard = 0;
    while let Some(frame) = carrier.receive() {
        heard += 1;
        if random.is(plan.loss) {
            continue;
        }
        let frame = frame.as_slice();
        let Ok(clear) = Clear::parse(frame) else { continue };
        for at in by_session.get(&clear.session()).into_iter().flatten() {
            let device = &mut devices[*at];
            if device.session.is_asked(frame) {
                report.asked += 1;
                device.hello_is_known = false;
            } else if device.session.is_acknowledged(0, frame) {
                device.hello_is_known = true;
            } else if let Some((_, sequence, events, _)) = &device.under_way
                && device.session.is_acknowledged(*sequence, frame)
            {
                report.acknowledged += 1;
                report.events_acknowledged += u64::from(*events);
                device.under_way = None;
            }
        }
    }
    heard
}
