//! A record's bytes: three numbers in postcard, each a varint of seven bits a byte, the lowest first.

use super::{Error, Record, Wire};

/// Longest encoded record, in bytes.
pub const RECORD_LEN_MAX: usize = 3 + 5 + 10;

/// Varints of an encoded record: as many of its bytes are below 0x80, the last among them.
pub(crate) const VARINTS: u32 = 3;

/// An encoded record: postcard, [`RECORD_LEN_MAX`] bytes at most.
#[derive(Clone, Copy, Debug)]
pub struct Encoded {
    bytes: [u8; RECORD_LEN_MAX],
    len: usize,
}

impl Encoded {
    /// Returns the bytes.
    #[must_use]
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&[])
    }
}

impl Record {
    /// Returns the record in postcard.
    #[must_use]
    pub fn encode(&self) -> Encoded {
        let mut encoded = Encoded { bytes: [0; RECORD_LEN_MAX], len: 0 };
        self.write(&mut |byte| {
            if let Some(slot) = encoded.bytes.get_mut(encoded.len) {
                *slot = byte;
                encoded.len = encoded.len.saturating_add(1);
            }
        });
        encoded
    }

    /// Gives the bytes of the record in postcard to `put`, one by one.
    pub(crate) fn write(&self, put: &mut dyn FnMut(u8)) {
        write_varint(u64::from(self.0.event), put);
        write_varint(u64::from(self.0.time), put);
        write_varint(self.0.bits, put);
    }

    /// Returns the record at the start of `bytes`, and what follows it; **not checked against a schema**, as
    /// [`decode`](Record::decode) does: for whoever moves or counts records of other programs and sends none of them.
    ///
    /// # Errors
    ///
    /// [`Error::Malformed`].
    ///
    /// ```
    /// use automagik_telemetry_core::{Record, loss::Reason, time::Coarse};
    /// let encoded = Record::dropped(Reason::Refused, 7, Coarse::from_steps(1)).encode();
    /// assert_eq!(Record::read(encoded.as_slice())?.0.stands_for(), 7);
    /// # Ok::<(), automagik_telemetry_core::record::Error>(())
    /// ```
    pub fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Error> {
        let mut rest = bytes.iter();
        let record = Self::take(&mut rest.by_ref().copied());
        let rest = rest.as_slice();
        // What it is encoded as again is what was there, or it was none.
        let read = bytes.len().checked_sub(rest.len()).and_then(|len| bytes.get(..len));
        if read != Some(record.encode().as_slice()) {
            return Err(Error::Malformed);
        }
        Ok((record, rest))
    }

    /// The record that was encoded as what `bytes` gives one by one; no byte more is taken. Of bytes that are none it makes some record.
    pub(crate) fn take(bytes: &mut dyn Iterator<Item = u8>) -> Self {
        let (event, time) = (varint(bytes) as u16, varint(bytes) as u32);
        Self(Wire { event, time, bits: varint(bytes) })
    }
}

/// Writes a number as postcard does, seven bits a byte, the lowest first.
#[cfg_attr(target_os = "none", inline(never))]
fn write_varint(mut number: u64, put: &mut dyn FnMut(u8)) {
    loop {
        let low = number.to_le_bytes()[0] & 0x7F;
        number >>= 7;
        let more = u8::from(number != 0);
        put(low | (more << 7));
        if more == 0 {
            return;
        }
    }
}

/// Takes a number as [`write_varint`] writes it.
#[cfg_attr(target_os = "none", inline(never))]
fn varint(bytes: &mut dyn Iterator<Item = u8>) -> u64 {
    let (mut number, mut shift) = (0_u64, 0_u32);
    loop {
        let byte = bytes.next().unwrap_or(0);
        number |= u64::from(byte & 0x7F) << (shift & 63);
        shift = shift.wrapping_add(7);
        if byte < 0x80 || shift > 63 {
            return number;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(feature = "serde")]
    use proptest::prelude::*;

    #[cfg(feature = "serde")]
    proptest! {
        #[test]
        fn a_record_is_encoded_as_postcard_does(event: u16, time: u32, bits: u64) {
            let wire = Wire { event, time, bits };
            let mut buffer = [0; RECORD_LEN_MAX];
            let expected = postcard::to_slice(&wire, &mut buffer).unwrap();
            let encoded = Record(wire).encode();
            prop_assert_eq!(encoded.as_slice(), &*expected);
            let mut bytes = expected.iter().copied();
            prop_assert_eq!((Record::take(&mut bytes), bytes.next()), (Record(wire), None));
        }

        #[test]
        fn any_bytes_are_decoded_as_postcard_does_if_it_encodes_them_so(bytes: Vec<u8>, high: bool) {
            // Random bytes rarely go on for long: with high bits they do.
            let bytes: Vec<u8> = bytes.into_iter().map(|byte| byte | if high { 0x80 } else { 0 }).chain([1]).collect();
            let expected = postcard::take_from_bytes::<Wire>(&bytes).ok().filter(|(wire, rest)| {
                let mut buffer = [0; RECORD_LEN_MAX];
                bytes.strip_suffix(*rest) == Some(&*postcard::to_slice(wire, &mut buffer).unwrap())
            });
            let read = Record::read(&bytes).ok().map(|(record, rest)| (record.0, rest));
            prop_assert_eq!(read, expected);
        }
    }

    #[test]
    fn a_full_record_takes_the_stated_length() {
        let longest = Record(Wire { event: u16::MAX, time: u32::MAX, bits: u64::MAX });
        assert_eq!(longest.encode().as_slice().len(), RECORD_LEN_MAX);
    }
}
