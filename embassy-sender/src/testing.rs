//! NOR flash in memory, whose power fails after so many words and pages.

use core::ops::Range;
use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};
use std::vec;
use std::vec::Vec;

pub(crate) const PAGE: usize = 256;
pub(crate) const RANGE: Range<u32> = 0..4 * PAGE as u32;

#[derive(Clone)]
pub(crate) struct Flash {
    pub(crate) bytes: Vec<u8>,
    pub(crate) left: usize,
    pub(crate) is_unreadable: bool,
}

#[derive(Debug)]
pub(crate) struct NoPower;

impl NorFlashError for NoPower {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Flash {
    pub(crate) fn new() -> Self {
        Self { bytes: vec![0xFF; RANGE.end as usize], left: usize::MAX, is_unreadable: false }
    }

    fn spend(&mut self) -> Result<(), NoPower> {
        self.left = self.left.checked_sub(1).ok_or(NoPower)?;
        Ok(())
    }
}

impl ErrorType for &mut Flash {
    type Error = NoPower;
}

impl ReadNorFlash for &mut Flash {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NoPower> {
        if self.is_unreadable {
            return Err(NoPower);
        }
        bytes.copy_from_slice(&self.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl NorFlash for &mut Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), NoPower> {
        for page in (from as usize..to as usize).step_by(PAGE) {
            self.spend()?;
            self.bytes[page..page + PAGE].fill(0xFF);
        }
        Ok(())
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NoPower> {
        for (at, word) in bytes.chunks(4).enumerate() {
            self.spend()?;
            for (old, new) in self.bytes[offset as usize + 4 * at..].iter_mut().zip(word) {
                *old &= new;
            }
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for &mut Flash {}
