//! Stacks of crashes with functions, files and lines, where the programs' files were given.

use automagik_telemetry_symbolize::backtrace::Symbolizer;
use automagik_telemetry_symbolize::builds::Builds;
use automagik_telemetry_symbolize::crashes;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// What turns a crash's stack into functions, or nothing that does.
#[derive(Debug, Default)]
pub struct Stacks(Option<Mutex<Symbolizer>>);

impl Stacks {
    /// That of the programs and debug files in `folder`, if there is one.
    ///
    /// # Errors
    ///
    /// Where it can't be read.
    pub fn of(folder: Option<&Path>) -> Result<Self, String> {
        let Some(folder) = folder else { return Ok(Self::default()) };
        let builds =
            Builds::read(folder).map_err(|error| format!("{}: can't be read ({error})", folder.display()))?;
        Ok(Self(Some(Mutex::new(Symbolizer::new(builds)))))
    }

    /// The number that crashes have alike whose functions are the same, and the crash of these attributes, a JSON object, as text; nothing where its file is not
    /// there.
    #[must_use]
    pub fn functions(&self, attributes: &str) -> Option<(u64, String)> {
        let crash = crashes::read(attributes.as_bytes()).ok()?.pop()?;
        // A file that is none can't do more than fail.
        let mut symbolizer = self.0.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        let backtrace = symbolizer.backtrace(crash);
        backtrace.is_known.then(|| (backtrace.group(), backtrace.text(false)))
    }
}
