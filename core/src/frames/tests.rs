//! What holds for frames as a whole.

use super::*;
use crate::events::event::{EventDescriptor, Ordinals};
use crate::events::loss::Reason;
use crate::events::metric::{Kind as MetricKind, MetricDescriptor};
use crate::events::time::Coarse;
use crate::person::pseudonym::Pseudonym;
use crate::records::record::{Cursor, Delta, Record};
use crate::schemas::schema::{Checked, Schema, SchemaDescriptor};
use crate::testing::{Testing, Word, event};
use proptest::prelude::*;
use std::collections::BTreeSet;

/// The events of [`Testing`], and metrics.
struct Measured;

impl Schema for Measured {
    const ORGANIZATION: &'static str = "acme";
    const ENDPOINT: Option<&'static str> = Some("https://telemetry.acme.example");
    const PROJECT: &'static str = "measured";
    const VERSION: &'static str = "1.2.3";
    const EVENTS: &'static [EventDescriptor] = Testing::EVENTS;
    const METRICS: &'static [MetricDescriptor] = &[
        MetricDescriptor {
            name: "app.n",
            unit: "1",
            kind: MetricKind::Counter,
            labels: &["kind"],
            domains: &[WORDS],
        },
        MetricDescriptor {
            name: "app.t",
            unit: "ms",
            kind: MetricKind::Histogram,
            labels: &[],
            domains: &[],
        },
    ];
    fn position(&self) -> (u16, Ordinals) {
        (0, Ordinals::new([]))
    }
}

const WORDS: crate::events::field::Domain =
    crate::events::field::Domain::new(crate::events::field::Values::Words(Word::WORDS_OF_TEST));

fn schema() -> &'static SchemaDescriptor {
    Checked::<Measured>::DESCRIPTOR
}

fn key() -> Key {
    Key::new([7; KEY_LEN])
}

fn boot(number: u64) -> Boot {
    Boot::random(number.to_le_bytes())
}

fn hello(start: Option<u32>) -> Hello {
    Hello::new(schema(), Pseudonym::NOBODY, start.map(Coarse::from_steps))
}

/// Records as a device has them: since its start, in steps.
fn record() -> impl Strategy<Value = Record> {
    let time = prop_oneof![4 => 0_u32..100, 1 => 0_u32..1 << 24];
    let delta = (0_usize..2, 0_usize..3, 1_u32.., 0_u32..100, 0_u32..1 << 20).prop_map(
        |(metric, cell, count, start, steps)| {
            let end = Coarse::from_steps(start + steps.min(0xFFFF));
            Record::from_delta(&Delta { metric, cell, count, start: Coarse::from_steps(start), end })
        },
    );
    let loss = (0_usize..7, 0_u32..0xF_FFFF, 0_u32..1000).prop_map(|(reason, count, time)| {
        Record::dropped(Reason::ALL[reason], count, Coarse::from_steps(time))
    });
    prop_oneof![
        6 => (event(), time).prop_map(|(event, time)| Record::new(&event, Coarse::from_steps(time)).unwrap()),
        1 => delta,
        1 => loss,
    ]
}

/// Seals all of `records` in frames of `mtu` bytes at most.
fn sealed(session: &mut Session, hello: &Hello, records: &[Record], mtu: usize) -> Vec<(Sealed, Vec<u8>)> {
    let (mut at, mut frames) = (Cursor::default(), Vec::new());
    let mut buffer = vec![0xAA; mtu];
    while let Some(sealed) = session.data(hello, &records, &mut at, &mut buffer).unwrap() {
        frames.push((sealed, buffer[..sealed.len].to_vec()));
    }
    frames
}

fn opened(frame: &[u8], boot: Boot, sequence: u32) -> Result<Vec<Record>, Error> {
    let (clear, mut plain) = (Clear::parse(frame)?, [0; MTU_MAX]);
    let mut plain = key().open(&clear, boot, sequence, &mut plain)?;
    if clear.kind() != Kind::Data {
        plain = Statement::read(plain)?.1;
    }
    Reader::new(schema(), plain).collect()
}

