//! A request's body in memory.

use crate::kept::spool::Batch;
use automagik_telemetry_core::otlp::{self, Body, Error, Logs, Metrics, Signal};
use automagik_telemetry_core::resource::Resource;

/// Room for a record, in bytes: most are shorter, and where all are not, the room grows.
const RECORD_LEN: usize = 160;

/// Room for what stands around the records, in bytes.
const ENVELOPE_LEN: usize = 1_024;

/// The whole of `body`.
///
/// # Errors
///
/// Those of [`Body::read`].
pub(crate) fn to_vec(body: &mut dyn Body) -> Result<Vec<u8>, Error> {
    let mut bytes = vec![0; body.len()];
    let len = otlp::to_slice(body, &mut bytes)?;
    bytes.truncate(len);
    Ok(bytes)
}

/// The request that tells `batch`.
pub(crate) fn encode(resource: &Resource, batch: &Batch) -> Vec<u8> {
    encode_within(resource, batch, ENVELOPE_LEN + RECORD_LEN * batch.records.len())
}

fn encode_within(resource: &Resource, batch: &Batch, room: usize) -> Vec<u8> {
    let mut buffer = vec![0; room];
    let records = &batch.records;
    let request = match (&batch.crash, batch.signal, batch.interval) {
        (Some(report), ..) => otlp::encode_crash(resource, report, &mut buffer),
        (None, Signal::Logs, _) => Logs::encode(resource, records, &mut buffer),
        (None, Signal::Metrics, None) => Metrics::encode(resource, records, &mut buffer),
        (None, Signal::Metrics, Some(interval)) => {
            Metrics::encode_over(resource, records, interval, &mut buffer)
        }
    };
    match request {
        Ok(request) => request.to_vec(),
        Err(Error::BufferTooSmall(len)) if len > room => encode_within(resource, batch, len),
        Err(_) => Vec::new(),
    }
}

/// A body that is encoded already.
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    read: usize,
}

impl Encoded {
    pub(crate) fn new(bytes: Vec<u8>) -> Self {
        Self { bytes, read: 0 }
    }
}

impl Body for Encoded {
    fn len(&self) -> usize {
        self.bytes.len()
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Error> {
        let rest = &self.bytes[self.read..];
        let len = rest.len().min(buffer.len());
        if len == 0 && !rest.is_empty() {
            return Err(Error::BufferTooSmall(1));
        }
        buffer[..len].copy_from_slice(&rest[..len]);
        self.read += len;
        Ok(len)
    }

    fn rewind(&mut self) {
        self.read = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{App, consent};
    use automagik_telemetry_core::schema::Checked;
    use automagik_telemetry_core::time::Coarse;
    use automagik_telemetry_core::{Pseudonym, Record, Secret};

    #[test]
    fn a_request_that_outgrows_its_room_is_whole() {
        let secret = Secret::new([7; 32], consent());
        let resource = Resource::new(Checked::<App>::DESCRIPTOR, Pseudonym::new(&secret, "app", 0));
        let records = [Record::new(&App, Coarse::from_steps(1)).unwrap(); 100];
        let (slice, batch) = (records.as_slice(), Batch::in_memory(Signal::Logs, records.to_vec(), None));
        let whole = to_vec(&mut Logs::new(&resource, &slice)).unwrap();
        for room in [0, 1, whole.len() - 1, whole.len()] {
            assert_eq!(encode_within(&resource, &batch, room), whole, "{room}");
        }
        assert_eq!(encode(&resource, &batch), whole);
    }

    #[test]
    fn a_body_that_is_encoded_is_read_in_pieces_as_often_as_one_likes() {
        let mut body = Encoded::new((0..10).collect());
        for _ in 0..2 {
            body.rewind();
            let mut piece = [0; 7];
            assert_eq!(body.read(&mut []), Err(Error::BufferTooSmall(1)));
            assert_eq!((body.read(&mut piece), piece), (Ok(7), [0, 1, 2, 3, 4, 5, 6]));
            assert_eq!((body.read(&mut piece), &piece[..3]), (Ok(3), &[7, 8, 9][..]));
            assert_eq!((body.read(&mut piece), body.read(&mut [])), (Ok(0), Ok(0)));
        }
        assert_eq!(to_vec(&mut body).unwrap(), (0..10).collect::<Vec<u8>>());
    }
}
