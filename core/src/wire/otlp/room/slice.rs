//! The free part of a slice as a slice, which shrinks: on a host, where one comparison for each write counts.

use super::Stop;

/// The free part of a slice, behind which everything is written. Where something does not fit, writing stops; or, where it is `COUNTING`, goes on
/// and writes nothing.
pub(in crate::wire::otlp) struct Room<'a, const COUNTING: bool> {
    free: &'a mut [u8],
    /// How many bytes did not fit, once one did not: nothing is free any more then.
    over: usize,
}

impl<'a, const COUNTING: bool> Room<'a, COUNTING> {
    pub(in crate::wire::otlp) const fn new(bytes: &'a mut [u8]) -> Self {
        Self { free: bytes, over: 0 }
    }

    /// Where what was written starts: in front of the slice's own start it has wrapped.
    #[inline(always)]
    pub(in crate::wire::otlp) const fn at(&self) -> usize {
        if COUNTING { self.free.len().wrapping_sub(self.over) } else { self.free.len() }
    }

    /// Writes what `write` writes; where that stops, nothing was written.
    #[inline(always)]
    pub(in crate::wire::otlp) fn attempt(
        &mut self,
        write: impl FnOnce(&mut Room<'_, COUNTING>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        let mut attempt = Room { free: &mut *self.free, over: self.over };
        write(&mut attempt)?;
        let (len, over) = (attempt.free.len(), attempt.over);
        self.free = core::mem::take(&mut self.free).get_mut(..len).unwrap_or(&mut []);
        self.over = over;
        Ok(())
    }

    /// `len` bytes don't fit.
    #[inline(always)]
    fn overflow(&mut self, at: usize, len: usize) -> Result<(), Stop> {
        if COUNTING {
            self.over = len.wrapping_sub(at);
            Ok(())
        } else {
            Err(Stop::Full)
        }
    }

    /// So many bytes as they are.
    #[inline(always)]
    pub(in crate::wire::otlp) fn array<const N: usize>(&mut self, bytes: [u8; N]) -> Result<(), Stop> {
        let at = self.at();
        if let Some((free, slot)) = core::mem::take(&mut self.free).split_last_chunk_mut() {
            *slot = bytes;
            self.free = free;
            return Ok(());
        }
        self.overflow(at, N)
    }

    /// The next `len` bytes towards the start; none where there are fewer.
    #[inline(always)]
    pub(super) fn slot(&mut self, len: usize) -> Result<&mut [u8], Stop> {
        let at = self.at();
        let free = core::mem::take(&mut self.free);
        if let Some(start) = free.len().checked_sub(len) {
            if let Some((free, slot)) = free.split_at_mut_checked(start) {
                self.free = free;
                return Ok(slot);
            }
        }
        self.overflow(at, len).map(|()| Default::default())
    }
}
