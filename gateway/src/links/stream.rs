//! Frames in a stream of bytes: each in COBS, a zero behind it. TCP, a serial device, standard input.

use super::{Arrived, Back, Inbox};
use automagik_telemetry_core::frames::MTU_MAX;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc;

/// The longest frame in COBS.
const ENCODED_MAX: usize = cobs::max_encoding_length(MTU_MAX);

/// Most streams that are served at once: others wait to be accepted.
pub const STREAMS_MAX: usize = 1_024;

/// Answers that wait for a stream that does not take them; more are dropped, and asked for again.
const ANSWERS_MAX: usize = 64;

/// Frames out of bytes that come in pieces of any size. Bytes that are none are skipped up to the next zero.
#[derive(Debug, Default)]
pub struct Splitter {
    partial: Vec<u8>,
    is_too_long: bool,
}

impl Splitter {
    /// Takes `bytes`, and hands each frame that is whole to `take`. One that was damaged is handed over as no bytes, so that it is counted.
    pub fn push(&mut self, bytes: &[u8], mut take: impl FnMut(&[u8])) {
        for byte in bytes {
            if *byte != 0 {
                self.is_too_long |= self.partial.len() >= ENCODED_MAX;
                if !self.is_too_long {
                    self.partial.push(*byte);
                }
                continue;
            }
            if self.is_too_long {
                take(&[]);
            } else if !self.partial.is_empty() {
                let len = cobs::decode_in_place(&mut self.partial).unwrap_or(0);
                take(self.partial.get(..len).unwrap_or(&[]));
            }
            self.partial.clear();
            self.is_too_long = false;
        }
    }
}

/// `frame` as it goes into a stream.
#[must_use]
pub fn encoded(frame: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0; cobs::max_encoding_length(frame.len()) + 1];
    let len = cobs::encode(frame, &mut bytes);
    bytes.truncate(len);
    bytes.push(0);
    bytes
}

/// Takes frames from `reader` and answers through `writer`, until nobody speaks any more and all is answered, or nobody listens.
pub async fn serve(mut reader: impl AsyncRead + Unpin, mut writer: impl AsyncWrite + Unpin, inbox: Inbox) {
    let (answers, mut answered) = mpsc::channel::<Vec<u8>>(ANSWERS_MAX);
    let read = async move {
        let (mut splitter, mut buffer) = (Splitter::default(), vec![0; 1 << 14]);
        loop {
            let Ok(len @ 1..) = reader.read(&mut buffer).await else { return };
            let mut arrived = Arrived::default();
            splitter.push(&buffer[..len], |frame| {
                arrived.bytes.extend_from_slice(frame);
                arrived.frames.push((arrived.bytes.len(), Back::Stream(answers.clone())));
            });
            if !arrived.frames.is_empty() {
                let inbox = inbox.clone();
                // The gateway is gone where this fails.
                let Ok(Ok(())) = tokio::task::spawn_blocking(move || inbox.send(arrived)).await else {
                    return;
                };
            }
        }
    };
    let write = async {
        while let Some(frame) = answered.recv().await {
            if writer.write_all(&encoded(&frame)).await.is_err() || writer.flush().await.is_err() {
                return;
            }
        }
    };
    tokio::pin!(write);
    let is_read = tokio::select! {
        () = read => true,
        () = &mut write => false,
    };
    if is_read {
        // It ends with the last frame that is not answered yet.
        write.await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn frames_come_out_of_pieces_of_any_size(
            frames in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..20),
            piece in 1_usize..400,
        ) {
            let stream: Vec<u8> = frames.iter().flat_map(|frame| encoded(frame)).collect();
            let (mut splitter, mut found) = (Splitter::default(), Vec::new());
            for piece in stream.chunks(piece) {
                splitter.push(piece, |frame| found.push(frame.to_vec()));
            }
            prop_assert_eq!(found, frames);
        }

        #[test]
        fn any_bytes_are_got_over(noise in prop::collection::vec(any::<u8>(), 0..3000), frame in prop::collection::vec(any::<u8>(), 1..300)) {
            let mut found = Vec::new();
            let mut splitter = Splitter::default();
            splitter.push(&noise, |_| {});
            splitter.push(&[0], |_| {});
            splitter.push(&encoded(&frame), |frame| found.push(frame.to_vec()));
            prop_assert_eq!(found, [frame]);
        }
    }

    #[test]
    fn what_is_longer_than_any_frame_takes_no_memory() {
        let (mut splitter, mut counted) = (Splitter::default(), 0);
        splitter.push(&vec![7; 1 << 20], |_| counted += 1);
        assert!(splitter.partial.capacity() < 1 << 12);
        splitter.push(&[0], |frame| counted += u32::from(frame.is_empty()));
        assert_eq!(counted, 1);
    }
}
