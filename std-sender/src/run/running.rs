//! What exists only with consent, and how it ends.

use crate::kept::recorder::Recorder;
use crate::kept::store::Store;
use crate::person::organization::Organization;
use crate::run::background;
use crate::send::flight::Flight;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long the end of a program waits for delivery where what it recorded can't be kept on disk: in a container whose home is
/// read-only, on a full disk. Nothing is waited for where the last request got no answer.
pub const WAIT_WITHOUT_DISK: Duration = Duration::from_secs(2);

/// What exists only with consent.
pub(crate) struct Running {
    /// Reports panics as long as it is there.
    #[cfg(feature = "panics")]
    pub(crate) _reporting: Option<crate::run::panics::Reporting>,
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) store: Arc<Mutex<Store>>,
    pub(crate) flight: Arc<Flight>,
    /// Hears when the worker has ended.
    pub(crate) ended: Mutex<Receiver<()>>,
    /// How long to wait for delivery in the end.
    pub(crate) at_exit: Duration,
    /// Whose program it is.
    pub(crate) organization: Organization,
    /// Whether a process is left behind in the end, to deliver what waits.
    pub(crate) upload_in_background: bool,
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.recorder.is_of_this_process() {
            // A forked child: what is here is its parent's to deliver, and locks may be held by threads that it has not.
            return;
        }
        let store = || self.store.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.at_exit.is_zero() {
            let _ = self.recorder.flush(self.at_exit).recv_timeout(self.at_exit);
        }
        let is_kept = store().settle(&self.recorder);
        if !is_kept && self.at_exit.is_zero() && !self.flight.is_failing() {
            // There is no next run for what is not on disk.
            let _ = self.recorder.flush(WAIT_WITHOUT_DISK).recv_timeout(WAIT_WITHOUT_DISK);
        }
        self.recorder.stop();
        if let Some(grace) = self.flight.close() {
            let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = ended.recv_timeout(grace);
        }
        let spool = {
            let mut store = store();
            store.close(&self.recorder);
            store.spool()
        };
        if let (true, Some(spool)) = (self.upload_in_background, spool) {
            background::start(&spool, self.organization);
        }
    }
}
