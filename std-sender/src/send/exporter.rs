//! Requests of others, posted as our own are: for a gateway, which forwards what devices recorded.

use crate::person::environment::Environment;
use crate::send::body::Encoded;
use crate::send::endpoint::Endpoint;
use crate::send::failure::Failure;
use crate::send::flight::Flight;
use crate::send::http::{Http, Route};
use crate::send::settings::{self, Settings, TIMEOUT};
use automagik_telemetry_core::Outcome;
use automagik_telemetry_core::otlp::Signal;
use std::sync::Arc;

/// Posts OTLP requests to a collector: the timeout, headers, compression, certificates and proxies are those that [`settings`] lists, and no
/// redirect is followed. It keeps no log, and asks nobody: who made the requests had consent.
///
/// ```no_run
/// use automagik_telemetry_core::{Outcome, otlp::Signal};
/// use automagik_telemetry_std::{Environment, Exporter, endpoint::Endpoint};
///
/// # async fn forward(request: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
/// let endpoint = Endpoint::parse("http://localhost:4318")?;
/// let (mut exporter, _warnings) = Exporter::new(&endpoint, &Environment::of_process()).map_err(|(_, error)| error)?;
/// let (outcome, failure) = exporter.post(Signal::Logs, request).await;
/// assert!(outcome == Outcome::Accepted || failure.is_some());
/// # Ok(())
/// # }
/// ```
pub struct Exporter {
    http: Http,
}

impl Exporter {
    /// One that posts to `endpoint` as the variables of `environment` say, and what to warn of.
    ///
    /// # Errors
    ///
    /// The name of a variable, and what is wrong with it.
    pub fn new(
        endpoint: &Endpoint,
        environment: &Environment,
    ) -> Result<(Self, Vec<String>), (String, settings::Error)> {
        let mut warnings = Vec::new();
        let mut route = |signal| {
            let (settings, warned) = Settings::of(environment, signal, Some(TIMEOUT), true)?;
            warnings.extend(warned);
            Ok(Route::new(endpoint.clone(), settings))
        };
        let http = Http {
            log: None,
            health: None,
            failure: None,
            logs: route(Signal::Logs)?,
            metrics: route(Signal::Metrics)?,
            flight: Arc::new(Flight::default()),
        };
        Ok((Self { http }, warnings))
    }

    /// Posts `request`, and returns what became of it, and why it was not taken.
    pub async fn post(&mut self, signal: Signal, request: &[u8]) -> (Outcome, Option<Failure>) {
        let answered = self.http.post(signal, &mut Encoded::new(request.to_vec())).await;
        self.http.flight.land();
        answered
    }
}

impl core::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Exporter(..)")
    }
}
