//! What a hello costs where each device has a key of its own: the gateway asks each key whether the hint is its own.
//!
//! `cargo run --release -p automagik-telemetry-gateway --example keys -- 10000`

use automagik_telemetry_core::frames::{Boot, Hello, KEY_LEN, Key, MTU_MAX, Session};
use automagik_telemetry_core::{Pseudonym, Record, loss::Reason, record::Cursor, time::Coarse};
use automagik_telemetry_gateway::counts::Counts;
use automagik_telemetry_gateway::intake::placing::Now;
use automagik_telemetry_gateway::intake::taker::{Answer, Taker};
use automagik_telemetry_gateway::known::keys::Keys;
use automagik_telemetry_gateway::known::manifests::Manifests;
use automagik_telemetry_gateway::known::vocabulary::Vocabulary;
use automagik_telemetry_gateway::tools::simulate;
use std::sync::Arc;
use std::time::Instant;

/// The key of the device of this number.
fn key(number: u32) -> Key {
    let mut bytes = [0x5A; KEY_LEN];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    Key::new(bytes)
}

fn main() {
    let count: u32 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(10_000);
    let (mut keys, mut manifests) = (Keys::default(), Manifests::default());
    (0..count).for_each(|number| keys.add(key(number)));
    manifests.add(Vocabulary::read(&simulate::manifest()).unwrap()).unwrap();
    let mut taker = Taker::new(keys, manifests, Arc::new(Counts::default()));
    let now = Now(1_800_000_000);
    let mut frames = [Vec::new(), Vec::new(), Vec::new()];
    for number in (0..count).step_by(1 + count as usize / 200) {
        let boot = Boot::random(u64::from(number).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        let hello = Hello::new(simulate::schema(), Pseudonym::NOBODY, None);
        let key = key(number);
        let hint = Some(key.hint(boot));
        let mut session = Session::new(key, boot, hint);
        let mut buffer = [0; MTU_MAX];
        let sealed = session.hello(&hello, &mut buffer).unwrap();
        let first = buffer[..sealed.len].to_vec();
        let records = [Record::dropped(Reason::Refused, 1, Coarse::from_steps(1))];
        let sealed =
            session.data(&hello, &records.as_slice(), &mut Cursor::default(), &mut buffer).unwrap().unwrap();
        frames[2].push(buffer[..sealed.len].to_vec());
        frames[1].push(first.clone());
        frames[0].push(first);
    }
    for (what, frames) in ["first hello", "hello again", "data"].into_iter().zip(&frames) {
        let started = Instant::now();
        let taken = frames
            .iter()
            .filter(|frame| {
                matches!(taker.take(frame, &(), u64::MAX, now), Answer::Known(_) | Answer::Taken(_))
            })
            .count();
        let each = started.elapsed() / frames.len() as u32;
        println!("{count} keys, {what}: {each:?} each, {taken} of {} taken", frames.len());
    }
}
