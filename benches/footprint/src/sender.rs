//! A network and a clock that do nothing, so that the sender alone is measured: whose firmware has telemetry has these.

use crate::{Feature, Pump};
use automagik_telemetry::firmware::{Settings, Telemetry};
use automagik_telemetry::{FeatureUsed, Sender};
use core::hint::black_box;
use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use core::task::Waker;
use embassy_executor::{Executor, SpawnError, SpawnToken};
use embassy_time_driver::Driver;
use embedded_io_async::{ErrorKind, ErrorType, Read, Write};
use embedded_nal_async::{AddrType, Dns, TcpConnect};
use static_cell::StaticCell;

struct Clock;

impl Driver for Clock {
    fn now(&self) -> u64 {
        black_box(1)
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        black_box((at, waker));
    }
}

embassy_time_driver::time_driver_impl!(static CLOCK: Clock = Clock);

/// The network, and a connection of it.
pub struct Network;

impl ErrorType for Network {
    type Error = ErrorKind;
}

impl Read for Network {
    async fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ErrorKind> {
        black_box(&mut *buffer);
        Ok(black_box(buffer.len()))
    }
}

impl Write for Network {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, ErrorKind> {
        black_box(bytes);
        Ok(bytes.len())
    }

    async fn flush(&mut self) -> Result<(), ErrorKind> {
        black_box(Ok(()))
    }
}

impl TcpConnect for Network {
    type Error = ErrorKind;
    type Connection<'a> = Network;

    async fn connect(&self, to: SocketAddr) -> Result<Network, ErrorKind> {
        black_box(to);
        black_box(Ok(Network))
    }
}

impl Dns for Network {
    type Error = ErrorKind;

    async fn get_host_by_name(&self, name: &str, _: AddrType) -> Result<IpAddr, ErrorKind> {
        black_box(name);
        black_box(Ok(Ipv4Addr::LOCALHOST.into()))
    }

    async fn get_host_by_address(&self, _: IpAddr, _: &mut [u8]) -> Result<usize, ErrorKind> {
        Err(ErrorKind::Unsupported)
    }
}

/// Runs the one task of an image, without end.
pub fn run<S>(task: Result<SpawnToken<S>, SpawnError>) -> ! {
    crate::application();
    static EXECUTOR: StaticCell<Executor> = StaticCell::new();
    EXECUTOR.init(Executor::new()).run(|spawner| {
        if let Ok(token) = task {
            spawner.spawn(token);
        }
    })
}

/// Records an event and sends what there is through `sender`, without end.
pub async fn telemetry(sender: impl Sender) {
    static TELEMETRY: Telemetry<Pump, 256> = Telemetry::new();
    let Some((secret, consent)) = crate::agreed() else { return };
    TELEMETRY.start(consent);
    TELEMETRY.record(FeatureUsed { feature: black_box(Feature::Lamp) });
    TELEMETRY.run(&secret, sender, Settings::default()).await
}
