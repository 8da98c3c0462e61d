//! How delivery goes: what the last request of a program became, for whoever asks.
//!
//! A file of lines beside the log of what was sent, replaced as a whole. It holds no address and nothing that a server said:
//!
//! ```text
//! taken <seconds since 1970>
//! failed <seconds since 1970> <how often in a row> <kind> <detail>      (see `Failure`)
//! ```

use crate::files::disk;
use crate::send::failure::Failure;
use automagik_telemetry_core::Consent;
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Its name in the folder of the log.
const FILE: &str = "health";

/// Most bytes that are read of it.
const BYTES_MAX: u64 = 4_096;

/// How often it is noted that all goes on being well, in seconds.
const NEWS_SECONDS: u64 = 3_600;

/// How delivery goes.
///
/// ```
/// use automagik_telemetry_std::Health;
/// assert_eq!(Health::default().last_failure, None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// When a request was last taken, in seconds since 1970; to the hour while all goes well.
    pub last_taken: Option<u64>,
    /// The last failure, and when it was, in seconds since 1970. It is kept when requests are taken again.
    pub last_failure: Option<(u64, Failure)>,
    /// How many requests in a row were not taken.
    pub failures_in_a_row: u32,
}

impl Health {
    /// That which was noted in the folder of the log.
    pub(crate) fn read(folder: &Path) -> Self {
        let Ok(Some(bytes)) = disk::read(&folder.join(FILE), BYTES_MAX) else { return Self::default() };
        let mut health = Self::default();
        for line in String::from_utf8_lossy(&bytes).lines() {
            let mut words = line.split(' ');
            let word = words.next();
            let mut number = || words.next()?.parse::<u64>().ok();
            match word {
                Some("taken") => health.last_taken = number(),
                Some("failed") => {
                    let (time, count, kind, detail) = (number(), number(), number(), number());
                    let small = |number: Option<u64>| u32::try_from(number?).ok();
                    health.failures_in_a_row = small(count).unwrap_or(0);
                    health.last_failure = small(kind)
                        .zip(small(detail))
                        .and_then(|(kind, detail)| time.zip(Failure::from_numbers(kind, detail)));
                }
                _ => {}
            }
        }
        health
    }

    fn encode(&self) -> String {
        let mut text = String::new();
        if let Some(time) = self.last_taken {
            let _ = writeln!(text, "taken {time}");
        }
        if let Some((time, failure)) = self.last_failure {
            let (kind, detail) = failure.numbers();
            let _ = writeln!(text, "failed {time} {} {kind} {detail}", self.failures_in_a_row);
        }
        text
    }
}

/// Notes how delivery goes.
#[derive(Clone, Debug)]
pub(crate) struct HealthLog {
    folder: PathBuf,
}

impl HealthLog {
    pub(crate) fn new(folder: PathBuf, _: Consent) -> Self {
        Self { folder }
    }

    /// Notes what a request became at `now`. Where that can't be kept, delivery goes on.
    pub(crate) fn note(&self, failure: Option<Failure>, now: u64) {
        let before = Health::read(&self.folder);
        let mut after = before;
        match failure {
            Some(failure) => {
                after.last_failure = Some((now, failure));
                after.failures_in_a_row = before.failures_in_a_row.saturating_add(1);
            }
            None => {
                after.failures_in_a_row = 0;
                let is_news = before.failures_in_a_row > 0
                    || before.last_taken.is_none_or(|time| now.abs_diff(time) >= NEWS_SECONDS);
                if is_news {
                    after.last_taken = Some(now);
                }
            }
        }
        if after != before {
            let _ = disk::make_folder(&self.folder)
                .and_then(|()| disk::publish(&self.folder, FILE, after.encode().as_bytes()));
        }
    }
}

/// Deletes the health that stands in the folder of a log.
pub(crate) fn clear(folder: &Path) {
    let _ = std::fs::remove_file(folder.join(FILE));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::consent;

    const NOW: u64 = 1_761_048_000;

    #[test]
    fn what_was_noted_is_read_again() {
        let state = tempfile::tempdir().unwrap();
        let log = HealthLog::new(state.path().to_owned(), consent());
        let health = || Health::read(state.path());
        assert_eq!(health(), Health::default());
        log.note(None, NOW);
        log.note(Some(Failure::Status(404)), NOW + 1);
        log.note(Some(Failure::Refused), NOW + 2);
        let failing = Health {
            last_taken: Some(NOW),
            last_failure: Some((NOW + 2, Failure::Refused)),
            failures_in_a_row: 2,
        };
        assert_eq!(health(), failing);
        log.note(None, NOW + 3);
        assert_eq!(health(), Health { last_taken: Some(NOW + 3), failures_in_a_row: 0, ..failing });
    }

    #[test]
    fn that_all_goes_on_being_well_is_noted_once_an_hour() {
        let state = tempfile::tempdir().unwrap();
        let log = HealthLog::new(state.path().to_owned(), consent());
        (0..NEWS_SECONDS).for_each(|later| log.note(None, NOW + later));
        assert_eq!(Health::read(state.path()).last_taken, Some(NOW));
    }

    #[test]
    fn noise_in_its_place_is_nothing() {
        let state = tempfile::tempdir().unwrap();
        HealthLog::new(state.path().to_owned(), consent()).note(None, NOW);
        std::fs::write(state.path().join(FILE), b"failed x\ntaken\n\xFF 7 7").unwrap();
        assert_eq!(Health::read(state.path()), Health::default());
    }
}
