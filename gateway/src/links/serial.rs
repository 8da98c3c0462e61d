//! Frames over a serial device, as a stream of bytes.

use super::{Inbox, stream};
use serde::Deserialize;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A serial device.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Serial {
    /// Its path, such as `/dev/ttyUSB0`.
    pub path: PathBuf,
    /// Bits a second.
    #[serde(default = "baud")]
    pub baud: u32,
}

const fn baud() -> u32 {
    115_200
}

impl Serial {
    /// Takes frames until the gateway is gone. The device may be unplugged: it is opened again every second.
    pub async fn serve(self, inbox: Inbox) {
        let mut is_said = false;
        loop {
            match open(&self.path, self.baud) {
                Ok((reader, writer)) => {
                    is_said = false;
                    stream::serve(reader, writer, inbox.clone()).await;
                }
                Err(error) => {
                    if !is_said {
                        let path = self.path.display();
                        eprintln!(
                            "telemetry-gateway: serial {path}: {error}: it is tried again every second"
                        );
                    }
                    is_said = true;
                }
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }
}

/// Opens the device at `path`: bytes as they come, eight bits, no parity.
#[cfg(unix)]
fn open(
    path: &Path,
    baud: u32,
) -> io::Result<(tokio::net::unix::pipe::Receiver, tokio::net::unix::pipe::Sender)> {
    use rustix::fs::{Mode, OFlags};
    use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
    use tokio::net::unix::pipe;
    let device = rustix::fs::open(path, OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK, Mode::empty())?;
    let mut line = tcgetattr(&device)?;
    line.make_raw();
    line.set_speed(baud)?;
    tcsetattr(&device, OptionalActions::Now, &line)?;
    // A terminal is waited for as a pipe is.
    let device = std::fs::File::from(device);
    Ok((
        pipe::Receiver::from_file_unchecked(device.try_clone()?)?,
        pipe::Sender::from_file_unchecked(device)?,
    ))
}

#[cfg(not(unix))]
fn open(_: &Path, _: u32) -> io::Result<(tokio::io::Empty, tokio::io::Empty)> {
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "serial devices are heard on Unix alone: bridge it to tcp",
    ))
}
