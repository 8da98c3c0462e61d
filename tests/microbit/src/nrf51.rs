//! The nRF51's UART and its generator of random numbers, as a HAL would give them.

use core::cell::RefCell;
use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;
use cortex_m::interrupt::InterruptNumber;
use cortex_m::peripheral::NVIC;
use cortex_m_rt::exception;
use critical_section::Mutex;
use embassy_sync::waitqueue::AtomicWaker;
use embedded_io_async::{ErrorType, Read, Write};

const UART: usize = 0x4000_2000;
const START_RX: usize = 0x000;
const START_TX: usize = 0x008;
const RX_READY: usize = 0x108;
const TX_READY: usize = 0x11C;
const INTERRUPTS: usize = 0x304;
const ENABLE: usize = 0x500;
const RXD: usize = 0x518;
const TXD: usize = 0x51C;
const BAUD_RATE: usize = 0x524;

const RNG: usize = 0x4000_D000;
const START: usize = 0x000;
const STOP: usize = 0x004;
const VALUE_READY: usize = 0x100;
const VALUE: usize = 0x508;

fn read(address: usize) -> u32 {
    // SAFETY: registers of this machine, at addresses that are always mapped.
    unsafe { core::ptr::read_volatile(address as *const u32) }
}

fn write(address: usize, value: u32) {
    // SAFETY: as above.
    unsafe { core::ptr::write_volatile(address as *mut u32, value) }
}

/// The UART's interrupt.
#[derive(Clone, Copy)]
struct OfUart;

// SAFETY: line 2 exists on this machine.
unsafe impl InterruptNumber for OfUart {
    fn number(self) -> u16 {
        2
    }
}

/// What came and was not read yet.
static RECEIVED: Mutex<RefCell<heapless::Deque<u8, 32>>> = Mutex::new(RefCell::new(heapless::Deque::new()));
static WAKER: AtomicWaker = AtomicWaker::new();

/// Switches the UART on, at 115,200 baud.
pub fn start() {
    write(UART + BAUD_RATE, 0x01D7_E000);
    write(UART + ENABLE, 4);
    write(UART + START_RX, 1);
    write(UART + START_TX, 1);
    write(UART + INTERRUPTS, 1 << 2);
    // SAFETY: its handler is there, and uses nothing that is shared but through critical sections.
    unsafe { NVIC::unmask(OfUart) };
}

#[exception]
unsafe fn DefaultHandler(_: i16) {
    while read(UART + RX_READY) != 0 {
        write(UART + RX_READY, 0);
        let byte = read(UART + RXD) as u8;
        // What does not fit is lost, and asked for again.
        let _ = critical_section::with(|cs| RECEIVED.borrow_ref_mut(cs).push_back(byte).is_ok());
    }
    WAKER.wake();
}

/// Fills `bytes` with random numbers.
pub fn random(bytes: &mut [u8]) {
    write(RNG + START, 1);
    for byte in bytes {
        while read(RNG + VALUE_READY) == 0 {}
        write(RNG + VALUE_READY, 0);
        *byte = read(RNG + VALUE) as u8;
    }
    write(RNG + STOP, 1);
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
            let byte = critical_section::with(|cs| RECEIVED.borrow_ref_mut(cs).pop_front());
            match (byte, buffer.first_mut()) {
                (Some(byte), Some(slot)) => {
                    *slot = byte;
                    Poll::Ready(Ok(1))
                }
                (None, Some(_)) => Poll::Pending,
                (_, None) => Poll::Ready(Ok(0)),
            }
        })
        .await
    }
}

impl Write for Sender {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        for byte in bytes {
            write(UART + TXD, u32::from(*byte));
            while read(UART + TX_READY) == 0 {}
            write(UART + TX_READY, 0);
        }
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        Ok(())
    }
}
