//! A machine's address.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("fe80::1ff:fe23:4567:890a")]
    Mine,
}

fn main() {}
