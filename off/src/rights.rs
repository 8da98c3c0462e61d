//! What a person may see, change, take along and delete where there is nothing: that there is nothing.

use crate::Failure;
use crate::endpoint::Endpoint;
use crate::telemetry::decision;
use automagik_telemetry_core::Schema;
use automagik_telemetry_core::consent::Decision;
use automagik_telemetry_core::manifest::{Error, Manifest};
use core::fmt;
use core::marker::PhantomData;
use serde_json::{Map, Value, json};
use std::io;
use std::path::PathBuf;

/// Most of the log of what was sent, in bytes, were there one.
pub const SENT_BYTES_MAX: u64 = 1 << 20;

/// Longest that an entry would stay in it, in seconds.
pub const SENT_SECONDS_MAX: u64 = 30 * 86_400;

/// What a person may do: see that there is nothing.
#[derive(Clone, Debug)]
pub struct Rights<S>(PhantomData<fn(S)>);

/// Records that wait for delivery: none.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Empty.
    pub shown: Vec<Map<String, Value>>,
    /// 0.
    pub others: usize,
}

/// A request that was sent: there is none.
#[derive(Clone, Debug)]
pub struct SentRequest {
    /// Seconds since 1970 when it was over.
    pub unix_seconds: u64,
    /// What became of it.
    pub became: Became,
    /// Each event and count in it.
    pub shown: Vec<Map<String, Value>>,
}

automagik_telemetry_core::interface!(became);

/// What was deleted: nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// `None`.
    pub identity: Option<PathBuf>,
    /// 0.
    pub records: usize,
    /// 0.
    pub requests: usize,
}

/// How delivery goes: it does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// `None`.
    pub last_taken: Option<u64>,
    /// `None`.
    pub last_failure: Option<(u64, Failure)>,
    /// 0.
    pub failures_in_a_row: u32,
}

/// Something that could not be done.
#[derive(Debug)]
pub struct RightsError {
    /// `None`.
    pub path: Option<PathBuf>,
    /// Why.
    pub error: io::Error,
}

impl fmt::Display for RightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl core::error::Error for RightsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<S: Schema> Rights<S> {
    pub(crate) fn new() -> Self {
        Self(PhantomData)
    }

    /// It is off: this build has no telemetry in it.
    #[must_use]
    pub fn decision(&self) -> Decision {
        decision()
    }

    /// Returns the same as text.
    #[must_use]
    pub fn status(&self) -> Status {
        Status(())
    }

    /// How delivery goes: it does not.
    #[must_use]
    pub fn health(&self) -> Health {
        Health::default()
    }

    /// Sends nothing.
    ///
    /// # Errors
    ///
    /// Always: this build has no telemetry in it.
    pub fn test(&self, _tell: impl FnMut(String)) -> Result<(), String> {
        Err(crate::LEFT_OUT.to_owned())
    }

    /// All that this build could send: nothing.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        Inventory(Vec::new())
    }

    /// Turns nothing on, and keeps no answer.
    ///
    /// # Errors
    ///
    /// Always: this build has no telemetry in it.
    pub fn turn_on(&self) -> Result<PathBuf, RightsError> {
        Err(RightsError { path: None, error: io::Error::new(io::ErrorKind::Unsupported, crate::LEFT_OUT) })
    }

    /// It is off already: no answer is kept (the path is empty), and nothing waited.
    ///
    /// # Errors
    ///
    /// None.
    pub fn turn_off(&self) -> Result<(PathBuf, usize), RightsError> {
        Ok((PathBuf::new(), 0))
    }

    /// Nothing waits.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        Waiting::default()
    }

    /// Nothing was sent.
    #[must_use]
    pub fn sent(&self) -> Vec<SentRequest> {
        Vec::new()
    }

    /// A page that says that there is nothing.
    #[must_use]
    pub fn page(&self) -> String {
        format!(
            "<!doctype html>\n<html lang=\"en\"><title>Telemetry</title><p>Telemetry is off: {}.</p></html>\n",
            crate::LEFT_OUT
        )
    }

    /// Nothing was sent, and nothing waits.
    #[must_use]
    pub fn export(&self) -> Vec<Value> {
        Vec::new()
    }

    /// There is nothing to delete. What a build with telemetry left behind stays.
    ///
    /// # Errors
    ///
    /// None.
    pub fn forget(&self) -> Result<Deleted, RightsError> {
        Ok(Deleted::default())
    }
}

/// That telemetry is off, and why.
#[derive(Debug)]
pub struct Status(());

impl Status {
    /// It is off: this build has no telemetry in it.
    #[must_use]
    pub fn decision(&self) -> Decision {
        decision()
    }

    /// Nowhere.
    #[must_use]
    pub fn endpoint(&self) -> Option<&Endpoint> {
        None
    }

    /// Nothing waits.
    #[must_use]
    pub fn waiting(&self) -> usize {
        0
    }

    /// Nothing is sent.
    #[must_use]
    pub fn is_readable_on_its_way(&self) -> bool {
        false
    }

    /// Returns the same as JSON.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({ "enabled": false, "because": crate::LEFT_OUT })
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Telemetry is off: {}.", crate::LEFT_OUT)
    }
}

/// All that this build could send: nothing.
#[derive(Clone, Debug)]
pub struct Inventory(Vec<u8>);

impl Inventory {
    /// That of a program: nothing.
    #[must_use]
    pub fn of<S: Schema>() -> Self {
        Self(Vec::new())
    }

    /// That of a manifest, from anybody.
    ///
    /// # Errors
    ///
    /// Where it is none, or breaks a rule.
    pub fn from_cbor(cbor: Vec<u8>) -> Result<Self, Error> {
        Manifest::decode(&cbor)?;
        Ok(Self(cbor))
    }

    /// Returns the manifest in CBOR: empty, but for one that was given.
    #[must_use]
    pub fn cbor(&self) -> &[u8] {
        &self.0
    }

    /// Returns the manifest.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`] where there is none.
    pub fn manifest(&self) -> Result<Manifest<'_>, Error> {
        Manifest::decode(&self.0)
    }

    /// Returns the inventory as JSON: no events and no metrics.
    ///
    /// # Errors
    ///
    /// None.
    pub fn json(&self) -> Result<Value, Error> {
        Ok(json!({ "events": [], "metrics": [] }))
    }

    /// Returns the inventory in Markdown: that there is nothing.
    ///
    /// # Errors
    ///
    /// None.
    pub fn markdown(&self) -> Result<String, Error> {
        Ok(self.to_string())
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Nothing can be sent: {}.", crate::LEFT_OUT)
    }
}
