//! What a person may see, change, take along and delete. Policy: "Your Control", "Transparency", "Data Subject Rights".

use crate::files::busy;
use crate::files::clock;
use crate::kept::identity;
use crate::kept::spool;
use crate::kept::spool::Batch;
use crate::person::agreed;
use crate::person::choice;
use crate::person::environment::Environment;
use crate::person::inventory::Inventory;
use crate::person::signals;
use crate::send::body;
use crate::send::endpoint;
use crate::send::health::Health;
use crate::send::sent::{self, Became};
use crate::shown::page::{self, Request, Shown};
use crate::shown::status::Status;
use crate::shown::trial;
use crate::{BATCH_RECORDS_MAX, decode};
use automagik_telemetry_core::consent::{Decision, decide};
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_core::resource::Resource;
use automagik_telemetry_core::schema::Checked;
use automagik_telemetry_core::{Pseudonym, Schema};
use core::marker::PhantomData;
use serde_json::{Map, Value};
use std::io;
use std::path::{Path, PathBuf};

/// What users can see, change, export and delete, for a program of the schema `S`. Create it with
/// [`Builder::rights`](crate::Builder::rights). Only [`test`](Rights::test) uses the network.
#[derive(Clone, Debug)]
pub struct Rights<S> {
    environment: Environment,
    opt_out: bool,
    schema: PhantomData<fn(S)>,
}

/// Records that wait for delivery.
#[derive(Clone, Debug, Default)]
pub struct Waiting {
    /// Each event and count as it would be sent, with all attributes. Empty when telemetry is off: without consent there is no
    /// pseudonym to show it with.
    pub shown: Vec<Map<String, Value>>,
    /// How many more are waiting: those of other versions of the program, or all when telemetry is off.
    pub others: usize,
}

/// A request that was sent.
#[derive(Clone, Debug)]
pub struct SentRequest {
    /// When it ended, in seconds since 1970.
    pub unix_seconds: u64,
    /// What became of it.
    pub became: Became,
    /// Each event and count in it, with all attributes.
    pub shown: Vec<Map<String, Value>>,
}

/// What was deleted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deleted {
    /// The file of the installation's secret, from which every pseudonym was derived.
    pub identity: Option<PathBuf>,
    /// Waiting records, of all programs.
    pub records: usize,
    /// Requests in the transparency logs, of all programs.
    pub requests: usize,
}

/// Something that could not be done.
#[derive(Debug)]
pub struct RightsError {
    /// The file or folder.
    pub path: Option<PathBuf>,
    /// Why.
    pub error: io::Error,
}

impl core::fmt::Display for RightsError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{}: {}", path.display(), self.error),
            None => self.error.fmt(f),
        }
    }
}

impl core::error::Error for RightsError {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

impl<S: Schema> Rights<S> {
    pub(crate) fn new(environment: Environment, opt_out: bool) -> Self {
        Self { environment, opt_out, schema: PhantomData }
    }

    /// Returns whether telemetry would be on now, and which signal decides.
    #[must_use]
    pub fn decision(&self) -> Decision {
        decide(&signals::collect(&self.environment, Checked::<S>::DESCRIPTOR, self.opt_out))
    }

    /// Returns whether telemetry is on, what decided that, and where data go.
    #[must_use]
    pub fn status(&self) -> Status {
        Status::new(&self.environment, Checked::<S>::DESCRIPTOR, self.opt_out, self.decision())
    }

    /// Returns the state of delivery: when a request was last accepted, and why the last failure happened.
    #[must_use]
    pub fn health(&self) -> Health {
        let project = Checked::<S>::DESCRIPTOR.project();
        self.environment
            .state()
            .map_or_else(Health::default, |state| Health::read(&sent::folder(state, project)))
    }

    /// Sends one request to the collector now, and writes a line per step to `tell`: the address and what it resolved to, the
    /// connection, the TLS version and the certificate, the answer, and the time that each took. The request holds constants only, no
    /// pseudonym and no event of the program. It is sent whatever the decision is: if that is a no, ask the user first.
    ///
    /// # Errors
    ///
    /// The reason and what to do about it, if the request was not accepted.
    pub fn test(&self, mut tell: impl FnMut(String)) -> Result<(), String> {
        trial::run(&self.environment, Checked::<S>::DESCRIPTOR, &mut tell).map_err(|error| error.to_string())
    }

