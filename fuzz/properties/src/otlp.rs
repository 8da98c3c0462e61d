//! Our encoder against the official messages.

use crate::speech::{records, resource};
use automagik_telemetry::otlp::{Body, Error, Logs, to_slice};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use prost::Message;

/// Bytes choose events. What our encoder writes, prost decodes and encodes to the very same bytes; and pulled in pieces
/// of any size, or written backwards, it is the same again.
///
/// # Panics
///
/// Where that does not hold.
pub fn otlp(input: &[u8]) {
    let records = records(input);
    let resource = resource();
    let slice = records.as_slice();
    let mut body = Logs::new(&resource, &slice);
    let mut ours = vec![0; body.len()];
    assert_eq!(to_slice(&mut body, &mut ours), Ok(ours.len()));
    let decoded = ExportLogsServiceRequest::decode(ours.as_slice()).expect("an ExportLogsServiceRequest");
    let theirs = decoded.encode_to_vec();
    assert!(ours == theirs, "prost writes other bytes for the same request");
    assert_eq!(ExportLogsServiceRequest::decode(theirs.as_slice()), Ok(decoded));

    assert!(pulled(&mut body, input) == ours, "pieces make another body");

    let room = ours.len() + usize::from(input.first().copied().unwrap_or(0));
    assert!(
        Logs::encode(&resource, &records, &mut vec![0; room]) == Ok(ours.as_slice()),
        "another body backwards"
    );
    let short = Logs::encode(&resource, &records, &mut ours[1..]).map(<[u8]>::len);
    assert_eq!(short, Err(Error::BufferTooSmall(body.len())));
}

/// The whole of `body`, through a buffer that `input` chooses and that grows where it must.
pub(crate) fn pulled(body: &mut dyn Body, input: &[u8]) -> Vec<u8> {
    body.rewind();
    let mut pulled = Vec::new();
    let mut piece = vec![0; usize::from(input.first().copied().unwrap_or(0))];
    loop {
        match body.read(&mut piece) {
            Ok(0) => return pulled,
            Ok(len) => pulled.extend_from_slice(&piece[..len]),
            Err(Error::BufferTooSmall(wanted)) => {
                assert!(wanted > piece.len());
                piece.resize(wanted, 0);
            }
            Err(error) => panic!("{error}"),
        }
    }
}
