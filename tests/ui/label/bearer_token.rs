//! A credential.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("Bearer a1b2c3d4")]
    Mine,
}

fn main() {}
