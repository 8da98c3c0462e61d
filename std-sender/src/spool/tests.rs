//! The spool against processes that die, disks that lie, and neighbours.

use super::*;
use crate::testing::{App, consent};
use automagik_telemetry_core::event::{EventDescriptor, Ordinals};
use automagik_telemetry_core::schema::{Checked, Schema};
use automagik_telemetry_core::time::Coarse;
use automagik_telemetry_test_support::Disk;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

/// The same program, later.
struct Two;

impl Schema for Two {
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

fn spool(state: &Path) -> Spool {
    Spool::new(state, Checked::<App>::DESCRIPTOR, consent())
}

/// Starting a process gives it every lock for a moment: the tests that do so run alone.
static ALONE: RwLock<()> = RwLock::new(());

/// A folder for state.
struct State {
    folder: tempfile::TempDir,
    _others: RwLockReadGuard<'static, ()>,
}

impl State {
    fn new() -> Self {
        let others = ALONE.read().unwrap_or_else(PoisonError::into_inner);
        Self { folder: tempfile::tempdir().unwrap(), _others: others }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }
}

fn records(numbers: core::ops::Range<u32>) -> Vec<Record> {
    numbers.map(|number| Record::dropped(Reason::Refused, number, Coarse::from_steps(1))).collect()
}

/// Everything that waits, delivered; and what was lost on the way.
fn drain(spool: &Spool) -> (Vec<u32>, Losses) {
    let (mut numbers, mut losses) = (Vec::new(), Losses::new());
    let Some(mut upload) = spool.upload().unwrap() else { return (numbers, losses) };
    while let Some(batch) = upload.next(Checked::<App>::DESCRIPTOR).unwrap() {
        assert!(batch.records.len() <= BATCH);
        numbers.extend(batch.records.iter().map(|record| record.loss().unwrap().1));
        losses.add_all(&batch.losses);
        upload.commit(&batch).unwrap();
    }
    (numbers, losses)
}

const BATCH: usize = crate::BATCH_RECORDS_MAX;

fn files(spool: &Spool) -> Vec<PathBuf> {
    spool.segments().unwrap().into_iter().map(|found| found.path).collect()
}

#[test]
fn what_is_appended_is_delivered_once_and_in_order() {
    let state = State::new();
    let spool = spool(state.path());
    for start in 0..50 {
        spool.append(&records(start * 7..start * 7 + 7), NOW).unwrap();
    }
    assert!(!spool.is_empty());
    assert_eq!(drain(&spool), ((0..350).collect(), Losses::new()));
    assert!(spool.is_empty() && files(&spool).is_empty());
    assert_eq!(drain(&spool).0, [0; 0]);
}

#[test]
fn a_batch_is_given_again_until_it_is_committed() {
    let state = State::new();
    let spool = spool(state.path());
    spool.append(&records(0..60), NOW).unwrap();
    spool.append(&records(60..120), NOW).unwrap();
    let schema = Checked::<App>::DESCRIPTOR;
    let first = |upload: &mut Upload| upload.next(schema).unwrap().unwrap().records;
    let mut upload = spool.upload().unwrap().unwrap();
    assert_eq!(first(&mut upload), records(0..60));
    assert_eq!(first(&mut upload), records(0..60));
    drop(upload); // a process that dies here has delivered nothing
    let mut upload = spool.upload().unwrap().unwrap();
    let batch = upload.next(schema).unwrap().unwrap();
    upload.commit(&batch).unwrap();
    drop(upload);
    assert_eq!(drain(&spool).0, (60..120).collect::<Vec<u32>>());
}

#[test]
fn one_process_delivers_and_the_others_go_on_appending() {
    let state = State::new();
    let spool = spool(state.path());
    spool.append(&records(0..3), NOW).unwrap();
    let mut upload = spool.upload().unwrap().unwrap();
    assert!(spool.upload().unwrap().is_none());
    let batch = upload.next(Checked::<App>::DESCRIPTOR).unwrap().unwrap();
    spool.append(&records(3..6), NOW).unwrap();
    assert_eq!(files(&spool).len(), 2, "a segment that is being delivered is left alone");
    upload.commit(&batch).unwrap();
    drop(upload);
    assert_eq!(drain(&spool).0, [3, 4, 5]);
}

#[test]
fn many_append_at_once_and_nothing_is_lost() {
    let state = State::new();
    let spool = spool(state.path());
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let spool = &spool;
            scope.spawn(move || {
                for n in 0..50 {
                    let number = thread * 50 + n;
                    spool.append(&records(number..number + 1), NOW).unwrap();
                }
            });
        }
    });
    let (mut numbers, losses) = drain(&spool);
    numbers.sort_unstable();
    assert_eq!((numbers, losses), ((0..400).collect(), Losses::new()));
}

#[test]
fn a_torn_tail_is_cut_off_before_the_next_frame() {
    let state = State::new();
    let spool = spool(state.path());
    spool.append(&records(0..3), NOW).unwrap();
    spool.append(&records(3..6), NOW).unwrap();
    let path = files(&spool).remove(0);
    let len = std::fs::metadata(&path).unwrap().len();
    OpenOptions::new().write(true).open(&path).unwrap().set_len(len - 2).unwrap();
    spool.append(&records(6..9), NOW).unwrap();
    assert_eq!(drain(&spool), (vec![0, 1, 2, 6, 7, 8], Losses::new()));
}

