//! NOR flash in a file on the host, by semihosting: what is written there outlives the machine. Bits are only cleared by
//! writes, and set by erasing a page.

use crate::words::Words;
use cortex_m_semihosting::nr::open::{R_BINARY, RW_BINARY};
use cortex_m_semihosting::syscall;
use embedded_storage_async::nor_flash::{
    ErrorType, MultiwriteNorFlash, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash,
};

const PAGE: usize = 1024;

/// Two pages of the answer and the secret, and twelve of the backlog.
pub const LEN: usize = 14 * PAGE;
pub const PROVISION: core::ops::Range<u32> = 0..2 * PAGE as u32;
pub const BACKLOG: core::ops::Range<u32> = 2 * PAGE as u32..LEN as u32;

pub struct Flash {
    handle: usize,
}

#[derive(Debug)]
pub struct HostFailed;

impl NorFlashError for HostFailed {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Flash {
    /// That in the file at `path`, which is there.
    pub fn open(path: &str) -> Option<Self> {
        open(path, RW_BINARY).map(|handle| Self { handle })
    }

    fn seek(&self, offset: usize) -> Result<(), HostFailed> {
        // SAFETY: no memory is handed over.
        let failed = unsafe { syscall!(SEEK, self.handle, offset) };
        if failed == 0 { Ok(()) } else { Err(HostFailed) }
    }

    fn get(&self, offset: usize, bytes: &mut [u8]) -> Result<(), HostFailed> {
        self.seek(offset)?;
        // SAFETY: the host writes to `bytes`, and no more of them than there are.
        let missing = unsafe { syscall!(READ, self.handle, bytes.as_mut_ptr(), bytes.len()) };
        if missing == 0 { Ok(()) } else { Err(HostFailed) }
    }

    fn put(&self, offset: usize, bytes: &[u8]) -> Result<(), HostFailed> {
        self.seek(offset)?;
        // SAFETY: the host reads `bytes`, and no more of them than there are.
        let missing = unsafe { syscall!(WRITE, self.handle, bytes.as_ptr(), bytes.len()) };
        if missing == 0 { Ok(()) } else { Err(HostFailed) }
    }
}

/// A handle for each of the two ranges, of the file that `flash=` names.
pub fn open_twice(words: &Words) -> Option<(Flash, Flash)> {
    let path = words.word("flash")?;
    Some((Flash::open(path)?, Flash::open(path)?))
}

fn open(path: &str, mode: usize) -> Option<usize> {
    let mut name = [0_u8; 128];
    name.get_mut(..path.len())?.copy_from_slice(path.as_bytes());
    // SAFETY: the name ends with a zero byte, or it would be as long as the array, which the host is not told.
    let handle = unsafe { syscall!(OPEN, name.as_ptr(), mode, path.len()) };
    (handle != usize::MAX && path.len() < name.len()).then_some(handle)
}

/// Reads the file at `path`, as much of it as `bytes` hold, and says how much that is.
pub fn read_file(path: &str, bytes: &mut [u8]) -> Option<usize> {
    let handle = open(path, R_BINARY)?;
    // SAFETY: the host writes to `bytes`, and no more of them than there are.
    let missing = unsafe { syscall!(READ, handle, bytes.as_mut_ptr(), bytes.len()) };
    bytes.len().checked_sub(missing)
}

impl ErrorType for Flash {
    type Error = HostFailed;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), HostFailed> {
        self.get(offset as usize, bytes)
    }

    fn capacity(&self) -> usize {
        LEN
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), HostFailed> {
        (from as usize..to as usize).step_by(64).try_for_each(|at| self.put(at, &[0xFF; 64]))
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), HostFailed> {
        for (word, at) in bytes.chunks(4).zip((offset as usize..).step_by(4)) {
            let mut old = [0; 4];
            self.get(at, &mut old)?;
            old.iter_mut().zip(word).for_each(|(old, new)| *old &= new);
            self.put(at, &old)?;
        }
        Ok(())
    }
}

impl MultiwriteNorFlash for Flash {}
