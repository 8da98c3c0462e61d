//! What an operator says: a TOML file, and flags, which beat it.

use crate::known::keys::Keys;
use crate::known::manifests::Manifests;
use crate::links::mqtt::Mqtt;
use crate::links::serial::Serial;
use automagik_telemetry_std::endpoint::Endpoint;
use automagik_telemetry_std::{Environment, Exporter};
use serde::Deserialize;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// When a frame is acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Acknowledge {
    /// When it is on this gateway's disk: it is lost if that disk is.
    #[default]
    Disk,
    /// When the collector has it.
    Collector,
}

/// All settings. Each has the default that its name says in `docs/GATEWAY.md`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// The folder of what is kept.
    pub state: Option<PathBuf>,
    /// The folder of manifests.
    pub manifests: Option<PathBuf>,
    /// The folder of keys.
    pub keys: Option<PathBuf>,
    /// The collector's base, such as `http://localhost:4318`.
    pub collector: Option<String>,
    /// When a frame is acknowledged.
    pub acknowledge: Acknowledge,
    /// Whether each log record has a name of its own, `log.record.uid`: the same at each gateway, so that a backend can keep one of each.
    pub record_uid: bool,
    /// Addresses to take datagrams at.
    pub udp: Vec<SocketAddr>,
    /// Addresses to take streams at.
    pub tcp: Vec<SocketAddr>,
    /// Addresses to take OTLP over HTTP at, from programs on this network.
    pub http: Vec<SocketAddr>,
    /// Brokers to hear.
    pub mqtt: Vec<Mqtt>,
    /// Serial devices to take streams from.
    pub serial: Vec<Serial>,
    /// Whether to take a stream from standard input, and answer on standard output.
    pub stdin: bool,
    /// Where to answer questions about itself: a loopback address.
    pub health: Option<SocketAddr>,
    /// Limits of what is kept.
    pub store: Store,
}

/// Limits of what is kept.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// Most bytes of frames that wait for the collector.
    pub bytes: u64,
    /// How long records that are missing may still come, in seconds, after the last frame of their boot.
    pub gap_seconds: u64,
}

impl Default for Store {
    fn default() -> Self {
        Self { bytes: 64 << 20, gap_seconds: 3_600 }
    }
}

/// Settings that hold together, and what they lead to.
pub struct Ready {
    /// The settings.
    pub settings: Settings,
    /// Keys and manifests, as they are now.
    pub known: (Keys, Manifests),
    /// Posts requests of what was kept.
    pub exporter: Exporter,
    /// Posts requests of programs before they are answered, where the operator chose so.
    pub through: Option<Exporter>,
}

