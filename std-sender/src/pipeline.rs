//! What a worker is made of, put to work: for as long as the program lives, or once.

use crate::http::Http;
use crate::recorder::Recorder;
use crate::spool::Spool;
use crate::store::{Drain, Store};
use crate::verbose::Verbose;
use crate::worker::{Intake, Worker};
use automagik_telemetry_core::resource::Resource;
use std::io::{self, Stderr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What a worker is made of.
pub(crate) struct Pipeline {
    pub(crate) resource: Resource,
    pub(crate) sender: Verbose<Http, Stderr>,
    pub(crate) interval: Duration,
    pub(crate) seed: u32,
    pub(crate) spool: Option<Spool>,
    pub(crate) drain: Drain,
}

impl Pipeline {
    /// An empty store before the spool.
    pub(crate) fn store(&self) -> Store {
        Store::new(self.resource.schema(), self.spool.clone(), self.drain)
    }

    /// Works until `recorder` says that it is enough.
    pub(crate) fn run(self, recorder: &Recorder, store: &Mutex<Store>) -> io::Result<()> {
        let runtime = runtime()?;
        runtime.block_on(self.worker(recorder, store).run());
        Ok(())
    }

    /// Delivers what waits, for `most` at most and as long as `is_agreed`.
    pub(crate) fn upload(
        self,
        most: Duration,
        is_agreed: impl Fn() -> bool + Send + 'static,
    ) -> io::Result<()> {
        let (recorder, store) = (Recorder::new(), Mutex::new(self.store().while_agreed(is_agreed)));
        let runtime = runtime()?;
        let _ = runtime.block_on(async {
            tokio::time::timeout(most, self.worker(&recorder, &store).upload_once()).await
        });
        store.lock().unwrap_or_else(PoisonError::into_inner).close(&recorder);
        Ok(())
    }

    fn worker<'a>(
        self,
        recorder: &'a Recorder,
        store: &'a Mutex<Store>,
    ) -> Worker<'a, Verbose<Http, Stderr>> {
        Worker::new(Intake::new(recorder, store), self.resource, self.sender, self.interval, self.seed)
    }
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}
