//! Bits in bytes, the lowest of each byte first, and whole numbers of any size in few of them.
//!
//! | number n | bits, the first one left |
//! |---|---|
//! | fixed width | n's bits, the lowest first |
//! | universal (Elias's gamma code of n + 1) | z zeros, a one, the z lowest bits of n + 1, the lowest first; z = floor(log2(n + 1)), 31 at most |
//! | signed d | the universal code of 2d, or of -2d - 1 where d is negative |

use super::Error;

/// Writes bits to the start of `bytes`.
pub(super) struct Writer<'a> {
    bytes: &'a mut [u8],
    at: usize,
    /// Something did not fit.
    is_full: bool,
}

impl<'a> Writer<'a> {
    pub(super) fn new(bytes: &'a mut [u8]) -> Self {
        Self { bytes, at: 0, is_full: false }
    }

    /// Where it stands, in bits.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// Takes back what was written behind `at`.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn back_to(&mut self, at: usize) {
        (self.at, self.is_full) = (at, false);
        if let Some(partial) = self.bytes.get_mut(at >> 3) {
            *partial &= (1_u8 << (at & 7)).wrapping_sub(1);
        }
    }

    /// How many bytes were begun. The bits behind the last are zeros.
    pub(super) const fn len(&self) -> usize {
        self.at.wrapping_add(7) >> 3
    }

    /// Whether something did not fit, and was written in part.
    pub(super) const fn is_full(&self) -> bool {
        self.is_full
    }

    /// The lowest `width` bits of `value`; `width` is 32 at most.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn put(&mut self, mut value: u32, width: u32) {
        // Bit by bit is slower and 60 bytes smaller than byte by byte; a frame has a few hundred.
        for _ in 0..width {
            let Some(slot) = self.bytes.get_mut(self.at >> 3) else {
                self.is_full = true;
                return;
            };
            let bit = (self.at & 7) as u32;
            if bit == 0 {
                *slot = 0;
            }
            *slot |= ((value & 1) as u8) << bit;
            value >>= 1;
            self.at = self.at.wrapping_add(1);
        }
    }

    /// `number` is 2^32 - 2 at most.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn put_universal(&mut self, number: u32) {
        let above = number.wrapping_add(1);
        let zeros = 31_u32.wrapping_sub(above.leading_zeros());
        // The zeros, and the one behind them.
        self.put(1_u32.wrapping_shl(zeros), zeros.wrapping_add(1));
        self.put(above, zeros);
    }

    /// `number` is more than -2^31.
    pub(super) fn put_signed(&mut self, number: i32) {
        self.put_universal(((number << 1) ^ (number >> 31)) as u32);
    }
}

