//! What whoever serves says: flags, each with a default that is safe on one's own machine.

use super::store::Rules;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Shortest secret.
const SECRET_MIN: usize = 16;

/// Flags of `telemetry-gateway serve`.
#[derive(Clone, Debug, clap::Args)]
pub struct Settings {
    /// Where to listen, for programs that send and for readers of the page.
    #[arg(long, default_value = "127.0.0.1:4318")]
    pub listen: SocketAddr,
    /// The folder of what is kept.
    #[arg(long, default_value = "telemetry")]
    pub state: PathBuf,
    /// A folder of manifests, *.cbor: what is in none of them is refused. Without it, whatever programs say is kept.
    #[arg(long)]
    pub manifests: Option<PathBuf>,
    /// An address to take frames of devices at, as datagrams.
    #[arg(long, requires_all = ["keys", "manifests"])]
    pub udp: Vec<SocketAddr>,
    /// An address to take frames at, as streams.
    #[arg(long, requires_all = ["keys", "manifests"])]
    pub tcp: Vec<SocketAddr>,
    /// A folder of devices' keys, *.key.
    #[arg(long)]
    pub keys: Option<PathBuf>,
    /// A folder of programs and their debug files, of any versions: stacks of crashes are shown as functions and lines.
    #[arg(long)]
    pub builds: Option<PathBuf>,
    /// How many days events are kept one by one, with their pseudonyms.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=3_650))]
    pub details_days: u64,
    /// How many days the daily sums are kept.
    #[arg(long, default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=3_650))]
    pub sums_days: u64,
    /// A combination of words is shown if at least so many installations said it in a day. Above 1 events are never shown one by one.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub k: u64,
    /// Most bytes on disk, in MiB: what comes then is answered with 503, and programs send it again.
    #[arg(long, default_value_t = 10_240)]
    pub disk_max: u64,
    /// Most requests a second: those above are answered with 429, and programs send them again.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub rate_max: u32,
    /// A file of certificates in PEM, that of this server first: it speaks TLS.
    #[arg(long, requires = "tls_key")]
    pub tls_certificates: Option<PathBuf>,
    /// The file of their key, in PEM.
    #[arg(long, requires = "tls_certificates")]
    pub tls_key: Option<PathBuf>,
    /// A file with the token that programs must send (`authorization: Bearer ...`).
    #[arg(long)]
    pub write_token: Option<PathBuf>,
    /// A file with the password that readers must give; the user's name is not looked at. Needed where others can reach the address.
    #[arg(long)]
    pub read_password: Option<PathBuf>,
}

/// Secrets that requests are compared with.
#[derive(Clone, Default)]
pub struct Secrets {
    /// What writers have: one of these. Anybody writes where there is none.
    pub write: Vec<String>,
    /// What readers have.
    pub read: Option<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(..)")
    }
}

impl Settings {
    /// How long things are kept, and what is shown of them.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        Rules { details_days: self.details_days, sums_days: self.sums_days, k: self.k }
    }

    /// Whether frames of devices can arrive.
    #[must_use]
    pub const fn takes_frames(&self) -> bool {
        !(self.udp.is_empty() && self.tcp.is_empty())
    }

    /// The secrets of the files.
    ///
    /// # Errors
    ///
    /// Where a file can't be read or its secret is too short, or a page that others can reach has no password.
    pub fn secrets(&self) -> Result<Secrets, String> {
        let read = |path: &Option<PathBuf>| path.as_deref().map(secret).transpose();
        let write = read(&self.write_token)?.into_iter().collect();
        let secrets = Secrets { write, read: read(&self.read_password)? };
        if !self.listen.ip().is_loopback() && secrets.read.is_none() {
            return Err(format!(
                "{}: others can reach this address and would read all; set --read-password, or listen at 127.0.0.1",
                self.listen
            ));
        }
        Ok(secrets)
    }
}

fn secret(path: &Path) -> Result<String, String> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| format!("{}: can't be read ({error})", path.display()))?;
    let secret = text.trim();
    if secret.len() < SECRET_MIN || secret.contains(char::is_whitespace) {
        return Err(format!(
            "{}: a secret is one line of {SECRET_MIN} characters or more, such as `openssl rand -hex 16` prints",
            path.display()
        ));
    }
    Ok(secret.to_owned())
}
