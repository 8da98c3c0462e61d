//! A message of a broker, and the way back to who published it.

use rumqttc::{AsyncClient, Publish, QoS};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A message that came, and how to answer it.
#[derive(Clone, Debug)]
pub struct Message {
    client: AsyncClient,
    publish: Publish,
    /// Asks for a new connection, with which the broker delivers again.
    again: Arc<AtomicBool>,
}

impl Message {
    /// `publish`, which came to `client`; `again` asks for a new connection.
    #[must_use]
    pub const fn new(client: AsyncClient, publish: Publish, again: Arc<AtomicBool>) -> Self {
        Self { client, publish, again }
    }

    /// Publishes `frame` where the device listens.
    pub fn answer(&self, frame: &[u8]) {
        if let Some(device) = self.publish.topic.strip_suffix("/up") {
            let _ = self.client.try_publish(format!("{device}/down"), QoS::AtMostOnce, false, frame);
        }
    }

    /// The broker need not keep it.
    pub fn done(&self) {
        let _ = self.client.try_ack(&self.publish);
    }

    /// The broker should deliver it once more, later.
    pub fn later(&self) {
        if self.publish.dup {
            self.done();
        } else {
            self.again.store(true, Ordering::SeqCst);
        }
    }
}
