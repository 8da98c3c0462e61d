//! A boot of a device, as the gateway knows it: who it is, what has arrived of it, when it began.

use super::placing::{Now, latest_start};
use super::received::Received;
use crate::known::keys::Known;
use automagik_telemetry_core::frames::{Boot, Statement};
use automagik_telemetry_core::time::Resolution;
use serde::{Deserialize, Serialize};

/// What is kept of a boot: on disk too, so that a frame is new once, before a restart and after it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// What names the key that opened its hello.
    pub key: u64,
    /// The half of a fingerprint.
    pub mark: u32,
    /// What stands for a version.
    pub version: [u8; 3],
    /// The installation's pseudonym.
    pub pseudonym: [u8; 16],
    /// What its records are named by.
    pub uid: [u8; 12],
    /// The step in which it began, as the device says.
    said_start: Option<u32>,
    /// The same, as arrivals say.
    latest_start: u32,
    /// The step in which it began, as the first interval of its metrics was placed: later ones follow it, though better may be known by then.
    counts_start: Option<u32>,
    /// When something arrived last, in seconds since 1970.
    pub seen: u64,
    /// What has arrived.
    pub received: Received,
}

impl Session {
    /// The boot whose first statement this is, opened with the key `known`.
    #[must_use]
    pub fn new(known: &Known, boot: Boot, statement: &Statement, now: Now, resolution: Resolution) -> Self {
        let mut session = Self {
            key: known.id,
            uid: known.key.uid(boot),
            mark: statement.fingerprint,
            version: statement.version,
            pseudonym: statement.pseudonym,
            said_start: None,
            latest_start: now.step(resolution),
            counts_start: None,
            seen: now.0,
            received: Received::default(),
        };
        session.hear(statement, now, resolution);
        session
    }

    /// Takes what the device says of when it began: it may have learned the time.
    pub fn hear(&mut self, statement: &Statement, now: Now, resolution: Resolution) {
        if let Some(start) = statement.start_before(now.step(resolution)) {
            self.said_start = Some(start);
        }
    }

    /// Learns from a record of `steps` that arrives `now`.
    pub fn learn(&mut self, steps: u32, now: Now, resolution: Resolution) {
        self.latest_start = self.latest_start.min(latest_start(now, steps, resolution));
        self.seen = now.0;
    }

    /// The step in which the boot began, as well as is known.
    #[must_use]
    pub fn start(&self) -> u32 {
        self.said_start.unwrap_or(self.latest_start)
    }

    /// The step in which the boot began, to its metrics: the same each time, so that intervals of one stream follow each other.
    pub fn counts_start(&mut self) -> u32 {
        let start = self.start();
        *self.counts_start.get_or_insert(start)
    }
}

/// A boot's number as the store has it: sessions that look alike in clear stand beside each other.
#[must_use]
pub fn number(boot: Boot) -> u64 {
    u64::from_be_bytes(boot.bytes())
}
