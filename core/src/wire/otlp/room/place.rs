//! The free part of a slice as a place in it: on a device, where it is smaller. There is no room but one that counts.

use super::Stop;

/// A slice whose free part is in front of what was written. Where something does not fit, it goes on and writes nothing.
pub(in crate::wire::otlp) struct Room<'a, const COUNTING: bool> {
    bytes: &'a mut [u8],
    /// Where what was written starts. In front of the slice's own start it has wrapped, and is greater than any length.
    at: usize,
}

impl<'a, const COUNTING: bool> Room<'a, COUNTING> {
    pub(in crate::wire::otlp) const fn new(bytes: &'a mut [u8]) -> Self {
        let at = bytes.len();
        Self { bytes, at }
    }

    /// Where what was written starts.
    pub(in crate::wire::otlp) const fn at(&self) -> usize {
        self.at
    }

    /// Writes what `write` writes; where that stops, nothing was written.
    #[inline(always)]
    pub(in crate::wire::otlp) fn attempt(
        &mut self,
        write: impl FnOnce(&mut Self) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let at = self.at;
        write(self).inspect_err(|_| self.at = at)
    }

    /// So many bytes as they are: one function for all lengths is smaller.
    #[inline(always)]
    pub(in crate::wire::otlp) fn array<const N: usize>(&mut self, bytes: [u8; N]) -> Result<(), Stop> {
        self.put(&bytes)
    }

    /// The next `len` bytes towards the start; none where there are fewer.
    #[inline(always)]
    pub(super) fn slot(&mut self, len: usize) -> Result<&mut [u8], Stop> {
        let end = self.at;
        self.at = end.wrapping_sub(len);
        Ok(self.bytes.get_mut(self.at..end).unwrap_or(&mut []))
    }
}
