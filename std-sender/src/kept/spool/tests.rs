//! The spool against processes that die, disks that lie, clocks that jump, and neighbours.

use super::*;
use crate::BATCH_RECORDS_MAX;
use crate::files::disk::failing;
use crate::testing::{App, DESTINATIONS, consent};
use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
use automagik_telemetry_core::loss::Reason;
use automagik_telemetry_core::schema::{Checked, Schema};
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_test_support::Disk;

/// The same program, later.
struct Two;

impl Schema for Two {
    const ORGANIZATION: &'static str = "automagik";
    const PROJECT: &'static str = "app";
    const VERSION: &'static str = "2.0.0";
    const EVENTS: &'static [EventDescriptor] = &[EventDescriptor {
        name: "app.stopped",
        severity: automagik_telemetry_core::Severity::Info,
        fields: &[],
    }];
    fn position(&self) -> (u16, Ordinals) {
        (0, Ordinals::new([]))
    }
}

const NOW: u64 = 1_761_048_000;
const DAY: u64 = 24 * 3_600;

fn spool(state: &Path) -> Spool {
    Spool::new(state, Checked::<App>::DESCRIPTOR, DESTINATIONS, consent())
}

/// Events that can be told apart: by the minute in which they happened.
fn records(numbers: core::ops::Range<u32>) -> Vec<Record> {
    numbers.map(|number| Record::new(&App, Coarse::from_steps(number)).unwrap()).collect()
}

fn append(spool: &Spool, numbers: core::ops::Range<u32>) {
    spool.append(Signal::Logs, &records(numbers), NOW).unwrap();
}

/// Everything that waits, delivered at `now`; and the losses that were told.
fn drain_at(spool: &Spool, now: u64) -> (Vec<u32>, Vec<(Reason, u32)>) {
    let (mut numbers, mut losses) = (Vec::new(), Losses::new());
    while let Some(turn) = spool.turn().unwrap() {
        let next = turn.next(Checked::<App>::DESCRIPTOR, now, BATCH_RECORDS_MAX, true);
        let Some(batch) = next.unwrap() else { break };
        assert!(batch.records.len() <= BATCH_RECORDS_MAX);
        for record in &batch.records {
            match record.loss() {
                Some((reason, count)) => losses.add(reason, count),
                None => numbers.push(record.time().steps()),
            }
        }
        turn.commit(&batch, &Losses::new(), now).unwrap();
    }
    (numbers, losses.take().collect())
}

fn drain(spool: &Spool) -> (Vec<u32>, Vec<(Reason, u32)>) {
    drain_at(spool, NOW)
}

fn files(spool: &Spool) -> Vec<PathBuf> {
    spool.segments().unwrap().into_iter().map(|found| spool.folder.join(found.name.to_string())).collect()
}

#[test]
fn what_is_appended_is_delivered_once_and_in_order() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    (0..50).for_each(|start| append(&spool, start * 7..start * 7 + 7));
    assert!(!spool.is_empty());
    assert_eq!(drain(&spool), ((0..350).collect(), vec![]));
    assert!(spool.is_empty() && files(&spool).is_empty());
    assert_eq!(drain(&spool).0, [0; 0]);
}

#[test]
fn a_batch_is_given_again_until_it_is_committed() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..150);
    let schema = Checked::<App>::DESCRIPTOR;
    for _ in 0..2 {
        // A process that dies here has delivered nothing.
        let turn = spool.turn().unwrap().unwrap();
        assert_eq!(turn.next(schema, NOW, 100, true).unwrap().unwrap().records, records(0..100));
    }
    let turn = spool.turn().unwrap().unwrap();
    let batch = turn.next(schema, NOW, 100, true).unwrap().unwrap();
    turn.commit(&batch, &Losses::new(), NOW).unwrap();
    drop(turn);
    assert_eq!(drain(&spool).0, (100..150).collect::<Vec<u32>>());
}

#[test]
fn one_process_has_the_turn_and_the_others_go_on_appending() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..3);
    let turn = spool.turn().unwrap().unwrap();
    assert!(spool.turn().unwrap().is_none());
    let batch = turn.next(Checked::<App>::DESCRIPTOR, NOW, 100, true).unwrap().unwrap();
    append(&spool, 3..6);
    turn.commit(&batch, &Losses::new(), NOW).unwrap();
    drop(turn);
    assert_eq!(drain(&spool).0, [3, 4, 5]);
}

