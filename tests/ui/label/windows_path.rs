//! Somebody's folder.

use automagik_telemetry::Label;

#[derive(Label)]
enum Place {
    Known,
    #[label(r"C:\Users\alice")]
    Mine,
}

fn main() {}
