//! Time for embassy: the core-local timer, of which a thousand ticks a second are made.

use core::cell::RefCell;
use core::task::Waker;
use critical_section::Mutex;
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

/// Where the timer counts, ten million times a second, and where it is told when to interrupt.
const TIME: usize = 0x0200_BFF8;
const COMPARE: usize = 0x0200_4000;
const PER_TICK: u64 = 10_000;

struct Clock {
    queue: Mutex<RefCell<Queue>>,
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        time() / PER_TICK
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        // The next tick looks at it.
        critical_section::with(|cs| self.queue.borrow_ref_mut(cs).schedule_wake(at, waker));
    }
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    queue: Mutex::new(RefCell::new(Queue::new())),
});

fn time() -> u64 {
    loop {
        let high = word(TIME + 4);
        let low = word(TIME);
        // It may have run over in between.
        if word(TIME + 4) == high {
            return u64::from(high) << 32 | u64::from(low);
        }
    }
}

fn word(address: usize) -> u32 {
    // SAFETY: registers of this machine, at addresses that are always mapped.
    unsafe { core::ptr::read_volatile(address as *const u32) }
}

/// Interrupts at the next tick.
fn again() {
    let next = time() + PER_TICK;
    for (at, half) in [(COMPARE + 4, u32::MAX), (COMPARE, next as u32), (COMPARE + 4, (next >> 32) as u32)] {
        // SAFETY: as above.
        unsafe { core::ptr::write_volatile(at as *mut u32, half) };
    }
}

/// Starts the ticks.
pub fn start() {
    again();
    // SAFETY: the handler is there, and uses nothing that is shared but through critical sections.
    unsafe {
        riscv::register::mie::set_mtimer();
        riscv::interrupt::enable();
    }
}

#[riscv_rt::core_interrupt(riscv::interrupt::Interrupt::MachineTimer)]
fn ticked() {
    again();
    critical_section::with(|cs| {
        let _ = CLOCK.queue.borrow_ref_mut(cs).next_expiration(time() / PER_TICK);
    });
    crate::uart::ticked();
}