impl Settings {
    /// Those of the file at `path`.
    ///
    /// # Errors
    ///
    /// Where it can't be read, or a line of it is wrong: which, and what is expected there.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: can't be read ({error})", path.display()))?;
        toml::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
    }

    /// The folder of keys and that of manifests, read.
    ///
    /// # Errors
    ///
    /// Which file is wrong, and what to do.
    pub fn known(&self) -> Result<(Keys, Manifests), String> {
        let missing = |what: &str| format!("no {what}: set `{what}` in the file, or --{what}");
        let keys = match self.keys.as_deref() {
            Some(keys) => Keys::load(keys).map_err(|error| error.to_string())?,
            None if self.takes_frames() => return Err(missing("keys")),
            None => Keys::default(),
        };
        let manifests = self.manifests.as_deref().ok_or_else(|| missing("manifests"))?;
        let manifests = Manifests::load(manifests).map_err(|error| error.to_string())?;
        Ok((keys, manifests))
    }

    /// Whether frames can arrive, and not only requests of programs.
    const fn takes_frames(&self) -> bool {
        !(self.udp.is_empty() && self.tcp.is_empty() && self.mqtt.is_empty() && self.serial.is_empty())
            || self.stdin
    }

    /// Checks all of them.
    ///
    /// # Errors
    ///
    /// What is wrong, and what to do.
    pub fn ready(self) -> Result<(Ready, Vec<String>), String> {
        let mut warnings = Vec::new();
        let collector = self.collector.as_deref();
        let collector = collector.ok_or(
            "no collector: set `collector` in the file, or --collector, as in http://localhost:4318",
        )?;
        let endpoint = Endpoint::parse(collector).map_err(|error| format!("collector {error}"))?;
        let exporter = || {
            Exporter::new(&endpoint, &Environment::of_process())
                .map_err(|(name, error)| format!("{name} {error}"))
        };
        let through = if self.acknowledge == Acknowledge::Collector { Some(exporter()?.0) } else { None };
        let (exporter, warned) = exporter()?;
        warnings.extend(warned);
        if self.state.is_none() {
            return Err(
                "no state: set `state` in the file, or --state, to a folder of this gateway's own".to_owned()
            );
        }
        if !self.takes_frames() && self.http.is_empty() {
            return Err(
                "no link: set `udp`, `tcp`, `http`, `mqtt`, `serial` or `stdin` in the file, or --udp, --tcp, --http or --stdin"
                    .to_owned(),
            );
        }
        if let Some(health) = self.health.filter(|health| !health.ip().is_loopback()) {
            return Err(format!(
                "health {health}: is no loopback address: use 127.0.0.1, and a proxy where others ask"
            ));
        }
        for mqtt in &self.mqtt {
            mqtt.options()?;
        }
        let known = self.known()?;
        if self.takes_frames() && known.0.all().is_empty() {
            warnings.push(
                "there is no key: no frame can be opened until one is put there and SIGHUP is sent"
                    .to_owned(),
            );
        }
        if known.1.all().next().is_none() {
            warnings.push(
                "there is no manifest: nothing is taken until one is put there and SIGHUP is sent".to_owned(),
            );
        }
        Ok((Ready { settings: self, known, exporter, through }, warnings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_in_the_file_names_its_line_and_what_is_expected() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gateway.toml");
        for (text, parts) in [
            ("collector = 'http://localhost:4318'\nudq = []\n", ["line 2", "unknown field `udq`"]),
            ("acknowledge = 'never'\n", ["line 1", "`disk` or `collector`"]),
            ("\nudp = ['nowhere']\n", ["line 2", "invalid socket address"]),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Settings::read(&path).unwrap_err();
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }

    #[test]
    fn the_example_and_the_page_for_operators_are_settings() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let example = Settings::read(&root.join("gateway.toml")).unwrap();
        assert_eq!(example.udp, ["[::]:4319".parse().unwrap()]);
        let page = std::fs::read_to_string(root.join("../docs/GATEWAY.md")).unwrap();
        let (_, block) = page.split_once("```toml\n").unwrap();
        let settings: Settings = toml::from_str(block.split_once("```").unwrap().0).unwrap();
        assert_eq!(format!("{settings:?}"), format!("{example:?}"));
    }

    #[test]
    fn what_is_missing_is_named() {
        let said = |settings: Settings| settings.ready().map(|_| ()).unwrap_err();
        assert!(said(Settings::default()).contains("--collector"));
        let collector = Some("http://localhost:4318".to_owned());
        assert!(said(Settings { collector: collector.clone(), ..Settings::default() }).contains("--state"));
        let state = Some(PathBuf::from("state"));
        let settings = Settings { collector, state, ..Settings::default() };
        assert!(said(settings.clone()).contains("--udp"));
        let settings = Settings { stdin: true, ..settings };
        assert!(said(settings.clone()).contains("--keys"));
        let programs =
            Settings { stdin: false, http: vec!["127.0.0.1:0".parse().unwrap()], ..settings.clone() };
        assert!(said(programs).contains("--manifests"), "where there are no frames, no key is needed");
        let health = Some("0.0.0.0:9464".parse().unwrap());
        assert!(said(Settings { health, ..settings }).contains("loopback"));
    }
}
