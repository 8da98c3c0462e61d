//! The Stellaris Ethernet controller, as embassy-net's driver. Polled once a tick.

use core::task::Context;
use embassy_net_driver::{Capabilities, Driver, HardwareAddress, LinkState, RxToken, TxToken};
use embassy_sync::waitqueue::AtomicWaker;

const BASE: usize = 0x4004_8000;
const RCTL: usize = 0x08;
const TCTL: usize = 0x0C;
const DATA: usize = 0x10;
const IA0: usize = 0x14;
const IA1: usize = 0x18;
const NP: usize = 0x34;
const TR: usize = 0x38;

/// An Ethernet frame without its checksum.
const FRAME_LEN_MAX: usize = 1514;

static WAKER: AtomicWaker = AtomicWaker::new();

fn read(register: usize) -> u32 {
    // SAFETY: registers of the one Ethernet controller of this machine, at an address that is always mapped.
    unsafe { core::ptr::read_volatile((BASE + register) as *const u32) }
}

fn write(register: usize, value: u32) {
    // SAFETY: as above.
    unsafe { core::ptr::write_volatile((BASE + register) as *mut u32, value) }
}

/// Wakes the stack where a frame waits.
pub fn poll() {
    if read(NP) & 0x3F != 0 {
        WAKER.wake();
    }
}

/// The controller.
pub struct Stellaris {
    frame: [u8; FRAME_LEN_MAX + 4],
}

impl Stellaris {
    /// Switches it on.
    pub fn new() -> Self {
        write(RCTL, 0b1001);
        write(TCTL, 0b1_0111);
        Self { frame: [0; FRAME_LEN_MAX + 4] }
    }

    /// Takes the oldest frame that came; its length.
    fn take(&mut self) -> usize {
        let mut word = read(DATA);
        // The first two bytes of the first word: the frame, these two bytes and the checksum.
        let total = (word & 0xFFFF) as usize;
        for at in 2..total {
            if at % 4 == 0 {
                word = read(DATA);
            }
            if let Some(byte) = self.frame.get_mut(at - 2) {
                *byte = word.to_le_bytes()[at % 4];
            }
        }
        total.saturating_sub(6).min(FRAME_LEN_MAX)
    }

    fn send(&mut self, len: usize) {
        let payload = (len - 14) as u16;
        let bytes = payload.to_le_bytes().into_iter().chain(self.frame[..len].iter().copied());
        let mut word = [0; 4];
        let mut filled = 0;
        for byte in bytes {
            word[filled] = byte;
            filled += 1;
            if filled == 4 {
                write(DATA, u32::from_le_bytes(word));
                (word, filled) = ([0; 4], 0);
            }
        }
        if filled > 0 {
            write(DATA, u32::from_le_bytes(word));
        }
        write(TR, 1);
    }
}

/// A frame that came, already in memory.
pub struct Received<'a>(&'a mut [u8]);

impl RxToken for Received<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, f: F) -> R {
        f(self.0)
    }
}

/// The right to send a frame.
pub struct Sending<'a>(Option<&'a mut Stellaris>);

impl TxToken for Sending<'_> {
    fn consume<R, F: FnOnce(&mut [u8]) -> R>(self, len: usize, f: F) -> R {
        match self.0 {
            Some(controller) => {
                let result = f(&mut controller.frame[..len]);
                controller.send(len);
                result
            }
            // The answer to a frame that is being read: it stands on the stack.
            None => {
                let mut answer = Stellaris { frame: [0; FRAME_LEN_MAX + 4] };
                let result = f(&mut answer.frame[..len]);
                answer.send(len);
                result
            }
        }
    }
}

impl Driver for Stellaris {
    type RxToken<'a> = Received<'a>;
    type TxToken<'a> = Sending<'a>;

    fn receive(&mut self, cx: &mut Context) -> Option<(Self::RxToken<'_>, Self::TxToken<'_>)> {
        WAKER.register(cx.waker());
        if read(NP) & 0x3F == 0 {
            return None;
        }
        let len = self.take();
        Some((Received(&mut self.frame[..len]), Sending(None)))
    }

    fn transmit(&mut self, _: &mut Context) -> Option<Self::TxToken<'_>> {
        Some(Sending(Some(self)))
    }

    fn link_state(&mut self, _: &mut Context) -> LinkState {
        LinkState::Up
    }

    fn capabilities(&self) -> Capabilities {
        let mut capabilities = Capabilities::default();
        capabilities.max_transmission_unit = FRAME_LEN_MAX;
        capabilities.max_burst_size = Some(1);
        capabilities
    }

    fn hardware_address(&self) -> HardwareAddress {
        let ([a, b, c, d], [e, f, ..]) = (read(IA0).to_le_bytes(), read(IA1).to_le_bytes());
        HardwareAddress::Ethernet([a, b, c, d, e, f])
    }
}
