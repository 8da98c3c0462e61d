//! Frames of devices: a gateway for them in this process (`run`), whose collector is this server. What it forwards comes in like any program's request.

use super::settings::Settings;
use crate::run::Gateway;
use crate::run::settings::{self as run, Ready};
use automagik_telemetry_std::endpoint::Endpoint;
use automagik_telemetry_std::{Environment, Exporter};
use std::net::SocketAddr;

/// Starts one with `settings`. It forwards to `server`, with `token` where writers need one.
///
/// # Errors
///
/// What is wrong with a setting, a key, a manifest or an address, and what to do.
pub async fn start(settings: &Settings, server: SocketAddr, token: Option<&str>) -> Result<Gateway, String> {
    let relay = run::Settings {
        state: Some(settings.state.join("frames")),
        manifests: settings.manifests.clone(),
        keys: settings.keys.clone(),
        udp: settings.udp.clone(),
        tcp: settings.tcp.clone(),
        ..run::Settings::default()
    };
    let known = relay.known()?;
    let endpoint = Endpoint::parse(&format!("http://{server}")).map_err(|error| error.to_string())?;
    // Nothing of this process's variables: they are about its own telemetry.
    let mut environment = Environment::at(&settings.state);
    if let Some(token) = token {
        environment =
            environment.with("AUTOMAGIK_TELEMETRY_HEADERS", format!("authorization=Bearer%20{token}"));
    }
    let (exporter, _) =
        Exporter::new(&endpoint, &environment).map_err(|(name, error)| format!("{name} {error}"))?;
    Gateway::start(Ready { settings: relay, known, exporter, through: None }).await
}
