//! What answers are made of: where things are kept, who may ask, and the one who writes.

use super::rate::Rate;
use crate::known::manifests::Manifests;
use crate::serve::database::Error;
use crate::serve::settings::{Secrets, Settings};
use crate::serve::store::Rules;
use crate::serve::views::answer;
use crate::serve::views::stacks::Stacks;
use crate::serve::writer::Writer;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::Semaphore;

/// Requests of programs that are read and taken apart at once: others wait.
const TAKEN_MAX: usize = 32;

/// What is read from files of others, again when the operator says so.
pub(super) struct Known {
    pub(super) manifests: Option<Manifests>,
    pub(super) stacks: Stacks,
}

impl Known {
    fn read(manifests: Option<&Path>, builds: Option<&Path>) -> Result<Arc<Self>, String> {
        let manifests = manifests.map(Manifests::load).transpose().map_err(|error| error.to_string())?;
        Ok(Arc::new(Self { manifests, stacks: Stacks::of(builds)? }))
    }
}

/// All that answers are made of.
pub struct Server {
    pub(super) state: PathBuf,
    pub(super) secrets: Secrets,
    pub(super) rules: Rules,
    pub(super) has_tls: bool,
    manifests: Option<PathBuf>,
    builds: Option<PathBuf>,
    known: RwLock<Arc<Known>>,
    pub(super) writer: Writer,
    /// Places for requests of programs that are read and taken apart.
    pub(super) taken: Semaphore,
    pub(super) rate: Rate,
}

impl Server {
    /// What answers with `settings` whoever has one of `secrets`.
    ///
    /// # Errors
    ///
    /// What is wrong with a setting, and what to do.
    pub fn new(settings: &Settings, secrets: Secrets) -> Result<Self, String> {
        Ok(Self {
            state: settings.state.clone(),
            secrets,
            rules: settings.rules(),
            known: RwLock::new(Known::read(settings.manifests.as_deref(), settings.builds.as_deref())?),
            manifests: settings.manifests.clone(),
            builds: settings.builds.clone(),
            has_tls: settings.tls_key.is_some(),
            writer: Writer::start(settings)?,
            taken: Semaphore::new(TAKEN_MAX),
            rate: Rate::new(settings.rate_max),
        })
    }

    /// Reads manifests and builds again.
    ///
    /// # Errors
    ///
    /// What is wrong with one: what was known stays.
    pub fn reload(&self) -> Result<(), String> {
        let known = Known::read(self.manifests.as_deref(), self.builds.as_deref())?;
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        Ok(())
    }

    /// What was read last.
    pub(super) fn known(&self) -> Arc<Known> {
        Arc::clone(&self.known.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Opens the sums, up to date.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&rusqlite::Connection) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Failed> {
        self.writer.sum_up().await;
        let (state, k) = (self.state.clone(), self.rules.k);
        let asked = tokio::task::spawn_blocking(move || ask(&answer::open(&state, k)?)).await;
        asked.map_err(|_| Failed::here("the question was given up"))?.map_err(Failed::here)
    }
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Server(..)")
    }
}

/// A question that could not be answered: why, and what to do.
pub(super) struct Failed(pub(super) StatusCode, pub(super) String);

impl Failed {
    /// Something is wrong with what was asked.
    pub(super) fn asked(why: &str) -> Self {
        Self(StatusCode::BAD_REQUEST, why.to_owned())
    }

    /// Something failed here.
    pub(super) fn here(why: impl std::fmt::Display) -> Self {
        Self(StatusCode::INTERNAL_SERVER_ERROR, why.to_string())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        (self.0, format!("{}\n", self.1)).into_response()
    }
}
