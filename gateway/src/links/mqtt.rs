//! Frames as messages of a broker, MQTT 3.1.1: at least once, each kept by the broker until this gateway has it where the operator chose.
//!
//! ```text
//!  device ── .../up, QoS 1 ──► broker ──► gateway: PUBACK when the frame is acknowledged, or refused for good
//!         ◄─ .../down, QoS 0 ── broker ◄── gateway: the sealed acknowledgement, or a question
//! ```
//!
//! A frame that can't be taken now (no manifest, no room, no hello yet) is left with the broker, which delivers it once more after a pause; what
//! can't be taken then either is let go, since it would keep others from coming: the device repeats what was not acknowledged.

use super::message::Message;
use super::{Arrived, Back, Inbox};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// How long a frame stays with the broker that can't be taken now.
const PAUSE: Duration = Duration::from_secs(10);

/// How often something is said to the broker, so that both know that the other is there; and how late [`PAUSE`] may be noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Requests to the broker that may wait.
const REQUESTS_MAX: usize = 1 << 12;

/// A broker, and what is heard there.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// The broker's name or address.
    pub host: String,
    /// Its port.
    #[serde(default = "port")]
    pub port: u16,
    /// What this gateway is called there: another name for each gateway, the same after a restart.
    pub client: String,
    /// Where devices publish, such as `telemetry/+/up`. What ends in `/up` is answered at the same place with `/down`.
    pub topic: String,
    /// Who it is to the broker, where that asks.
    #[serde(default)]
    pub user: Option<String>,
    /// The file of the password.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
}

const fn port() -> u16 {
    1_883
}

impl Mqtt {
    /// What the broker is to be told.
    ///
    /// # Errors
    ///
    /// Where the password can't be read.
    pub fn options(&self) -> Result<MqttOptions, String> {
        let mut options = MqttOptions::new(&self.client, &self.host, self.port);
        options.set_keep_alive(KEEP_ALIVE).set_clean_session(false).set_manual_acks(true);
        if let Some(user) = &self.user {
            let password = match &self.password_file {
                Some(path) => std::fs::read_to_string(path)
                    .map_err(|error| format!("mqtt: {}: can't be read ({error})", path.display()))?,
                None => String::new(),
            };
            options.set_credentials(user, password.trim());
        }
        Ok(options)
    }

    /// Takes messages until the gateway is gone. The broker may be away: it is tried again every second.
    pub async fn serve(self, options: MqttOptions, inbox: Inbox) {
        let (client, mut broker) = AsyncClient::new(options, REQUESTS_MAX);
        let again = Arc::new(AtomicBool::new(false));
        let mut asked: Option<tokio::time::Instant> = None;
        let mut is_said = false;
        loop {
            // Delivered once more means connected once more.
            if again.load(Ordering::SeqCst) && asked.is_none() {
                asked = Some(tokio::time::Instant::now() + PAUSE);
            }
            if asked.is_some_and(|at| tokio::time::Instant::now() >= at) {
                again.store(false, Ordering::SeqCst);
                asked = None;
                broker.clean();
            }
            let polled = match asked {
                Some(at) => tokio::time::timeout_at(at, broker.poll()).await,
                None => Ok(broker.poll().await),
            };
            match polled {
                Ok(Ok(Event::Incoming(Packet::ConnAck(_)))) => {
                    is_said = false;
                    let _ = client.try_subscribe(&self.topic, QoS::AtLeastOnce);
                }
                Ok(Ok(Event::Incoming(Packet::Publish(publish)))) => {
                    let bytes = publish.payload.to_vec();
                    let message = Message::new(client.clone(), publish, Arc::clone(&again));
                    let frames = vec![(bytes.len(), Back::Message(Arc::new(message)))];
                    let inbox = inbox.clone();
                    let arrived = Arrived { bytes, frames, request: None };
                    let sent = tokio::task::spawn_blocking(move || inbox.send(arrived)).await;
                    // The gateway is gone where this fails.
                    let Ok(Ok(())) = sent else { return };
                }
                Ok(Ok(_)) | Err(_) => {}
                Ok(Err(error)) => {
                    if !is_said {
                        eprintln!("telemetry-gateway: mqtt: {error}: it is tried again every second");
                    }
                    is_said = true;
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }
}