    /// Returns everything that the program could ever send.
    #[must_use]
    pub fn inventory(&self) -> Inventory {
        Inventory::of::<S>()
    }

    /// Stores a yes for all programs of the organization, and returns the file. Another signal may still say no: see
    /// [`decision`](Rights::decision).
    ///
    /// # Errors
    ///
    /// If it cannot be stored.
    pub fn turn_on(&self) -> Result<PathBuf, RightsError> {
        self.keep(true)
    }

    /// Stores a no for all programs of the organization, and deletes the waiting records without sending them first. Running programs
    /// notice before their next request. Returns the answer's file and how many records were deleted.
    ///
    /// # Errors
    ///
    /// If it cannot be stored, or something cannot be deleted. The rest is done all the same.
    pub fn turn_off(&self) -> Result<(PathBuf, usize), RightsError> {
        let kept = self.keep(false);
        let records = self.drop_waiting();
        Ok((kept?, records?))
    }

    /// Returns the records that wait for delivery.
    #[must_use]
    pub fn waiting(&self) -> Waiting {
        let (batches, others) = self.waiting_batches();
        let shown = batches.iter().flat_map(|(signal, body)| shown(*signal, body)).collect();
        Waiting { shown, others }
    }

    /// Returns what was sent in the last 30 days, from the transparency log, oldest first.
    #[must_use]
    pub fn sent(&self) -> Vec<SentRequest> {
        self.entries()
            .into_iter()
            .map(|entry| SentRequest {
                unix_seconds: entry.unix_seconds,
                became: entry.became,
                shown: shown(entry.signal, &entry.body),
            })
            .collect()
    }

    /// Returns all of the above as one page of HTML: whether telemetry is on and who decided, what waits, what was sent, what could be said. It has no script and
    /// loads nothing.
    ///
    /// ```
    /// # use automagik_telemetry_core::{FeatureUsed, Label};
    /// # use automagik_telemetry_derive::{Label, Schema};
    /// # extern crate automagik_telemetry_core as automagik_telemetry;
    /// # #[derive(Label, Clone, Copy)]
    /// # enum Feature { ListContacts }
    /// # #[derive(Schema)]
    /// # #[schema(organization = "automagik", project = "omni")]
    /// # enum Omni { FeatureUsed(FeatureUsed<Feature>) }
    /// use automagik_telemetry_std::Telemetry;
    /// let page = Telemetry::<Omni>::builder().rights().page();
    /// assert!(page.starts_with("<!doctype html>") && page.contains("list_contacts"));
    /// ```
    #[must_use]
    pub fn page(&self) -> String {
        let (waiting, sent) = (self.waiting(), self.sent());
        let requests = sent.iter().map(|sent| Request {
            unix_seconds: sent.unix_seconds,
            became: sent.became,
            events: &sent.shown,
        });
        let requests: Vec<Request<'_>> = requests.collect();
        page::page(&Shown {
            project: Checked::<S>::DESCRIPTOR.project(),
            status: &self.status(),
            inventory: &self.inventory(),
            waiting: &waiting.shown,
            others: waiting.others,
            sent: &requests,
            now: clock::unix_seconds(),
        })
    }

    /// Returns the requests of the last 30 days and those that wait, in OTLP's JSON encoding, for any tool that reads it.
    #[must_use]
    pub fn export(&self) -> Vec<Value> {
        let sent = self.entries().into_iter().map(|entry| (entry.signal, entry.body));
        let waiting = self.waiting_batches().0;
        sent.chain(waiting).filter_map(|(signal, body)| decode::otlp_json(signal, &body)).collect()
    }

