//! Somebody's number.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("/traces/phone/5511987654321")]
    Mine,
}

fn main() {}