/// Reads bits from the start of `bytes`.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Bits that [`Reader::ahead`] gives at least.
const AHEAD: u32 = 57;

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// How many bits are left.
    fn left(&self) -> usize {
        self.bytes.len().wrapping_mul(8).wrapping_sub(self.at)
    }

    /// The next bits, [`AHEAD`] at least; zeros behind the end.
    #[inline]
    fn ahead(&self) -> u64 {
        let rest = self.bytes.get(self.at >> 3..).unwrap_or(&[]);
        let word = match rest.first_chunk() {
            Some(eight) => u64::from_le_bytes(*eight),
            None => rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
        };
        word >> (self.at & 7)
    }

    #[inline]
    pub(super) fn take(&mut self, width: u32) -> Result<u64, Error> {
        if width > AHEAD {
            let low = self.take(32)?;
            return Ok(low | (self.take(width.wrapping_sub(32))? << 32));
        }
        if self.left() < width as usize {
            return Err(Error::Malformed);
        }
        let value = self.ahead() & (1_u64 << width).wrapping_sub(1);
        self.at = self.at.wrapping_add(width as usize);
        Ok(value)
    }

    #[inline]
    pub(super) fn take_universal(&mut self) -> Result<u32, Error> {
        let zeros = self.ahead().trailing_zeros();
        if zeros > 31 {
            return Err(Error::Malformed);
        }
        self.take(zeros.wrapping_add(1))?;
        Ok((self.take(zeros)? as u32 | (1_u32 << zeros)).wrapping_sub(1))
    }

    #[inline]
    pub(super) fn take_signed(&mut self) -> Result<i32, Error> {
        let number = self.take_universal()?;
        Ok((number >> 1) as i32 ^ ((number & 1) as i32).wrapping_neg())
    }

    /// Whether all that is left is what fills the last byte: no code of a number is zeros alone.
    #[inline]
    pub(super) fn is_over(&self) -> bool {
        self.left() < 8 && self.ahead() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[derive(Clone, Copy, Debug)]
    enum Number {
        Fixed(u64, u32),
        Universal(u32),
        Signed(i32),
    }

    fn number() -> impl Strategy<Value = Number> {
        prop_oneof![
            (any::<u64>(), 0_u32..=64).prop_map(|(value, width)| Number::Fixed(value & mask(width), width)),
            (0..u32::MAX)
                .prop_flat_map(|number| (0_u32..32).prop_map(move |by| Number::Universal(number >> by))),
            (-i32::MAX..=i32::MAX)
                .prop_flat_map(|number| (0_u32..32).prop_map(move |by| Number::Signed(number >> by))),
        ]
    }

    fn mask(width: u32) -> u64 {
        1_u64.checked_shl(width).map_or(u64::MAX, |above| above - 1)
    }

    fn put(writer: &mut Writer<'_>, number: Number) {
        match number {
            Number::Fixed(value, width) => {
                writer.put(value as u32, width.min(32));
                writer.put((value >> 32) as u32, width.saturating_sub(32));
            }
            Number::Universal(number) => writer.put_universal(number),
            Number::Signed(number) => writer.put_signed(number),
        }
        assert!(!writer.is_full());
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(numbers in prop::collection::vec(number(), 0..40), taken_back in number()) {
            let mut bytes = [0xFF; 400];
            let mut writer = Writer::new(&mut bytes);
            for number in &numbers {
                let at = writer.at();
                put(&mut writer, taken_back);
                writer.back_to(at);
                put(&mut writer, *number);
            }
            let len = writer.len();
            let mut reader = Reader::new(&bytes[..len]);
            for number in numbers {
                match number {
                    Number::Fixed(value, width) => prop_assert_eq!(reader.take(width), Ok(value)),
                    Number::Universal(number) => prop_assert_eq!(reader.take_universal(), Ok(number)),
                    Number::Signed(number) => prop_assert_eq!(reader.take_signed(), Ok(number)),
                }
            }
            prop_assert!(reader.is_over());
        }

        #[test]
        fn any_bits_are_numbers_or_an_error(bytes: Vec<u8>, widths in prop::collection::vec(0_u32..=64, 0..60)) {
            let mut reader = Reader::new(&bytes);
            for width in widths {
                let _ = (reader.take_universal(), reader.take(width), reader.take_signed());
            }
        }
    }

    #[test]
    fn what_does_not_fit_is_told_until_it_is_taken_back() {
        let mut bytes = [0; 1];
        let mut writer = Writer::new(&mut bytes);
        writer.put(0, 7);
        let at = writer.at();
        writer.put(3, 2);
        writer.put(0, 0);
        assert!(writer.is_full());
        writer.back_to(at);
        writer.put(1, 1);
        assert!(!writer.is_full());
        assert_eq!(bytes, [0x80]);
    }

    #[test]
    fn small_numbers_take_few_bits() {
        for (number, bits) in [(0, 1), (1, 3), (2, 3), (3, 5), (6, 5), (7, 7), (u32::MAX - 1, 63)] {
            let mut bytes = [0; 9];
            let mut writer = Writer::new(&mut bytes);
            writer.put_universal(number);
            assert_eq!(writer.at(), bits, "{number}");
        }
    }

    #[test]
    fn a_number_of_more_bits_is_none() {
        let mut bytes = [0; 9];
        let mut writer = Writer::new(&mut bytes);
        writer.put(0, 32);
        writer.put(1, 1);
        assert_eq!(Reader::new(&bytes).take_universal(), Err(Error::Malformed));
    }
}
