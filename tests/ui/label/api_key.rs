//! A credential.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label("sk_live_4eC39HqLyjWDarjtT1")]
    Mine,
}

fn main() {}
