//! Bytes behind each other in a buffer.

use super::Error;

/// More than any buffer has.
const FULL: usize = usize::MAX;

/// A buffer that is filled from its start.
pub(super) struct Bytes<'a> {
    buffer: &'a mut [u8],
    len: usize,
}

impl<'a> Bytes<'a> {
    pub(super) const fn new(buffer: &'a mut [u8]) -> Self {
        Self { buffer, len: 0 }
    }

    /// How many bytes are in it.
    ///
    /// # Errors
    ///
    /// [`Error::BufferTooSmall`] where something did not fit.
    pub(super) const fn len(&self) -> Result<usize, Error> {
        if self.len == FULL { Err(Error::BufferTooSmall) } else { Ok(self.len) }
    }

    /// Puts `bytes` behind what is in it, if they fit; if not, nothing fits any more.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn put(&mut self, bytes: &[u8]) {
        let end = self.len.wrapping_add(bytes.len());
        let Some(slots) = self.buffer.get_mut(self.len..end) else {
            self.len = FULL;
            return;
        };
        for (slot, byte) in slots.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.len = end;
    }
}
