//! What a worker is made of, put to work: for as long as the program lives, or once.

use crate::kept::recorder::Recorder;
use crate::kept::spool::Spool;
use crate::kept::store::{Drain, Store};
use crate::person::signals::Standing;
use crate::run::intake::Intake;
use crate::run::worker::Worker;
use crate::send::flight::Flight;
use crate::send::http::Http;
use crate::send::verbose::Verbose;
use automagik_telemetry_core::resource::Resource;
use std::io::{self, Stderr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What a worker is made of.
pub(crate) struct Pipeline {
    pub(crate) resource: Resource,
    pub(crate) sender: Verbose<Http, Stderr>,
    pub(crate) interval: Duration,
    pub(crate) seed: u32,
    pub(crate) spool: Option<Spool>,
    pub(crate) drain: Drain,
    pub(crate) flight: Arc<Flight>,
}

/// How long a worker that could not begin waits before it tries again: descriptors may be free then.
const AGAIN: Duration = Duration::from_secs(1);

impl Pipeline {
    /// An empty store before the spool.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.resource.schema(), self.spool.clone(), self.drain, crate::files::clock::unix_seconds)
    }

    /// Works until `recorder` says that it is enough. It is the whole of a thread.
    pub(crate) fn run(self, recorder: &Recorder, store: &Mutex<Store>) {
        block_signals();
        while !recorder.is_stopping() {
            match runtime() {
                Ok(runtime) => {
                    runtime.block_on(self.worker(recorder, store).run());
                    break;
                }
                Err(_) => recorder.wait_to_stop(AGAIN),
            }
        }
        recorder.end();
    }

    /// Delivers what waits, for `most` at most and as long as the person agrees; says whether all of it. It needs a thread of its own: whoever calls may be
    /// inside a runtime.
    pub(crate) fn upload(
        self,
        most: Duration,
        standing: impl Fn() -> Standing + Send + 'static,
    ) -> io::Result<bool> {
        block_signals();
        let (recorder, store) =
            (Recorder::new(), Mutex::new(self.store().while_agreed(standing, Arc::default())));
        let is_done = runtime()?.block_on(self.worker(&recorder, &store).upload_for(most));
        store.lock().unwrap_or_else(PoisonError::into_inner).close(&recorder);
        Ok(is_done)
    }

    fn worker<'a>(
        self,
        recorder: &'a Recorder,
        store: &'a Mutex<Store>,
    ) -> Worker<'a, Verbose<Http, Stderr>> {
        let intake = Intake::new(recorder, store);
        Worker::new(intake, self.resource, self.sender, self.flight, self.interval, self.seed)
    }
}

/// No signal of the host's is handled on this thread, and none that a write may raise (SIGPIPE, SIGXFSZ) ends the host.
fn block_signals() {
    #[cfg(unix)]
    let _ = nix::sys::signal::SigSet::all().thread_block();
}

/// What requests run on.
pub(crate) fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
