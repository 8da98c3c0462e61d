//! A credential.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("Bearer abcdef")]
    Mine,
}

fn main() {}
