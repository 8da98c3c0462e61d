//! An identity before consent.

use automagik_telemetry::Secret;

fn main() {
    let _ = Secret::new([7; 32]);
}
