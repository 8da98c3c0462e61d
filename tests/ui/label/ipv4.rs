//! A machine's address.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("192.168.1.10")]
    Mine,
}

fn main() {}