#[test]
fn those_that_append_at_the_same_moment_get_names_of_their_own() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..1);
    let segments = spool.segments().unwrap();
    let age = newest_age(&segments).unwrap();
    // With 16 random bits about thirty of them were the same.
    let orders: std::collections::BTreeSet<u64> =
        (0..2_000).map(|_| spool.order(&segments, age).unwrap()).collect();
    assert_eq!(orders.len(), 2_000);
    assert!(orders.first() > segments.last().map(|found| &found.name.order));
}

#[test]
fn many_append_at_once_and_nothing_is_lost() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let spool = &spool;
            scope.spawn(move || (0..50).for_each(|n| append(spool, thread * 50 + n..thread * 50 + n + 1)));
        }
    });
    let (mut numbers, losses) = drain(&spool);
    numbers.sort_unstable();
    assert_eq!((numbers, losses), ((0..400).collect(), vec![]));
}

#[test]
fn many_small_segments_become_few() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    (0..1_000).for_each(|n| append(&spool, n..n + 1));
    assert!(files(&spool).len() <= SEGMENTS_MAX, "{}", files(&spool).len());
    assert_eq!(drain(&spool), ((0..1_000).collect(), vec![]));
}

#[test]
fn a_flipped_bit_costs_its_frame_and_a_cut_what_is_behind_it_and_both_are_counted() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..300);
    let path = files(&spool).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    bytes.truncate(bytes.len() - 5);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(drain(&spool), ((0..100).collect(), vec![(Reason::Corrupt, 200)]));
}

#[test]
fn a_segment_of_nothing_but_noise_is_counted_by_its_name_and_removed() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..77);
    std::fs::write(files(&spool).remove(0), vec![0xA5; 5_000]).unwrap();
    append(&spool, 77..80);
    assert_eq!(drain(&spool), (vec![77, 78, 79], vec![(Reason::Corrupt, 77)]));
    assert!(files(&spool).is_empty());
}

#[test]
fn foreign_files_are_left_alone() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..3);
    let name = files(&spool).remove(0).file_name().unwrap().to_string_lossy().into_owned();
    let strange = ["notes.txt".to_owned(), "x.logs".to_owned(), format!("{name}.bak")];
    for name in &strange {
        std::fs::write(spool.folder.join(name), "not ours").unwrap();
    }
    std::fs::create_dir(spool.folder.join(name.replace('1', "2"))).unwrap();
    assert_eq!(drain(&spool).0, [0, 1, 2]);
    for name in &strange {
        assert_eq!(std::fs::read(spool.folder.join(name)).unwrap(), b"not ours");
    }
}

#[test]
fn the_oldest_go_first_when_it_is_full_and_are_counted() {
    let state = tempfile::tempdir().unwrap();
    let mut spool = spool(state.path());
    spool.bytes_max = 200_000;
    for start in (0..60_000).step_by(100) {
        append(&spool, start..start + 100);
        let used: u64 = spool.segments().unwrap().iter().map(|found| found.len).sum();
        assert!(used <= 210_000, "{used}");
    }
    let (numbers, losses) = drain(&spool);
    assert_eq!(losses, [(Reason::StoreFull, numbers[0])]);
    assert_eq!(numbers, (numbers[0]..60_000).collect::<Vec<u32>>());
}

#[test]
fn a_loss_of_many_that_has_to_make_room_stays_a_loss_of_many() {
    let state = tempfile::tempdir().unwrap();
    let mut spool = spool(state.path());
    spool.bytes_max = 20_000;
    let told = Record::dropped(Reason::QueueFull, 700_000, Coarse::from_steps(1));
    let first = [records(0..1), vec![told]].concat();
    spool.append(Signal::Logs, &first, NOW).unwrap();
    (0..100).for_each(|n| append(&spool, n * 100..n * 100 + 100));
    let (numbers, losses) = drain(&spool);
    assert_eq!(losses, [(Reason::QueueFull, 700_000), (Reason::StoreFull, 10_001 - numbers.len() as u32)]);
}

#[test]
fn nothing_is_kept_longer_than_30_days() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..3);
    for day in 1..=31 {
        let now = NOW + day * DAY;
        spool.turn().unwrap().unwrap().tidy(now).unwrap();
        assert_eq!(spool.is_empty(), day == 31, "day {day}: the losses alone are no more than that");
        if day == 20 {
            spool.append(Signal::Logs, &records(3..4), now).unwrap();
        }
        if day == 30 {
            break;
        }
    }
    assert_eq!(drain_at(&spool, NOW + 31 * DAY), (vec![3], vec![(Reason::Expired, 3)]));
}

