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
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Requests of programs that are read and taken apart at once: others wait.
const TAKEN_MAX: usize = 32;

/// All that answers are made of.
pub struct Server {
    pub(super) state: PathBuf,
    pub(super) secrets: Secrets,
    pub(super) rules: Rules,
    pub(super) has_tls: bool,
    pub(super) stacks: Arc<Stacks>,
    pub(super) manifests: Option<Manifests>,
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
        let manifests = settings.manifests.as_deref().map(Manifests::load).transpose();
        Ok(Self {
            state: settings.state.clone(),
            secrets,
            rules: settings.rules(),
            stacks: Arc::new(Stacks::of(settings.builds.as_deref())?),
            has_tls: settings.tls_key.is_some(),
            manifests: manifests.map_err(|error| error.to_string())?,
            writer: Writer::start(settings)?,
            taken: Semaphore::new(TAKEN_MAX),
            rate: Rate::new(settings.rate_max),
        })
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
