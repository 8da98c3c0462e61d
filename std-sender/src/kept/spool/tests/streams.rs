//! Metrics of one installation are one stream, whoever of its processes delivers: fifty processes over three days, with outages and a
//! clock that jumps, against what a backend enforces.

use super::ledger::{First, Process, TIME};
use super::*;
use crate::send::body;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::{Pseudonym, Secret};
use automagik_telemetry_test_support::Streams;
use proptest::prelude::*;

const MINUTE: u64 = 60;

fn resource() -> Resource {
    let secret = Secret::new([7; 32], consent());
    Resource::new(Checked::<First>::DESCRIPTOR, Pseudonym::new(&secret, "ledger", 0))
}

/// Delivers what waits in the spool of `process`, to whoever enforces the data model.
fn deliver(process: &Process, streams: &mut Streams) -> u64 {
    let (resource, mut requests) = (resource(), 0);
    while let Some(turn) = process.spool.turn().unwrap() {
        let next = turn.next(process.schema, TIME.get(), BATCH_RECORDS_MAX, true);
        let Some(batch) = next.unwrap() else { break };
        assert_eq!(batch.signal, Signal::Metrics, "nothing is lost");
        streams.take(&body::encode(&resource, &batch));
        turn.commit(&batch, &Losses::new(), TIME.get()).unwrap();
        requests += 1;
    }
    requests
}

/// What one of the fifty does in a minute of its life.
#[derive(Clone, Copy, Debug)]
struct Life {
    start: u64,
    minutes: u64,
    /// Additions a minute.
    rate: u32,
    delivers: bool,
}

fn life() -> impl Strategy<Value = Life> {
    (0..3 * DAY, 1_u64..60, 1_u32..50, any::<bool>()).prop_map(|(start, minutes, rate, delivers)| Life {
        start,
        minutes,
        rate,
        delivers,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn points_of_fifty_processes_over_three_days_follow_each_other_and_sum_to_what_was_added(
        lives in prop::collection::vec(life(), 50),
        outage in 0..2 * DAY,
        jump in prop_oneof![Just(0_i64), -5 * DAY as i64..5 * DAY as i64],
    ) {
        let (state, mut streams, mut added) = (tempfile::tempdir().unwrap(), Streams::new(), 0_u64);
        let mut running: Vec<(u64, Life, Process)> = Vec::new();
        for minute in 0..(3 * DAY + 3_600) / MINUTE {
            let passed = minute * MINUTE;
            // In the middle of the time somebody sets the clock.
            let jumped = if passed > DAY + DAY / 2 { jump } else { 0 };
            TIME.set((NOW + passed).saturating_add_signed(jumped));
            for life in lives.iter().filter(|life| life.start / MINUTE == minute) {
                running.push((life.minutes, *life, Process::start(state.path(), 0, 1 << 20)));
            }
            let is_away = (outage..outage + DAY).contains(&passed);
            for (left, life, process) in &mut running {
                process.add(life.rate);
                added += u64::from(life.rate);
                if life.delivers && !is_away {
                    deliver(process, &mut streams);
                }
                *left -= 1;
            }
            running.retain_mut(|(left, _, process)| {
                if *left == 0 {
                    process.store.close(&process.recorder);
                }
                *left > 0
            });
        }
        let mut last = Process::start(state.path(), 0, 1 << 20);
        last.store.close(&last.recorder);
        let requests = deliver(&last, &mut streams);
        prop_assert_eq!(streams.sum("ledger.calls"), added);
        prop_assert!(requests <= 2 * 24 + 3, "{} requests for what waited at the end", requests);
    }
}

#[test]
fn a_month_without_a_collector_takes_a_record_a_cell_and_a_day_or_an_hour_of_the_last() {
    let (state, mut streams) = (tempfile::tempdir().unwrap(), Streams::new());
    let mut bytes = 0;
    for hour in 0..29 * 24 {
        TIME.set(NOW + hour * 3_600);
        let mut process = Process::start(state.path(), 0, 1 << 20);
        process.add(3);
        process.store.close(&process.recorder);
        bytes = process.spool.segments().unwrap().iter().map(|found| found.len).sum();
    }
    // Up to 64 small segments wait to be merged.
    assert!(bytes < 29 * 20 + 64 * 64 + 1_000, "{bytes} bytes");
    let process = Process::start(state.path(), 0, 1 << 20);
    let requests = deliver(&process, &mut streams);
    assert!(requests <= 29 + 26, "{requests}");
    assert_eq!(streams.sum("ledger.calls"), 29 * 24 * 3);
}
