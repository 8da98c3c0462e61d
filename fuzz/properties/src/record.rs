//! Records from anybody: a damaged store, another program's file.

use crate::speech::{Omni, resource};
use automagik_telemetry::Record;
use automagik_telemetry::otlp::{Body, Logs, Metrics, to_slice};
use automagik_telemetry::schema::Checked;

/// Bytes are walked as records. Each is one of the schema's or an error, encodes to what it was decoded from or to
/// fewer bytes, and can be sent.
///
/// # Panics
///
/// Where that does not hold.
pub fn record(input: &[u8]) {
    let schema = Checked::<Omni>::DESCRIPTOR;
    let mut rest = input;
    let mut records = Vec::new();
    while let Ok((record, behind)) = Record::decode(schema, rest) {
        let taken = rest.len() - behind.len();
        let encoded = record.encode();
        assert!(taken > 0 && encoded.as_slice().len() <= taken);
        assert_eq!(Record::decode(schema, encoded.as_slice()), Ok((record, [].as_slice())));
        records.push(record);
        rest = behind;
    }
    let resource = resource();
    let slice = records.as_slice();
    let mut logs = Logs::new(&resource, &slice);
    assert_eq!(logs.left_out(), 0);
    assert!(
        Logs::encode(&resource, slice, &mut vec![0; logs.len()]).is_ok_and(|bytes| bytes.len() == logs.len())
    );
    for body in [&mut logs as &mut dyn Body, &mut Metrics::new(&resource, &slice)] {
        let mut request = vec![0; body.len()];
        to_slice(body, &mut request).expect("a body of the measured length");
    }
}