proptest! {
    #[test]
    fn what_is_sealed_is_opened_in_frames_of_any_size(
        records in prop::collection::vec(record(), 0..80),
        mtu in prop_oneof![MTU_MIN..100, MTU_MIN..=MTU_MAX],
    ) {
        let mut session = Session::new(key(), boot(9), None);
        let frames = sealed(&mut session, &hello(None), &records, mtu);
        let mut read = Vec::new();
        for (sealed, frame) in &frames {
            prop_assert!(frame.len() <= mtu);
            prop_assert_eq!(sealed.sequence as usize, read.len(), "the sequence counts records");
            read.extend(opened(frame, boot(9), sealed.sequence).unwrap());
        }
        prop_assert_eq!(read, records);
    }

    #[test]
    fn a_device_that_knows_the_time_says_the_same_records(
        records in prop::collection::vec(record(), 1..20), start in 1_u32 << 25..1 << 31,
    ) {
        let at = |record: &Record| record.at(Coarse::from_steps(record.time().steps() + start));
        let known: Vec<Record> = records.iter().map(at).collect();
        let mut session = Session::new(key(), boot(9), None);
        let read: Vec<Record> = sealed(&mut session, &hello(Some(start)), &known, MTU_MAX)
            .iter().flat_map(|(sealed, frame)| opened(frame, boot(9), sealed.sequence).unwrap()).collect();
        prop_assert_eq!(read, records);
    }

    #[test]
    fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..80), first in 0_u8..64) {
        let _ = Clear::parse(&bytes).map(|clear| key().open(&clear, boot(1), 0, &mut [0; MTU_MAX]).map(<[u8]>::len));
        let likely: Vec<u8> = std::iter::once(first).chain(bytes.clone()).collect();
        let _ = Clear::parse(&likely).map(|clear| clear.sequences(5).count());
        // A holder of the key may say anything too.
        let read: Vec<Result<Record, Error>> = Reader::new(schema(), &bytes).collect();
        prop_assert!(read.iter().flatten().all(|record| Shape::admits(schema(), record)));
        prop_assert!(read.iter().rev().skip(1).all(Result::is_ok), "nothing follows an error");
    }

    #[test]
    fn a_stream_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let Ok(records) = Reader::new(schema(), &bytes).collect::<Result<Vec<Record>, Error>>() else { return Ok(()) };
        let mut again = [0; MTU_MAX];
        let mut writer = stream::Writer::new(schema(), None, &mut again);
        for record in &records {
            writer.put(record).unwrap();
        }
        let len = writer.len();
        prop_assert_eq!(&again[..len], &bytes[..]);
    }

    #[test]
    fn the_whole_sequence_is_found_after_any_gap_and_for_any_frame_that_waited(next: u32, ahead in -98_303_i64..163_839) {
        let whole = i64::from(next) + ahead;
        prop_assume!((0..=i64::from(u32::MAX)).contains(&whole));
        let whole = u32::try_from(whole).unwrap();
        let mut frame = [0; 14];
        frame[0] = VERSION | 1 << 3;
        frame[3..5].copy_from_slice(&whole.to_le_bytes()[..2]);
        prop_assert!(Clear::parse(&frame).unwrap().sequences(next).any(|sequence| sequence == whole));
    }

    #[test]
    fn no_number_seals_two_frames_whatever_a_device_does(
        steps in prop::collection::vec((0_u8..3, 0_usize..80, prop::collection::vec(record(), 0..9)), 0..60),
    ) {
        let (mut session, mut seen) = (Session::new(key(), boot(9), None), BTreeSet::new());
        let mut buffer = [0; 80];
        for (what, room, records) in steps {
            let (mut at, records) = (Cursor::default(), records.as_slice());
            let buffer = &mut buffer[..room];
            let sealed = match what {
                0 => session.hello(&hello(None), buffer).map(Some),
                1 => session.data(&hello(None), &records, &mut at, buffer),
                _ => session.once(&hello(Some(1 << 25)), &records, &mut at, buffer),
            };
            if let Ok(Some(sealed)) = sealed {
                let numbers = sealed.sequence..sealed.sequence + sealed.records.max(1);
                prop_assert!(numbers.into_iter().all(|number| seen.insert(number)));
            }
        }
    }
}

