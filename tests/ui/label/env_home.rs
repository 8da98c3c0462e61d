//! A home folder, fixed when the program is compiled.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label(env!("HOME"))]
    Mine,
}

fn main() {}
