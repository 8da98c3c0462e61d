//! What a HAL gives you on a device, for QEMU's lm3s6965evb: a clock, a network card, flash, and words from outside in place of buttons.

#![no_std]

mod clock;
pub mod fall;
pub mod flash;
mod network;
mod words;

pub use words::Words;

use automagik_telemetry_cortex_m::RETAINED;
use core::panic::PanicInfo;
use cortex_m::peripheral::SCB;
use cortex_m_semihosting::debug::{EXIT_FAILURE, exit};
use cortex_m_semihosting::hprintln;
use embassy_executor::{Executor, Spawner};
use embassy_net::{Config, Runner, Stack, StackResources};
use static_cell::StaticCell;

/// 12.5 MHz is what the machine starts with.
const CYCLES_PER_TICK: u32 = 12_500;

fn ticked() {
    network::poll();
}

/// Starts the clock and the network, and spawns what `spawn` does. Called once.
pub fn start(spawn: impl FnOnce(Spawner, Stack<'static>)) -> ! {
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    // DHCP, DNS, one connection, and datagrams.
    static RESOURCES: StaticCell<StackResources<4>> = StaticCell::new();
    // SAFETY: nothing else on this machine takes them.
    clock::start(unsafe { cortex_m::Peripherals::steal() }.SYST, CYCLES_PER_TICK);
    let (stack, runner) = embassy_net::new(
        network::Stellaris::new(),
        Config::dhcpv4(Default::default()),
        RESOURCES.init(StackResources::new()),
        7,
    );
    EXECUTOR.init(Executor::new()).run(|spawner| {
        spawner.spawn(network_task(runner).unwrap());
        spawn(spawner, stack);
    })
}

#[embassy_executor::task]
async fn network_task(mut runner: Runner<'static, network::Stellaris>) {
    runner.run().await
}

#[panic_handler]
fn panicked(info: &PanicInfo<'_>) -> ! {
    if Words::get().word("fall") == Some("panic") {
        RETAINED.note_panic(info.location());
        SCB::sys_reset();
    }
    hprintln!("{}", info);
    exit(EXIT_FAILURE);
    loop {}
}