    /// Deletes the secret, the waiting records and the transparency logs of all programs of the organization, which share the
    /// secret. The answer stays: if it is yes, the next run has a new pseudonym.
    ///
    /// # Errors
    ///
    /// If something cannot be deleted. The rest is deleted all the same.
    pub fn forget(&self) -> Result<Deleted, RightsError> {
        let mut deleted = Deleted::default();
        let Some(state) = self.environment.state() else { return Ok(deleted) };
        let secret = identity::path(state);
        let forgotten = match busy::retry(|| std::fs::remove_file(&secret)) {
            Ok(()) => {
                deleted.identity = Some(secret);
                Ok(())
            }
            Err(error) if is_nothing(&error) => Ok(()),
            Err(error) => Err(RightsError { path: Some(secret), error }),
        };
        let records = self.drop_waiting();
        let requests = each_project(state, |project| cleared(&sent::folder(state, project), sent::clear));
        // What is empty now.
        let _ = each_project(state, |project| {
            let _ = std::fs::remove_dir(state.join(project));
            Ok(0)
        });
        let _ = std::fs::remove_dir(state);
        forgotten?;
        deleted.records = records?;
        deleted.requests = requests?;
        Ok(deleted)
    }

    fn keep(&self, yes: bool) -> Result<PathBuf, RightsError> {
        let kept = choice::store(&self.environment, yes);
        if kept.is_ok() && yes {
            agreed::note(&self.environment, Checked::<S>::DESCRIPTOR);
        }
        kept.map_err(|error| RightsError { path: choice::path(&self.environment), error })
    }

    fn drop_waiting(&self) -> Result<usize, RightsError> {
        let Some(state) = self.environment.state() else { return Ok(0) };
        each_project(state, |project| cleared(&spool::folder(state, project), spool::clear))
    }

    fn entries(&self) -> Vec<sent::Entry> {
        let project = Checked::<S>::DESCRIPTOR.project();
        let folder = self.environment.state().map(|state| sent::folder(state, project));
        folder.map_or_else(Vec::new, |folder| sent::entries(&folder, clock::unix_seconds()))
    }

    /// What waits, as the bodies that would be sent; and how many records wait beside.
    fn waiting_batches(&self) -> (Vec<(Signal, Vec<u8>)>, usize) {
        let schema = Checked::<S>::DESCRIPTOR;
        let Some(state) = self.environment.state() else { return (Vec::new(), 0) };
        let destinations = endpoint::destinations(&self.environment, schema.endpoint());
        let spool::Waiting { records, others, crashes, .. } =
            spool::waiting(&spool::folder(state, schema.project()), schema, destinations);
        let secret = self.decision().consent().filter(|_| !records.is_empty() || !crashes.is_empty());
        let Some(secret) = secret.and_then(|consent| identity::secret(Some(state), consent)) else {
            return (Vec::new(), others + records.len() + crashes.len());
        };
        let resource = Resource::new(schema, Pseudonym::new(&secret, schema.project(), 0));
        let of_one_signal = records.chunk_by(|a, b| Signal::of(a) == Signal::of(b));
        let bodies = of_one_signal.flat_map(|records| records.chunks(BATCH_RECORDS_MAX)).map(|records| {
            let signal = Signal::of(&records[0]);
            (signal, body::encode(&resource, &Batch::in_memory(signal, records.to_vec(), None)))
        });
        let crashes = crashes.into_iter().map(Batch::of_crash);
        let crashes = crashes.map(|batch| (batch.signal, body::encode(&resource, &batch)));
        (crashes.chain(bodies).collect(), others)
    }
}

fn shown(signal: Signal, body: &[u8]) -> Vec<Map<String, Value>> {
    decode::sent(signal, body).unwrap_or_default().into_iter().map(|sent| sent.json).collect()
}

/// Does `work` for each program that has a folder, and sums up what it gives; the first error comes after all are done.
fn each_project(
    state: &Path,
    work: impl Fn(&std::ffi::OsStr) -> Result<usize, RightsError>,
) -> Result<usize, RightsError> {
    let folders = match std::fs::read_dir(state) {
        Ok(folders) => folders,
        Err(error) if is_nothing(&error) => return Ok(0),
        Err(error) => return Err(RightsError { path: Some(state.to_owned()), error }),
    };
    let projects = folders.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let (mut sum, mut failed) = (0, None);
    for project in projects {
        match work(&project.file_name()) {
            Ok(count) => sum += count,
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(sum), Err)
}

fn cleared(folder: &Path, clear: fn(&Path) -> io::Result<usize>) -> Result<usize, RightsError> {
    clear(folder).map_err(|error| RightsError { path: Some(folder.to_owned()), error })
}

fn is_nothing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
