//! Requests that a program waits for: they are posted one after the other, and nothing is kept.

use automagik_telemetry_core::Outcome;
use automagik_telemetry_core::otlp::Signal;
use automagik_telemetry_std::Exporter;
use std::io;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait to be posted: who comes behind them waits in its connection.
const WAITING_MAX: usize = 8;

type Posting = (Signal, Vec<u8>, oneshot::Sender<Outcome>);

/// The way to a thread that posts.
#[derive(Clone, Debug)]
pub struct Through {
    postings: mpsc::Sender<Posting>,
}

impl Through {
    /// Starts a thread that posts with `exporter`: it ends with the last of these.
    ///
    /// # Errors
    ///
    /// Where no thread can be started.
    pub fn start(mut exporter: Exporter) -> io::Result<Self> {
        let (postings, mut posted) = mpsc::channel::<Posting>(WAITING_MAX);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        // A request's body is this thread's own.
        std::thread::Builder::new().name("through".to_owned()).spawn(move || {
            runtime.block_on(async {
                while let Some((signal, request, answer)) = posted.recv().await {
                    let (outcome, _) = exporter.post(signal, &request).await;
                    let _ = answer.send(outcome);
                }
            });
        })?;
        Ok(Self { postings })
    }

    /// Posts `request`, and returns what became of it.
    pub async fn post(&self, signal: Signal, request: Vec<u8>) -> Outcome {
        let (sender, answer) = oneshot::channel();
        let gone = Outcome::Retry { after_seconds: None };
        if self.postings.send((signal, request, sender)).await.is_err() {
            return gone;
        }
        answer.await.unwrap_or(gone)
    }
}