#[test]
fn a_frame_that_was_changed_in_any_bit_is_refused() {
    let mut session = Session::new(key(), boot(9), Some(key().hint(boot(9))));
    let records = [Record::dropped(Reason::Refused, 3, Coarse::from_steps(9)); 3];
    let (records, mut buffer) = (records.as_slice(), [0; MTU_MAX]);
    let mut frames = Vec::new();
    let hello = hello(None);
    for kind in [Kind::Hello, Kind::Data, Kind::Once] {
        let mut at = Cursor::default();
        let sealed = match kind {
            Kind::Hello => session.hello(&hello, &mut buffer),
            Kind::Data => session.data(&hello, &records, &mut at, &mut buffer).map(Option::unwrap),
            _ => session.once(&hello, &records, &mut at, &mut buffer).map(Option::unwrap),
        };
        let sealed = sealed.unwrap();
        frames.push((sealed.sequence, buffer[..sealed.len].to_vec()));
    }
    for (sequence, frame) in frames {
        let takes = |frame: &[u8]| {
            let Ok(clear) = Clear::parse(frame) else { return false };
            // As a receiver that trusts what the frame says of itself.
            let of = clear.boot().unwrap_or(boot(9));
            clear
                .sequences(sequence)
                .any(|sequence| key().open(&clear, of, sequence, &mut [0; MTU_MAX]).is_ok())
        };
        assert!(takes(&frame));
        for bit in 0..frame.len() * 8 {
            let mut changed = frame.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!takes(&changed), "bit {bit} of {} bytes", frame.len());
        }
        for len in 0..frame.len() {
            assert!(!takes(&frame[..len]), "cut to {len}");
        }
    }
}

#[test]
fn an_acknowledgement_is_for_one_frame_of_one_boot_under_one_key() {
    let frame = key().acknowledge(boot(9), 70_000);
    assert!(key().is_acknowledged(boot(9), 70_000, &frame));
    for (other, boot, sequence) in [
        (Key::new([8; KEY_LEN]), boot(9), 70_000),
        (key(), boot(10), 70_000),
        (key(), boot(9), 70_000 - 65_536),
    ] {
        assert!(!other.is_acknowledged(boot, sequence, &frame));
    }
    for bit in 0..frame.len() * 8 {
        let mut changed = frame;
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!key().is_acknowledged(boot(9), 70_000, &changed), "bit {bit}");
    }
    assert!(!key().is_acknowledged(boot(9), 70_000, &[]));
}

#[test]
fn a_question_is_for_one_session() {
    let session = Session::new(key(), boot(9), None);
    assert!(session.is_asked(&ask(boot(9).session())) && !session.is_asked(&ask(boot(10).session())));
    assert_eq!(Clear::parse(&ask(9)).unwrap().kind(), Kind::Ask);
}

#[test]
fn a_record_of_another_program_is_refused_and_those_before_it_leave() {
    let (start, end) = (Coarse::from_steps(1), Coarse::from_steps(2));
    let foreign = |metric, cell| Record::from_delta(&Delta { metric, cell, count: 300, start, end });
    let event = |event, bits| Record::of_bits(event, end, bits);
    for foreign in [foreign(2, 0), foreign(0, 3), event(4, 0), event(2, 3), event(2, 1 << 60)] {
        let mut session = Session::new(key(), boot(9), None);
        let records = [Record::dropped(Reason::Refused, 1, end), foreign];
        let (records, mut at, mut buffer) = (records.as_slice(), Cursor::default(), [0; 80]);
        let sealed = session.data(&hello(None), &records, &mut at, &mut buffer).unwrap().unwrap();
        assert_eq!(opened(&buffer[..sealed.len], boot(9), 0).unwrap(), [records[0]]);
        assert_eq!(session.data(&hello(None), &records, &mut at, &mut buffer), Err(Error::OutOfDomain));
        assert_eq!((at.sequence, session.next()), (1, 1));
    }
}

