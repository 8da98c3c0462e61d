//! A machine's hardware.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("aa:bb:cc:dd:ee:ff")]
    Mine,
}

fn main() {}
