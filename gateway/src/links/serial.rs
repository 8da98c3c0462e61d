//! Frames over a serial device, as a stream of bytes.

use super::{Inbox, stream};
use serde::Deserialize;
use std::path::PathBuf;
use std::time::Duration;
use tokio_serial::SerialPortBuilderExt;

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
        let path = self.path.to_string_lossy().into_owned();
        let mut is_said = false;
        loop {
            match tokio_serial::new(&path, self.baud).open_native_async() {
                Ok(port) => {
                    is_said = false;
                    let (reader, writer) = tokio::io::split(port);
                    stream::serve(reader, writer, inbox.clone()).await;
                }
                Err(error) => {
                    if !is_said {
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