#[test]
fn an_age_that_a_jump_of_the_clock_made_is_no_age() {
    for first in [0, 300, NOW - 40 * DAY, NOW + 60 * DAY] {
        let state = tempfile::tempdir().unwrap();
        let spool = spool(state.path());
        spool.append(Signal::Logs, &records(0..5), first).unwrap();
        spool.append(Signal::Logs, &records(5..9), NOW).unwrap();
        // One run in a time that is none.
        spool.append(Signal::Logs, &records(9..10), NOW + 60 * DAY).unwrap();
        assert_eq!(drain_at(&spool, NOW + 60), ((0..10).collect(), vec![]), "{first}");
    }
}

#[test]
fn what_is_lost_of_the_spools_memory_makes_nothing_old() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..3);
    std::fs::write(spool.folder.join(state::FILE), "noise").unwrap();
    assert_eq!(drain_at(&spool, NOW + 400 * DAY).0, [0, 1, 2]);
}

#[test]
fn records_of_another_version_wait_for_it() {
    let state = tempfile::tempdir().unwrap();
    let old = spool(state.path());
    let schema = Checked::<Two>::DESCRIPTOR;
    let new = Spool::new(state.path(), schema, DESTINATIONS, consent());
    append(&old, 0..3);
    assert!(new.is_empty());
    assert!(new.turn().unwrap().unwrap().next(schema, NOW, 100, true).unwrap().is_none());
    append(&new, 3..6);
    assert_eq!(drain(&old).0, [0, 1, 2]);
}

#[test]
fn records_go_where_they_were_meant_to_go_or_nowhere() {
    let state = tempfile::tempdir().unwrap();
    let here = spool(state.path());
    let elsewhere = Spool { destinations: Destinations { logs: 2, metrics: 2 }, ..here.clone() };
    append(&here, 0..3);
    append(&elsewhere, 3..6);
    assert_eq!(drain(&elsewhere).0, [3, 4, 5]);
    assert!(elsewhere.is_empty() && !here.is_empty());
    assert_eq!(waiting(&here.folder, Checked::<App>::DESCRIPTOR, Some(elsewhere.destinations)).elsewhere, 3);
    assert_eq!(drain(&here).0, [0, 1, 2]);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_no_panic() {
    let state = tempfile::tempdir().unwrap();
    let blocked = state.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let spool = spool(&blocked);
    assert!(spool.append(Signal::Logs, &records(0..1), NOW).is_err());
    assert!(spool.turn().unwrap().is_none() && spool.is_empty());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look_into_it_whatever_the_umask_says() {
    use std::os::unix::fs::PermissionsExt;
    let state = tempfile::tempdir().unwrap();
    let spool = spool(&state.path().join("state"));
    append(&spool, 0..1);
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spool.folder), 0o700);
    assert_eq!(mode(&files(&spool)[0]), 0o600);
}

#[test]
fn what_a_killed_process_left_half_written_is_removed_after_a_while() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..1);
    let path = spool.folder.join("abc.tmp");
    std::fs::write(&path, "half").unwrap();
    let turn = spool.turn().unwrap().unwrap();
    turn.tidy(NOW).unwrap();
    assert!(path.exists(), "somebody may be writing it");
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(2 * 3_600);
    std::fs::File::options().write(true).open(&path).unwrap().set_modified(old).unwrap();
    turn.tidy(NOW).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_full_disk_is_an_error_and_costs_nothing_that_was_appended_and_losses_are_noted() {
    let Some(disk) = Disk::mount("size=64k") else { return };
    let spool = spool(disk.path());
    let (mut committed, mut failed) = (0, 0);
    for _ in 0..200 {
        match spool.append(Signal::Logs, &records(committed..committed + 100), NOW) {
            Ok(()) => committed += 100,
            Err(_) => failed += 100,
        }
    }
    assert!(failed > 0 && committed > 0, "{failed} failed, {committed} did not");
    let mut losses = Losses::new();
    losses.add(Reason::StoreFull, failed);
    assert!(spool.reserve(&losses), "there is room that was set aside");
    // Somebody makes room on the disk.
    std::fs::remove_file(files(&spool).pop().unwrap()).unwrap();
    let (numbers, told) = drain(&spool);
    assert!(numbers.len() as u32 >= committed - 100 && told == [(Reason::StoreFull, failed)], "{told:?}");
}

mod crashes;
mod killed;
mod ledger;
mod streams;
