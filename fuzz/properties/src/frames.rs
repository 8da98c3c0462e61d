//! Frames from anybody, and from somebody who has the key.

use crate::speech::Omni;
use automagik_telemetry::frames::{Boot, Clear, Error, Hello, Key, MTU_MAX, Reader, Session, Statement};
use automagik_telemetry::record::Cursor;
use automagik_telemetry::schema::Checked;
use automagik_telemetry::{Pseudonym, Record};

/// Bytes are taken for a frame, and for what was sealed in one. Nothing opens a frame that was not sealed; a stream is records of the schema, or an
/// error; and what it says is sealed again as the same stream.
///
/// # Panics
///
/// Where that does not hold.
pub fn frames(input: &[u8]) {
    let schema = Checked::<Omni>::DESCRIPTOR;
    let (key, boot, mut plain) = (Key::new([7; 16]), Boot::random([9; 8]), [0; MTU_MAX]);
    if let Ok(clear) = Clear::parse(input) {
        for sequence in clear.sequences(5) {
            // One in 2^64 holds, and no fuzzer finds it.
            assert!(key.open(&clear, clear.boot().unwrap_or(boot), sequence, &mut plain).is_err());
        }
    }
    assert!(!key.is_acknowledged(boot, 1, input));
    let _ = Statement::read(input);

    let Ok(records) = Reader::new(schema, input).collect::<Result<Vec<Record>, Error>>() else { return };
    assert!(!records.is_empty());
    // A record may be sealed where it fits a frame; all of these do, each in a few bytes.
    let hello = Hello::new(schema, Pseudonym::NOBODY, None);
    let mut session = Session::new(key.clone(), boot, None);
    let (mut at, mut frame, mut again) = (Cursor::default(), [0; MTU_MAX], Vec::new());
    let slice = records.as_slice();
    while let Some(sealed) = session.data(&hello, &slice, &mut at, &mut frame).unwrap() {
        let clear = Clear::parse(&frame[..sealed.len]).unwrap();
        let stream = key.open(&clear, boot, sealed.sequence, &mut plain).unwrap();
        if sealed.records as usize == records.len() {
            assert_eq!(stream, input, "a stream has one form");
        }
        again.extend(Reader::new(schema, stream).map(Result::unwrap));
    }
    assert_eq!(again, records);
}
