//! Crashes that programs left.

use super::*;
use crate::files::disk::failing;
#[cfg(feature = "panics")]
use crate::kept::crash;
use crate::kept::crash::EncodedCrash;
use automagik_telemetry_core::CrashReport;
use automagik_telemetry_core::crashes::{Build, Exception, Stack};

fn report(number: u32) -> CrashReport {
    let mut stack = Stack::new();
    stack.push(number);
    let (schema, build) = (Checked::<App>::DESCRIPTOR, Build::gnu(&[7; 20]).unwrap());
    CrashReport::new(schema, Exception::Panic, None, stack, build, NOW)
}

/// Leaves the crash as a program does that is over in the next moment.
fn leave(spool: &Spool, number: u32, destination: u64) {
    disk::make_folder(&spool.folder).unwrap();
    let name = format!("{destination:016x}-{number:016x}.panic");
    disk::publish(&spool.folder, &name, EncodedCrash::new(&report(number)).as_slice()).unwrap();
}

/// All crashes that are delivered, by their only address, and the losses that are told.
fn delivered(spool: &Spool, schema: &'static SchemaDescriptor, now: u64) -> (Vec<u32>, Vec<(Reason, u32)>) {
    let (mut crashes, mut losses) = (Vec::new(), Losses::new());
    while let Some(turn) = spool.turn().unwrap() {
        let Some(batch) = turn.next(schema, now, BATCH_RECORDS_MAX, true).unwrap() else { break };
        crashes.extend(batch.crash.map(|report| report.stack().addresses()[0].offset));
        batch.records.iter().filter_map(Record::loss).for_each(|(reason, count)| losses.add(reason, count));
        turn.commit(&batch, &Losses::new(), now).unwrap();
    }
    crashes.sort_unstable();
    (crashes, losses.take().collect())
}

#[test]
fn a_crash_that_was_left_is_delivered_once_by_any_version() {
    let state = tempfile::tempdir().unwrap();
    let (older, newer) = (spool(state.path()), Checked::<Two>::DESCRIPTOR);
    leave(&older, 1, DESTINATIONS.logs);
    older.append_crash(&report(2), NOW).unwrap();
    let newer_spool = Spool::new(state.path(), newer, DESTINATIONS, consent());
    assert!(newer_spool.has_events() && !newer_spool.is_empty());
    assert_eq!(waiting(&older.folder, newer, Some(DESTINATIONS)).crashes.len(), 2);
    assert_eq!(delivered(&newer_spool, newer, NOW), (vec![1, 2], vec![]));
    assert!(newer_spool.is_empty());
}

#[test]
fn a_crash_goes_where_it_was_meant_to_go_or_nowhere() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    leave(&spool, 1, DESTINATIONS.logs + 1);
    assert!(spool.is_empty());
    assert_eq!(delivered(&spool, Checked::<App>::DESCRIPTOR, NOW), (vec![], vec![]));
    let waiting = waiting(&spool.folder, Checked::<App>::DESCRIPTOR, Some(DESTINATIONS));
    assert_eq!((waiting.count(), waiting.elsewhere), (1, 1));
}

#[test]
fn what_can_not_be_read_of_a_crash_is_counted() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    leave(&spool, 1, DESTINATIONS.logs);
    let path = spool.folder.join(format!("{:016x}-{:016x}.panic", DESTINATIONS.logs, 1));
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[10] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    spool.append_crash(&report(2), NOW).unwrap();
    let segment = files(&spool).remove(0);
    std::fs::write(segment, b"noise").unwrap();
    assert_eq!(delivered(&spool, Checked::<App>::DESCRIPTOR, NOW), (vec![], vec![(Reason::Corrupt, 2)]));
}

#[test]
fn a_folder_that_is_named_like_a_crash_is_none() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..1);
    let name = format!("{:016x}-{:016x}.panic", DESTINATIONS.logs, 1);
    std::fs::create_dir(spool.folder.join(name)).unwrap();
    spool.turn().unwrap().unwrap().tidy(NOW).unwrap();
    assert_eq!(drain(&spool), (vec![0], vec![]));
    assert!(spool.is_empty());
}

#[test]
fn of_too_many_crashes_the_first_are_told_and_the_others_counted() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    let most = u32::try_from(CRASHES_MAX).unwrap();
    (0..most + 3).for_each(|number| leave(&spool, number, DESTINATIONS.logs));
    let (crashes, losses) = delivered(&spool, Checked::<App>::DESCRIPTOR, NOW);
    assert_eq!((crashes.len(), losses), (CRASHES_MAX, vec![(Reason::StoreFull, 3)]));
}

#[test]
fn a_crash_that_is_too_old_is_counted_as_expired() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    append(&spool, 0..1);
    leave(&spool, 1, DESTINATIONS.logs);
    // The clock of the spool goes on by a week at most between two looks.
    spool.turn().unwrap().unwrap().tidy(NOW).unwrap();
    (1..=6).for_each(|week| spool.turn().unwrap().unwrap().tidy(NOW + week * 7 * DAY).unwrap());
    let (crashes, losses) = delivered(&spool, Checked::<App>::DESCRIPTOR, NOW + 42 * DAY);
    assert_eq!((crashes, losses), (vec![], vec![(Reason::Expired, 2)]));
}

#[test]
fn a_no_deletes_crashes_too_and_says_how_many() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    leave(&spool, 1, DESTINATIONS.logs);
    spool.append_crash(&report(2), NOW).unwrap();
    assert_eq!(clear(&spool.folder).unwrap(), 2);
    assert!(!spool.folder.exists());
}

#[test]
fn a_crash_is_told_once_wherever_a_process_dies_while_it_becomes_a_segment() {
    for steps in 0..12 {
        let state = tempfile::tempdir().unwrap();
        let spool = spool(state.path());
        leave(&spool, 1, DESTINATIONS.logs);
        failing::after(steps, true);
        if let Ok(Some(turn)) = spool.turn() {
            let _ = turn.tidy(NOW);
        }
        failing::never();
        assert_eq!(delivered(&spool, Checked::<App>::DESCRIPTOR, NOW), (vec![1], vec![]), "{steps}");
    }
}

#[cfg(feature = "panics")]
#[test]
fn a_file_takes_one_report_whole_and_for_its_owner_alone() {
    let state = tempfile::tempdir().unwrap();
    let spool = spool(state.path());
    let files = crash::CrashFile::some(spool.folder(), DESTINATIONS.logs, 2).unwrap();
    files.iter().for_each(|file| file.write(&EncodedCrash::new(&report(3))).unwrap());
    #[cfg(unix)]
    for (name, _) in crash::fresh(spool.folder()).unwrap() {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(spool.folder().join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(delivered(&spool, Checked::<App>::DESCRIPTOR, NOW), (vec![3, 3], vec![]));
}
