//! Time for embassy: SysTick, a thousand times a second.

use core::cell::RefCell;
use core::task::Waker;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m_rt::exception;
use critical_section::Mutex;
use embassy_time_driver::Driver;
use embassy_time_queue_utils::Queue;

struct Clock {
    state: Mutex<RefCell<State>>,
}

struct State {
    ticks: u64,
    queue: Queue,
}

impl Driver for Clock {
    fn now(&self) -> u64 {
        critical_section::with(|cs| self.state.borrow_ref(cs).ticks)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|cs| {
            // The next tick looks at it.
            let _ = self.state.borrow_ref_mut(cs).queue.schedule_wake(at, waker);
        });
    }
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock {
    state: Mutex::new(RefCell::new(State { ticks: 0, queue: Queue::new() })),
});

/// Starts the ticks, each of so many cycles. Each calls the crate's `ticked`.
pub fn start(mut syst: SYST, cycles_per_tick: u32) {
    syst.set_clock_source(SystClkSource::Core);
    syst.set_reload(cycles_per_tick - 1);
    syst.clear_current();
    syst.enable_counter();
    syst.enable_interrupt();
}

#[exception]
fn SysTick() {
    critical_section::with(|cs| {
        let mut state = CLOCK.state.borrow_ref_mut(cs);
        state.ticks += 1;
        let now = state.ticks;
        let _ = state.queue.next_expiration(now);
    });
    crate::ticked();
}
