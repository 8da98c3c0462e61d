//! Frames in a stream of bytes: each in COBS, a zero behind it.

use super::{Broken, Link};
use cobs::{DecodeResult, DecoderState};
use embedded_io_async::{Read, Write};

/// A link over a UART, or anything else that reads and writes bytes. `W` and `R` are its two halves.
///
/// ```
/// use automagik_telemetry_embassy::Stream;
/// use embedded_io_async::{Read, Write};
///
/// fn link<R: Read, W: Write>(reader: R, writer: W) -> Stream<R, W> {
///     Stream::new(reader, writer)
/// }
/// ```
#[derive(Debug)]
pub struct Stream<R, W> {
    reader: R,
    writer: W,
    /// A frame that is on its way in, over calls that were given up.
    decoder: DecoderState,
    len: usize,
    frame: [u8; ANSWER_LEN_MAX],
}

/// Longest frame that a gateway sends.
const ANSWER_LEN_MAX: usize = automagik_telemetry_core::frames::ACK_LEN;

/// Longest run of bytes that COBS writes behind one code.
const RUN_MAX: usize = 254;

impl<R: Read, W: Write> Stream<R, W> {
    /// A link over these two halves.
    pub const fn new(reader: R, writer: W) -> Self {
        Self { reader, writer, decoder: DecoderState::Idle, len: 0, frame: [0; ANSWER_LEN_MAX] }
    }

    /// Takes a byte, and says how long the frame is that ends with it.
    fn take(&mut self, byte: u8) -> Option<usize> {
        match self.decoder.feed(byte) {
            Ok(DecodeResult::DataContinue(byte)) => {
                // What is longer is counted and not kept: it is no answer.
                if let Some(slot) = self.frame.get_mut(self.len) {
                    *slot = byte;
                }
                self.len = self.len.saturating_add(1);
                None
            }
            Ok(DecodeResult::DataComplete) => {
                self.decoder = DecoderState::Idle;
                Some(core::mem::take(&mut self.len)).filter(|len| *len <= ANSWER_LEN_MAX)
            }
            Ok(_) => None,
            Err(_) => {
                (self.decoder, self.len) = (DecoderState::Idle, 0);
                None
            }
        }
    }
}

impl<R: Read, W: Write> Link for Stream<R, W> {
    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
        // Run by run, so that no buffer of the frame's length is needed.
        let mut rest = frame;
        loop {
            let (run, is_over) = match rest.iter().take(RUN_MAX).position(|byte| *byte == 0) {
                Some(len) => (len, false),
                None if rest.len() > RUN_MAX => (RUN_MAX, false),
                None => (rest.len(), true),
            };
            let (bytes, behind) = rest.split_at_checked(run).unwrap_or((rest, &[]));
            let code = u8::try_from(run.saturating_add(1)).unwrap_or(u8::MAX);
            self.writer.write_all(&[code]).await.map_err(|_| Broken)?;
            self.writer.write_all(bytes).await.map_err(|_| Broken)?;
            if is_over {
                break;
            }
            // A full run has no zero behind it.
            rest = if run == RUN_MAX { behind } else { behind.get(1..).unwrap_or(&[]) };
        }
        self.writer.write_all(&[0]).await.map_err(|_| Broken)?;
        self.writer.flush().await.map_err(|_| Broken)
    }

    async fn receive(&mut self, buffer: &mut [u8]) -> Result<usize, Broken> {
        loop {
            let mut byte = [0];
            match self.reader.read(&mut byte).await {
                Ok(1..) => {}
                _ => return Err(Broken),
            }
            let [byte] = byte;
            if let Some(len) = self.take(byte) {
                let bytes = self.frame.get(..len).unwrap_or(&[]);
                for (slot, byte) in buffer.iter_mut().zip(bytes) {
                    *slot = *byte;
                }
                return Ok(len.min(buffer.len()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use embassy_futures::block_on;
    use std::vec;
    use std::vec::Vec;

    fn sent(frame: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 2_000];
        let mut writer = bytes.as_mut_slice();
        block_on(Stream::new(&[][..], &mut writer).send(frame)).unwrap();
        let left = writer.len();
        bytes.truncate(2_000 - left);
        bytes
    }

    #[test]
    fn any_frame_is_what_the_library_makes_of_it() {
        for len in (0..600).chain([1_199, 1_200]) {
            for zeros in [0, 1, 3, 254, 255, 256, 1_000] {
                let frame: Vec<u8> =
                    (0..len).map(|at| if zeros > 0 && at % zeros == 0 { 0 } else { 7 }).collect();
                let bytes = sent(&frame);
                let (end, encoded) = bytes.split_last().unwrap();
                assert!(*end == 0 && !encoded.contains(&0), "{len} {zeros}");
                let mut decoded = encoded.to_vec();
                let decoded_len = cobs::decode_in_place(&mut decoded).unwrap();
                assert_eq!(&decoded[..decoded_len], frame, "{len} {zeros}");
            }
        }
    }

    #[test]
    fn answers_are_heard_behind_noise_and_over_calls_that_were_given_up() {
        let answer = [0x11, 0, 1, 2, 0, 0, 7];
        let mut line = vec![9, 9, 0, 200, 1, 0];
        // Longer than any answer.
        line.extend(sent(&[5; 40]));
        line.extend(sent(&answer));
        line.extend(sent(&[1, 2, 3]));
        let mut link = Stream::new(line.as_slice(), &mut [][..]);
        let mut heard = Vec::new();
        let mut buffer = [0; 16];
        while let Ok(len) = block_on(link.receive(&mut buffer)) {
            heard.push(buffer[..len].to_vec());
        }
        assert!(heard.ends_with(&[answer.to_vec(), vec![1, 2, 3]]), "{heard:?}");
    }
}
