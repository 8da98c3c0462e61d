//! The machine's UART, an NS16550A, looked at once a tick: what came since then fits its buffer of 16 bytes only at a slow line, so the rest
//! is lost, and asked for again.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;
use embassy_sync::waitqueue::AtomicWaker;
use embedded_io_async::{ErrorType, Read, Write};

const UART: usize = 0x1000_0000;
const DATA: usize = 0;
const STATUS: usize = 5;
const HAS_BYTE: u8 = 1;
const IS_FREE: u8 = 1 << 5;

static WAKER: AtomicWaker = AtomicWaker::new();

fn read(register: usize) -> u8 {
    // SAFETY: registers of this machine, at addresses that are always mapped.
    unsafe { core::ptr::read_volatile((UART + register) as *const u8) }
}

/// Something may have come.
pub fn ticked() {
    if read(STATUS) & HAS_BYTE != 0 {
        WAKER.wake();
    }
}

/// Fills `bytes` with numbers of this start. The machine has no generator: how far its timer has come must do for a test.
pub fn random(bytes: &mut [u8]) {
    let mut state = riscv::register::cycle::read64() | 1;
    for byte in bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        *byte = (state >> 32) as u8;
    }
}

/// The UART's half that hears.
pub struct Receiver;

/// The UART's half that speaks.
pub struct Sender;

impl ErrorType for Receiver {
    type Error = Infallible;
}

impl ErrorType for Sender {
    type Error = Infallible;
}

impl Read for Receiver {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        poll_fn(|context| {
            WAKER.register(context.waker());
            let mut len = 0;
            while let Some(slot) = buffer.get_mut(len).filter(|_| read(STATUS) & HAS_BYTE != 0) {
                *slot = read(DATA);
                len += 1;
            }
            if len > 0 || buffer.is_empty() { Poll::Ready(Ok(len)) } else { Poll::Pending }
        })
        .await
    }
}

impl Write for Sender {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            while read(STATUS) & IS_FREE == 0 {}
            // SAFETY: as above.
            unsafe { core::ptr::write_volatile((UART + DATA) as *mut u8, *byte) };
        }
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