#[test]
fn any_record_fits_the_smallest_frame() {
    let longest = Delta {
        metric: 1,
        cell: 40,
        count: u32::MAX,
        start: Coarse::from_steps((1 << 31) - 1 - 0xFFFF),
        end: Coarse::from_steps((1 << 31) - 1),
    };
    let early = Record::dropped(Reason::Refused, 1, Coarse::from_steps(0));
    let records = [early, Record::from_delta(&longest), early, Record::from_delta(&longest)];
    let mut session = Session::new(key(), boot(9), None);
    let frames = sealed(&mut session, &hello(None), &records, MTU_MIN);
    assert_eq!(frames.iter().map(|(sealed, _)| sealed.records).sum::<u32>(), 4);
}

#[test]
fn a_boot_that_has_numbered_all_it_can_seals_no_more() {
    let mut session = Session::new(key(), boot(9), None);
    session.skip_to(u32::MAX - 8 * MTU_MAX as u32);
    let records = [Record::dropped(Reason::Refused, 1, Coarse::from_steps(0)); 9];
    let (records, mut at, mut buffer) = (records.as_slice(), Cursor::default(), [0; MTU_MIN]);
    let sealed = session.data(&hello(None), &records, &mut at, &mut buffer).unwrap().unwrap();
    assert_eq!((sealed.records, at.sequence), (9, 9));
    at = Cursor::default();
    assert_eq!(session.data(&hello(None), &records, &mut at, &mut buffer), Err(Error::Exhausted));
    assert_eq!(session.hello(&hello(None), &mut buffer), Err(Error::Exhausted));
    assert_eq!(at, Cursor::default());
}

#[test]
fn debug_shows_no_key() {
    assert_eq!(format!("{:?}", key()), "Key(..)");
}

/// An observer who has learned from pairs of boots whether they are of one device does no better than chance with others.
#[test]
fn two_boots_of_a_device_are_like_those_of_two() {
    const PAIRS: u64 = 100_000;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random
    };
    let of_device = |device: u64, boot: Boot| {
        let mut bytes = [0; KEY_LEN];
        bytes[..8].copy_from_slice(&device.to_le_bytes());
        let key = Key::new(bytes);
        let hint = key.hint(boot);
        let mut frame = [0; HELLO_LEN_MAX];
        let mut session = Session::new(key, boot, Some(hint));
        session.hello(&hello(Some(29_000_000 + (device % 1000) as u32)), &mut frame).unwrap();
        frame
    };
    // What two frames have in common, byte by byte and in all: trained on one half, tried on the other.
    let mut same = [[0_i64; 9]; HELLO_LEN_MAX];
    let mut rights = 0_u64;
    for pair in 0..PAIRS {
        let device = next();
        let is_one = next() & 1 == 0;
        let other = if is_one { device } else { next() };
        let (one, two) = (of_device(device, boot(next())), of_device(other, boot(next())));
        let alike = |at: usize| (one[at] ^ two[at]).count_ones() as usize;
        if pair < PAIRS / 2 {
            for (at, counts) in same.iter_mut().enumerate() {
                counts[alike(at)] += if is_one { 1 } else { -1 };
            }
        } else {
            let score: i64 = same.iter().enumerate().map(|(at, counts)| counts[alike(at)].signum()).sum();
            rights += u64::from((score > 0) == is_one);
        }
    }
    // Four standard deviations of a coin that is thrown as often.
    let (tries, mean) = (PAIRS / 2, PAIRS / 4);
    assert!(rights.abs_diff(mean).pow(2) < 16 * tries / 4, "{rights} of {tries}");
}