#[test]
fn a_flipped_bit_costs_its_frame_and_is_counted() {
    let state = State::new();
    let spool = spool(state.path());
    for start in [0, 3, 6] {
        spool.append(&records(start..start + 3), NOW).unwrap();
    }
    let path = files(&spool).remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2 + 6;
    bytes[middle] ^= 0x10;
    std::fs::write(&path, bytes).unwrap();
    let (numbers, mut losses) = drain(&spool);
    assert_eq!(numbers, [0, 1, 2, 6, 7, 8]);
    assert_eq!(losses.take().collect::<Vec<_>>(), [(Reason::Corrupt, 3)]);
}

#[test]
fn foreign_files_are_left_alone() {
    let state = State::new();
    let spool = spool(state.path());
    spool.append(&records(0..3), NOW).unwrap();
    let strange = ["notes.txt", "x.spool", "0068f776c0-00000000-0000000000000000.spool.bak"];
    for name in strange {
        std::fs::write(spool.folder.join(name), "not ours").unwrap();
    }
    std::fs::create_dir(spool.folder.join("0068f776c0-00000000-0000000000000000.spool")).unwrap();
    assert_eq!(drain(&spool).0, [0, 1, 2]);
    for name in strange {
        assert_eq!(std::fs::read(spool.folder.join(name)).unwrap(), b"not ours");
    }
}

#[test]
fn a_segment_of_nothing_but_noise_is_counted_and_removed() {
    let state = State::new();
    let spool = spool(state.path());
    spool.append(&records(0..3), NOW).unwrap();
    let name = Name { seconds: NOW - 1, random: 7, fingerprint: spool.fingerprint };
    std::fs::write(spool.folder.join(name.to_string()), vec![0xA5; 5_000]).unwrap();
    assert_eq!(drain(&spool).0, [0, 1, 2]);
    assert!(files(&spool).is_empty());
}

#[test]
fn the_oldest_go_first_when_it_is_full_and_are_counted() {
    let state = State::new();
    let mut spool = spool(state.path());
    spool.bytes_max = 200_000;
    let (mut appended, mut dropped) = (0_u32, Losses::new());
    while dropped.is_empty() {
        dropped
            .add_all(&spool.append(&records(appended..appended + 100), NOW + u64::from(appended)).unwrap());
        appended += 100;
    }
    let used: u64 = spool.segments().unwrap().iter().map(|found| found.len).sum();
    assert!(used <= 200_000, "{used}");
    let (numbers, losses) = drain(&spool);
    let mut dropped = dropped.take();
    let (reason, count) = dropped.next().unwrap();
    assert_eq!((reason, losses.is_empty()), (Reason::StoreFull, true));
    assert_eq!(numbers, (count..appended).collect::<Vec<u32>>());
}

#[test]
fn nothing_is_kept_longer_than_30_days() {
    let state = State::new();
    let spool = spool(state.path());
    spool.append(&records(0..3), NOW).unwrap();
    spool.append(&records(3..4), NOW + 20 * 24 * 3_600).unwrap();
    let mut dropped = spool.expire(NOW + 30 * 24 * 3_600);
    assert_eq!(dropped.take().collect::<Vec<_>>(), [(Reason::Expired, 3)]);
    assert_eq!(drain(&spool).0, [3]);
}

#[test]
fn records_of_another_version_wait_for_it() {
    let state = State::new();
    let old = spool(state.path());
    let new = Spool::new(state.path(), Checked::<Two>::DESCRIPTOR, consent());
    old.append(&records(0..3), NOW).unwrap();
    assert!(
        new.is_empty() && new.upload().unwrap().unwrap().next(Checked::<Two>::DESCRIPTOR).unwrap().is_none()
    );
    new.append(&records(3..6), NOW).unwrap();
    assert_eq!(drain(&old).0, [0, 1, 2]);
}

#[test]
fn a_folder_that_cannot_be_written_is_an_error_and_no_panic() {
    let state = State::new();
    let blocked = state.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let spool = spool(&blocked);
    assert!(spool.append(&records(0..1), NOW).is_err());
    assert!(spool.upload().unwrap().is_none() && spool.is_empty());
}

#[cfg(unix)]
#[test]
fn nobody_else_may_look_into_it() {
    use std::os::unix::fs::PermissionsExt;
    let state = State::new();
    let spool = spool(&state.path().join("state"));
    spool.append(&records(0..1), NOW).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&spool.folder), 0o700);
    assert_eq!(mode(&files(&spool)[0]), 0o600);
}

/// A folder on a disk of `kibibytes`, or `None` where this user may not mount one.
#[test]
fn a_full_disk_is_an_error_and_costs_nothing_that_was_appended() {
    let _alone = ALONE.write().unwrap_or_else(PoisonError::into_inner);
    let Some(disk) = Disk::mount("size=64k") else { return };
    let spool = spool(disk.path());
    let mut committed = Vec::new();
    let mut failed = 0;
    for start in (0..20_000).step_by(100) {
        match spool.append(&records(start..start + 100), NOW) {
            Ok(dropped) => {
                assert!(dropped.is_empty());
                committed.extend(start..start + 100);
            }
            Err(_) => failed += 1,
        }
    }
    assert!(failed > 0 && !committed.is_empty(), "{failed} failed, {} did not", committed.len());
    assert_eq!(drain(&spool), (committed, Losses::new()));
    // There is room again.
    spool.append(&records(0..100), NOW).unwrap();
    assert_eq!(drain(&spool).0.len(), 100);
}

mod killed;
