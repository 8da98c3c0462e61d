//! Bytes behind each other in a buffer.

use super::Error;

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
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    #[cfg_attr(target_os = "none", inline(never))]
    pub(super) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let end = self.len.wrapping_add(bytes.len());
        let slots = self.buffer.get_mut(self.len..end).ok_or(Error::BufferTooSmall)?;
        for (slot, byte) in slots.iter_mut().zip(bytes) {
            *slot = *byte;
        }
        self.len = end;
        Ok(())
    }
}
